"""
Dated versions of the API. Views speak the current one; older ones are reached step by step.

A client sends `Api-Version: 2026-11-21` and keeps the shapes of that day: a change that would
break it registers how to lift an old request and how to lower a new response across its date.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from ..registry import Registry
from .refusals import Refusal

FIRST_VERSION = date(2026, 11, 21)


def _unchanged(data: Any) -> Any:
    return data


@dataclass(frozen=True)
class VersionChange:
    """
    One change that an older client would notice, and the two ways across it.

    date                 the first version that has it.
    routes               names of the URL routes concerned ("trading:trade-list").
    description          one sentence, shown in the API's documentation.
    lift_request(data)   a body of the version before, as the version of `date` writes it.
    lower_response(data) a 2xx body of the version of `date`, as the version before wrote it.

    Both return new data and leave their argument alone.
    """

    date: date
    routes: frozenset[str]
    description: str
    lift_request: Callable[[Any], Any] = _unchanged
    lower_response: Callable[[Any], Any] = _unchanged


class VersionRegistry(Registry[VersionChange]):
    """The changes by name; the versions are the first one and every date that has a change."""

    @property
    def versions(self) -> list[date]:
        return sorted({FIRST_VERSION, *(change.date for change in self.values())})

    @property
    def current(self) -> date:
        return self.versions[-1]

    def changes_after(self, version: date, route: str) -> list[VersionChange]:
        """Return what changed on a route since a version, oldest first."""
        return sorted(
            (c for c in self.values() if c.date > version and route in c.routes),
            key=lambda change: change.date,
        )

    def lift(self, data: Any, *, version: date, route: str) -> Any:
        """Return a request's body of an old version as the current version writes it."""
        for change in self.changes_after(version, route):
            data = change.lift_request(data)
        return data

    def lower(self, data: Any, *, version: date, route: str) -> Any:
        """Return a response's body of the current version as an old version wrote it."""
        for change in reversed(self.changes_after(version, route)):
            data = change.lower_response(data)
        return data


API_VERSIONS = VersionRegistry("API version changes")


def version_of(header: str | None) -> date:
    """
    Return the version that a request asks for; without a header, the current one.

    :raises Refusal: 400 for a header that is no date, or a date that is no version.
    """
    if header is None:
        return API_VERSIONS.current
    known = {version.isoformat(): version for version in API_VERSIONS.versions}
    if header not in known:
        raise Refusal(
            f"Api-Version is one of: {', '.join(known)}.",
            code="unknown_version",
            parameter="Api-Version",
        )
    return known[header]
