"""Find one address of every page: start at routes without arguments, follow the links there."""

import html
import re
from collections import deque
from collections.abc import Callable, Iterator
from urllib.parse import urljoin, urlsplit

from django.urls import Resolver404, URLPattern, URLResolver, get_resolver, resolve

# Not pages of ours: machine interfaces, files, and what ends the session.
NO_PAGES = (
    "/api/v1/",
    "/api/schema/",
    "/api/asyncapi/",
    "/_allauth/",
    "/static/",
    "/media/",
    "/graphql",
    "/health/",
    "/metrics",
    "/identity/",
    "/.well-known/",
    "/ws/",
    "/accounts/logout/",
    "/accounts/saml/",
    "/accounts/oidc/",
    "/admin/logout/",
    "/admin/jsi18n/",
    "/admin/password_change/",  # ours is /accounts/password/change/
    "/trades/news/",  # fragments that the open blotter asks for
    "/trades/selection/",
)
LINK = re.compile(r'<a\b[^>]*\shref="([^"]+)"')

Fetch = Callable[[str], tuple[int, str, str]]


def routes_without_arguments() -> Iterator[str]:
    """Yield the address of every route that needs no argument, the admin's index alone."""

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, route)
            elif not re.search(r"[<(\[\\^$]", route):
                yield "/" + route

    for path in walk(get_resolver().url_patterns, ""):
        if not path.startswith("/admin/") or path == "/admin/":
            yield path


def page_paths(fetch: Fetch, *, limit: int = 300) -> list[str]:
    """
    Return one address for each route that answers with a page.

    fetch   gets a path, returns status, content type and text; it does not follow redirects.
    """
    waiting = deque(dict.fromkeys(["/", *routes_without_arguments()]))
    known_routes: set[str] = set()
    pages = []
    while waiting and len(known_routes) < limit:
        path = waiting.popleft()
        route = _route_of(path)
        if route is None or route in known_routes or path.startswith(NO_PAGES):
            continue
        known_routes.add(route)
        status, content_type, text = fetch(path)
        if status != 200 or "text/html" not in content_type:
            continue
        pages.append(path)
        for link in LINK.findall(text):
            target = urlsplit(urljoin(path, html.unescape(link)))
            if not target.netloc:
                waiting.append(target.path)
    return pages


def _route_of(path: str) -> str | None:
    try:
        return str(resolve(path).route)
    except Resolver404:
        return None
