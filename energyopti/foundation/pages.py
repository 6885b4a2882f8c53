"""
What apps contribute to pages that span apps: navigation entries and panels of the home page.

Declared here, filled by each app in `ready()`, drawn by the portal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .registry import Registry


@dataclass(frozen=True)
class NavigationItem:
    """
    One entry of the main navigation.

    url_name      name of the route; drawn only for users who hold `permission`.
    section       heading under which it stands ("Trading", "Risk", "Fleet" …).
    shortcut      second key after `g` ("t" for trades), empty for none.
    order         position within the section, small first.
    """

    label: str
    url_name: str
    section: str
    permission: str | None = None
    shortcut: str = ""
    order: int = 100


@dataclass(frozen=True)
class HomePanel:
    """
    One panel of a role's home page.

    roles       names of the roles (groups) whose home shows it, in `order`.
    template    drawn with the dictionary that `context(actor)` returns.
    """

    roles: frozenset[str]
    template: str
    context: Callable[[Any], dict[str, Any]]
    permission: str | None = None
    order: int = 100


NAVIGATION: Registry[NavigationItem] = Registry("navigation")
HOME_PANELS: Registry[HomePanel] = Registry("home panels")
