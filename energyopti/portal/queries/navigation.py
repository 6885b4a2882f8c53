"""Which entries of the navigation a person may open, and which one is open."""

from dataclasses import dataclass

from django.urls import NoReverseMatch, reverse

from energyopti.accounts.actors import Actor
from energyopti.foundation.pages import NAVIGATION


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


class RouteMissing(LookupError):
    """A registered navigation entry names a route that does not exist."""


def navigation_for(actor: Actor, *, path: str) -> list[Section]:
    """
    Return the permitted entries by section, both in the order of registration and `order`.

    The open entry is the one with the longest address that `path` starts with.

    :raises RouteMissing: naming the entry, so that a typo is found by the first page drawn.
    """
    permitted = []
    for name, item in NAVIGATION.items():
        if item.permission and not actor.may(item.permission):
            continue
        try:
            permitted.append((item, reverse(item.url_name)))
        except NoReverseMatch as error:
            raise RouteMissing(f"navigation “{name}”: no route “{item.url_name}”") from error
    current = max((url for _, url in permitted if path.startswith(url)), key=len, default="")
    sections: dict[str, list[tuple[int, Entry]]] = {}
    for item, url in permitted:
        entry = Entry(item.label, url, item.shortcut, url == current)
        sections.setdefault(item.section, []).append((item.order, entry))
    return [
        Section(label, tuple(entry for _, entry in sorted(entries, key=lambda pair: pair[0])))
        for label, entries in sections.items()
    ]
