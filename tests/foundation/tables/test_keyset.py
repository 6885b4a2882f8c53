"""Walking a list by key meets every row once, in order, in both directions."""

import uuid

import pytest

from energyopti.foundation.tables.keyset import CursorUnreadable, keyset_page, sort_terms
from energyopti.foundation.tables.models import SavedView

pytestmark = pytest.mark.django_db

ORGANIZATIONS = [uuid.UUID(int=number) for number in (3, 1, 2)]
SORTS = [
    [],
    ["name"],
    ["-name"],
    ["organization_id"],
    ["-organization_id"],
    ["query", "-organization_id", "name"],
    ["-saved_at", "query"],
    ["-pk"],
]


@pytest.fixture
def rows() -> None:
    """23 rows with ties in every column but the name, and a third without an organization."""
    SavedView.objects.bulk_create(
        SavedView(
            table="t",
            name=f"view {number:02}",
            owner_id="user:1",
            query="abc"[number % 3],
            organization_id=None if number % 3 == 0 else ORGANIZATIONS[number % 2],
        )
        for number in range(23)
    )


def expected_order(paths: list[str]) -> list[uuid.UUID]:
    """Sort in Python, from the last level to the first, missing values last either way."""
    found = list(SavedView.objects.all())
    levels = [*paths]
    if not any(path.lstrip("-") == "pk" for path in paths):
        levels.append("-pk" if paths and paths[-1].startswith("-") else "pk")
    for path in reversed(levels):
        name = path.lstrip("-")
        with_value = [row for row in found if getattr(row, name) is not None]
        without = [row for row in found if getattr(row, name) is None]
        with_value.sort(key=lambda row: getattr(row, name), reverse=path.startswith("-"))
        found = with_value + without
    return [row.pk for row in found]


@pytest.mark.parametrize("size", [1, 4, 23, 50])
@pytest.mark.parametrize("paths", SORTS, ids=lambda paths: ",".join(paths) or "none")
def test_walk_there_and_back_meets_each_row_once(rows, paths: list[str], size: int) -> None:
    queryset = SavedView.objects.all()
    terms = sort_terms(SavedView, paths)

    page = keyset_page(queryset, terms=terms, size=size)
    pages = [page]
    while page.after:
        page = keyset_page(queryset, terms=terms, size=size, after=page.after)
        pages.append(page)
    there = [row.pk for page in pages for row in page.rows]
    assert there == expected_order(paths)

    back = [[row.pk for row in page.rows]]
    while page.before:
        page = keyset_page(queryset, terms=terms, size=size, before=page.before)
        back.insert(0, [row.pk for row in page.rows])
    assert [pk for page_rows in back for pk in page_rows] == expected_order(paths)


def test_row_that_vanishes_hides_no_other(rows) -> None:
    queryset = SavedView.objects.all()
    terms = sort_terms(SavedView, ["name"])
    first = keyset_page(queryset, terms=terms, size=5)

    SavedView.objects.filter(name__in=["view 02", "view 04"]).delete()
    second = keyset_page(queryset, terms=terms, size=5, after=first.after)

    assert [row.name for row in second.rows] == [f"view {n:02}" for n in range(5, 10)]


def test_rows_as_dictionaries_can_be_walked_too(rows) -> None:
    queryset = SavedView.objects.values("name")
    terms = sort_terms(SavedView, ["-name"])

    first = keyset_page(queryset, terms=terms, size=2)
    second = keyset_page(queryset, terms=terms, size=2, after=first.after)

    assert [row["name"] for row in second.rows] == ["view 20", "view 19"]


@pytest.mark.parametrize(
    "cursor",
    ["x", "?", "W10", "WzEsMiwzXQ", "W1siYSJdLCJiIl0", "e30", "WyJub3QgYSBkYXRlIiwieCJd", "4oKs"],
)
def test_foreign_cursor_is_refused(rows, cursor: str) -> None:
    terms = sort_terms(SavedView, ["saved_at"])

    with pytest.raises(CursorUnreadable):
        keyset_page(SavedView.objects.all(), terms=terms, size=5, after=cursor)


def test_empty_list_has_no_neighbors() -> None:
    page = keyset_page(SavedView.objects.all(), terms=sort_terms(SavedView, []), size=5)

    assert (page.rows, page.after, page.before) == ([], "", "")
