"""What the command palette finds: pages by name, then what each app's source knows."""

from energyopti.accounts.actors import Actor
from energyopti.foundation.pages import SEARCH, SearchHit

from .navigation import navigation_for

LIMIT = 20
LIMIT_PER_SOURCE = 6


def find(actor: Actor, *, text: str) -> list[SearchHit]:
    """
    Return at most 20 hits for the typed text, pages first; every page when nothing is typed.

    A page matches when each typed word stands in its section or label.
    """
    words = text.casefold().split()
    hits = []
    for section in navigation_for(actor, path=""):
        for entry in section.entries:
            haystack = f"{section.label} {entry.label}".casefold()
            if all(word in haystack for word in words):
                hits.append(SearchHit(entry.label, entry.url, section.label or "Page"))
    if words:
        for source in SEARCH.values():
            hits.extend(source(actor=actor, text=text.strip(), limit=LIMIT_PER_SOURCE))
    return hits[:LIMIT]
