"""What the frame around every page shows: navigation, scope, clock, theme. Read when drawn."""

from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.pages import SCOPES
from energyopti.foundation.scope import DATE, Scope

from ..queries.navigation import Section, navigation_for
from ..queries.preferences import Preferences, preferences_of

CHART_BUNDLE = "bundle/chart.js"
CHART_STYLES = "bundle/chart.css"


class Frame:
    """The frame of one request; every part is worked out once, and only if a template asks."""

    product = "EnergyOpti-Pro"

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def actor(self) -> Actor | None:
        user = getattr(self._request, "user", None)
        return actor_of(self._request) if user is not None and user.is_authenticated else None

    @cached_property
    def preferences(self) -> Preferences:
        return preferences_of(self._request)

    @cached_property
    def navigation(self) -> list[Section]:
        return navigation_for(self.actor, path=self._request.path) if self.actor else []

    @property
    def scope(self) -> Scope | None:
        """What the page declared with `scope_of`; a page that declares nothing has no bar."""
        return getattr(self._request, "page_scope", None)

    @cached_property
    def kept_parameters(self) -> list[tuple[str, str]]:
        """Parameters of the URL that a change of scope keeps; not the place within a list."""
        own = {*SCOPES, DATE, "after", "before"}
        return [
            (name, value)
            for name, values in self._request.GET.lists()
            for value in values
            if name not in own
        ]

    @cached_property
    def now(self) -> datetime:
        """The present in the person's time zone."""
        return clock.now().astimezone(ZoneInfo(self.zone))

    @cached_property
    def zone(self) -> str:
        return self.actor.user.time_zone if self.actor and self.actor.user else "UTC"

    @property
    def clock_speed(self) -> float:
        return settings.CLOCK_SPEED

    @property
    def clock_is_accelerated(self) -> bool:
        return clock.is_accelerated()

    @cached_property
    def chart_bundle(self) -> str:
        """Address of the charts' bundle, empty where npm has not built it."""
        return bundle_url(CHART_BUNDLE)

    @cached_property
    def chart_styles(self) -> str:
        return bundle_url(CHART_STYLES)

    @property
    def request_id(self) -> str:
        return request_id_of(self._request)


def bundle_url(path: str) -> str:
    """Return the address of a file of the npm bundle, or "" where it was not built."""
    if path not in _bundles:
        _bundles[path] = _find_bundle(path)
    return _bundles[path]


def _find_bundle(path: str) -> str:
    if finders.find(path) is None and not staticfiles_storage.exists(path):
        return ""
    return staticfiles_storage.url(path)


_bundles: dict[str, str] = {}


def request_id_of(request: HttpRequest) -> str:
    """Return the correlation id that the logs of this request carry."""
    given = getattr(request, "request_id", "")
    return str(given or structlog.contextvars.get_contextvars().get("request_id", ""))


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `frame` in every template."""
    return {"frame": Frame(request)}
