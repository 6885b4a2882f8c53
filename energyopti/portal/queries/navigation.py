"""Which entries of the navigation a person may open, and which one is open."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from energyopti.accounts.actors import Actor
from energyopti.foundation.pages import NAVIGATION, NavigationItem


@dataclass(frozen=True)
class Entry:
    label: str
    url: str
    shortcut: str
    is_current: bool


@dataclass(frozen=True)
class Section:
    label: str
    entries: tuple[Entry, ...]


def navigation_for(actor: Actor, *, path: str) -> list[Section]:
    """
    Return the permitted entries by section; sections stand by the `order` of their first entry,
    then by registration.

    The open entry is the one with the longest address that `path` starts with. An entry without
    a route is left out here and named by `manage.py check` (portal.W001).
    """
    permitted = [
        (item, url)
        for item in NAVIGATION.values()
        if (item.permission is None or actor.may(item.permission))
        and (url := route_of(item)) is not None
    ]
    # "/" begins every address, so home is the open entry only on itself.
    current = max(
        (url for _, url in permitted if path == url or (url != "/" and path.startswith(url))),
        key=len,
        default="",
    )
    sections: dict[str, list[tuple[int, Entry]]] = {}
    for item, url in permitted:
        entry = Entry(item.label, url, item.shortcut, url == current)
        sections.setdefault(item.section, []).append((item.order, entry))
    return [
        Section(label, tuple(entry for _, entry in sorted(entries, key=lambda pair: pair[0])))
        for label, entries in sorted(
            sections.items(), key=lambda section: min(order for order, _ in section[1])
        )
    ]


def route_of(item: NavigationItem) -> str | None:
    """Return the address of an entry, None where its route does not exist."""
    try:
        return reverse(item.url_name)
    except NoReverseMatch:
        return None
