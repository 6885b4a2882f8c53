"""
What apps contribute to pages that span apps: navigation, home panels, scope choices and search.

Declared here, filled by each app in `ready()`, drawn by the portal.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, Protocol

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase

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
    reads       dimensions of the scope bar that it honors ("book", "site"): `context` takes what
                is chosen under these names, `None` for all. Home offers what its panels read.
    """

    roles: frozenset[str]
    template: str
    context: Callable[..., dict[str, Any]]
    permission: str | None = None
    order: int = 100
    reads: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ScopeOption:
    """
    One choice of the scope bar.

    value       what stands in the URL (an id or code).
    group       heading under which it is listed, empty for none.
    """

    value: str
    label: str
    group: str = ""


@dataclass(frozen=True)
class ScopeDimension:
    """
    One select of the scope bar: the book, the site.

    all_label   label of "no choice" ("All books").
    options     what this actor may choose, in order; called once per page.
    permission  without it the select is not drawn and its parameter is refused.
    """

    label: str
    all_label: str
    options: Callable[[Any], Sequence[ScopeOption]]
    permission: str | None = None


@dataclass(frozen=True)
class SearchHit:
    """One line of the command palette: where it leads and what it is ("Trade", "Device")."""

    label: str
    url: str
    kind: str


class SearchSource(Protocol):
    """Find what an actor may open by a few typed letters; at most `limit` hits."""

    def __call__(self, *, actor: Any, text: str, limit: int) -> Sequence[SearchHit]: ...


class ActorLike(Protocol):
    """What foundation pages ask of whoever acts (`energyopti.accounts.actors.Actor`)."""

    @property
    def id(self) -> str: ...
    @property
    def organization_ids(self) -> frozenset[Any]: ...
    def may(self, permission: str) -> bool: ...
    def require(self, permission: str) -> None: ...


def actor_for(request: HttpRequest) -> ActorLike:
    """Return who acts in a request, as the accounts room resolves it."""
    return PEOPLE["actor_of"](request)


View = Callable[..., HttpResponseBase]


def permitted(permission: str) -> Callable[[View], View]:
    """Make of a foundation view one for those who are signed in and hold a permission."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            actor_for(request).require(permission)
            return view(request, *args, **kwargs)

        guarded.permission = permission  # read by the route test
        return guarded

    return decorate


# Foundation pages stand below the accounts room: the portal registers its `actor_of` here.
PEOPLE: Registry[Callable[[HttpRequest], ActorLike]] = Registry(
    "people", required=frozenset({"actor_of"})
)
# "organizations": those whose members an actor may share a view with; the portal fills it.
PEOPLE_CHOICES: Registry[Callable[[Any], Sequence[ScopeOption]]] = Registry(
    "choices of people", required=frozenset({"organizations"})
)
# "by_actor_id": the names behind actor ids, read at once; the portal fills it.
PEOPLE_NAMES: Registry[Callable[[Iterable[str]], dict[str, str]]] = Registry(
    "names of people", required=frozenset({"by_actor_id"})
)
SCOPES: Registry[ScopeDimension] = Registry("scope bar")
SEARCH: Registry[SearchSource] = Registry("search")
NAVIGATION: Registry[NavigationItem] = Registry("navigation")
HOME_PANELS: Registry[HomePanel] = Registry("home panels")
