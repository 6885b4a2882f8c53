"""What `manage.py check` says about the pages: entries without a route, panels without template."""

from typing import Any

from django.core.checks import CheckMessage, Warning
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

from energyopti.foundation.pages import HOME_PANELS, NAVIGATION, SCOPES

from .queries.navigation import route_of


def check_pages(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Name what apps registered and nobody could draw."""
    found: list[CheckMessage] = [
        Warning(f"navigation “{name}”: there is no route “{item.url_name}”", id="portal.W001")
        for name, item in NAVIGATION.items()
        if route_of(item) is None
    ]
    for name, panel in HOME_PANELS.items():
        found += [
            Warning(f"home panel “{name}”: there is no scope “{read}” to read", id="portal.W003")
            for read in sorted(panel.reads)
            if read not in SCOPES
        ]
        try:
            get_template(panel.template)
        except TemplateDoesNotExist:
            found.append(
                Warning(f"home panel “{name}”: no template “{panel.template}”", id="portal.W002")
            )
    return found
