"""All routes of the project, with names, patterns and arguments."""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.security.samples import ELSEWHERE

UNKNOWN_ID = uuid.UUID(int=0xDEAD_BEEF)


@dataclass(frozen=True)
class Route:
    """One route: `name` with its namespaces, `pattern` as the resolver joins it."""

    name: str
    pattern: str
    arguments: frozenset[str]

    @property
    def is_api(self) -> bool:
        return self.pattern.startswith("api/")

    def url(self, **kwargs: Any) -> str:
        return reverse(self.name, kwargs=kwargs)

    def unknown_arguments(self) -> dict[str, Any]:
        """Return arguments of the right form that name nothing."""
        return {name: self._unknown(name) for name in self.arguments}

    def _unknown(self, name: str) -> Any:
        if match := re.search(rf"<(\w+):{name}>", self.pattern):
            return {"uuid": UNKNOWN_ID, "int": 999_999_937}.get(match[1], "UNKNOWN")
        group = re.search(rf"\(\?P<{name}>([^)]*)", self.pattern)
        return "999999937" if group and "0-9]" in group[1] and "A-Z" not in group[1] else "UNKNOWN"


def all_routes() -> list[Route]:
    """Return every named route that the walk is answerable for; a nameless one is an error."""
    routes = [
        Route(":".join([*spaces, pattern.name or ""]), text, frozenset(arguments))
        for pattern, text, spaces, arguments in _walk(get_resolver(), "", (), ())
        if not text.startswith(tuple(ELSEWHERE))
    ]
    nameless = [route.pattern for route in routes if not route.name.rpartition(":")[2]]
    assert not nameless, f"routes without a name: {nameless}"
    return routes


def _walk(
    resolver: URLResolver, prefix: str, spaces: tuple[str, ...], arguments: tuple[str, ...]
) -> Iterator[tuple[URLPattern, str, tuple[str, ...], tuple[str, ...]]]:
    for entry in resolver.url_patterns:
        text = prefix + str(entry.pattern)
        here = (*arguments, *entry.pattern.converters, *_groups(entry))
        if isinstance(entry, URLResolver):
            inner = (*spaces, entry.namespace) if entry.namespace else spaces
            yield from _walk(entry, text, inner, here)
        else:
            yield entry, text, spaces, here


def _groups(entry: Any) -> tuple[str, ...]:
    regex = getattr(entry.pattern, "regex", None)
    return tuple(regex.groupindex) if regex is not None else ()
