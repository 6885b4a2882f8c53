"""
The state of a list page, all of it in the URL: sort, filters, columns, place and view.

Every link of the page is made here, by changing parameters of the present address.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.http import QueryDict

SORT, AFTER, BEFORE, VIEW, EXPORT = "sort", "after", "before", "view", "export"
OWN_PARAMETERS = frozenset({SORT, AFTER, BEFORE, VIEW, EXPORT})
_PLACE = (AFTER, BEFORE, EXPORT)


@dataclass(frozen=True)
class Address:
    """The present address of a list page, and its neighbors."""

    path: str
    parameters: QueryDict

    def link(self, *, without: Iterable[str] = _PLACE, **changes: str) -> str:
        """Return the address with parameters changed; an empty value removes one."""
        changed = self.parameters.copy()
        for name in without:
            changed.pop(name, None)
        for name, value in changes.items():
            if value:
                changed[name] = value
            else:
                changed.pop(name, None)
        return f"{self.path}?{changed.urlencode()}" if changed else self.path

    @cached_property
    def query(self) -> str:
        """The part that a saved view keeps: filters and sort, not the place within the list."""
        kept = self.parameters.copy()
        for name in (*_PLACE, VIEW):
            kept.pop(name, None)
        return kept.urlencode()


@dataclass(frozen=True)
class SortLevel:
    column: str
    descending: bool

    def __str__(self) -> str:
        return f"-{self.column}" if self.descending else self.column


def read_sort(text: str, *, sortable: Sequence[str]) -> tuple[list[SortLevel], list[str]]:
    """Return the sort levels of "-price,market" and the names that no column has."""
    levels: list[SortLevel] = []
    unknown = []
    for part in filter(None, text.split(",")):
        level = SortLevel(part.removeprefix("-"), part.startswith("-"))
        if level.column not in sortable:
            unknown.append(level.column)
        elif all(level.column != other.column for other in levels):
            levels.append(level)
    return levels, unknown


@dataclass(frozen=True)
class Header:
    """
    A column's head: its sort state, and the addresses that sort by it alone or in addition.

    order       place among several sort levels, 0 when not sorted by.
    """

    name: str
    aria_sort: str
    order: int
    link: str
    add_link: str


def headers(
    address: Address, *, columns: Sequence[str], sortable: Sequence[str], levels: list[SortLevel]
) -> dict[str, Header]:
    """Return the heads of the sortable columns by name."""
    heads = {}
    for name in columns:
        if name not in sortable:
            continue
        at = next((i for i, level in enumerate(levels) if level.column == name), None)
        turned = SortLevel(name, at is not None and not levels[at].descending)
        others = [str(level) for level in levels if level.column != name]
        heads[name] = Header(
            name=name,
            aria_sort=""
            if at is None
            else ("descending" if levels[at].descending else "ascending"),
            order=0 if at is None or len(levels) == 1 else at + 1,
            link=address.link(sort=str(turned)),
            add_link=address.link(sort=",".join([*others, str(turned)])),
        )
    return heads


@dataclass(frozen=True)
class Chip:
    """An active filter: what it says, and the address without it."""

    label: str
    value: str
    link: str
