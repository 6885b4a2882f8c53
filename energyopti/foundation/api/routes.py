"""The registry by which each app puts its routes under /api/v1/ without anybody importing it."""

import re
from dataclasses import dataclass

from ..registry import Registry


@dataclass(frozen=True)
class ApiRoutes:
    """
    Routes of one app, from the module `urlconf`; none ends with a slash.

    is_collection   the prefix is itself a route ("/api/v1/jobs"), so the routes spell it out
    """

    prefix: str
    urlconf: str
    is_collection: bool = False

    @property
    def mount(self) -> str:
        """Return the path below /api/ that the routes are relative to."""
        return "v1/" if self.is_collection else f"v1/{self.prefix}/"


API_ROUTES: Registry[ApiRoutes] = Registry("API routes")


def register_api_routes(prefix: str, urlconf: str, *, is_collection: bool = False) -> None:
    """
    Mount an app's routes: `register_api_routes("trading", "trading.api.urls")` in its `ready()`.

    :raises ValueError: for a prefix that is not lower-case words joined by hyphens.
    :raises DuplicateEntry: if another module has the prefix.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", prefix):
        raise ValueError(f"prefix: “{prefix}” must be lower-case words joined by hyphens.")
    if prefix not in API_ROUTES or API_ROUTES[prefix].urlconf != urlconf:
        API_ROUTES.register(prefix, ApiRoutes(prefix, urlconf, is_collection))
