"""Links of a list page keep what they do not change."""

from django.http import QueryDict

from energyopti.foundation.tables.state import Address, SortLevel, headers, read_sort

ADDRESS = Address("/trades/", QueryDict("sort=-price&market=DE&market=FR&after=abc&view=1"))


def test_link_changes_one_parameter_and_leaves_the_place() -> None:
    assert ADDRESS.link(sort="name") == "/trades/?sort=name&market=DE&market=FR&view=1"


def test_link_with_an_empty_value_removes_the_parameter() -> None:
    assert ADDRESS.link(sort="", view="") == "/trades/?market=DE&market=FR"


def test_link_without_anything_is_the_path() -> None:
    assert Address("/trades/", QueryDict("after=abc")).link() == "/trades/"


def test_saved_query_keeps_filters_and_sort_only() -> None:
    assert ADDRESS.query == "sort=-price&market=DE&market=FR"


def test_read_sort_names_what_no_column_has() -> None:
    levels, unknown = read_sort("-price,name,price,,ghost", sortable=["price", "name"])

    assert levels == [SortLevel("price", True), SortLevel("name", False)]
    assert unknown == ["ghost"]


def test_headers_turn_the_sort_and_add_levels() -> None:
    levels = [SortLevel("price", False), SortLevel("name", True)]

    heads = headers(
        Address("/t/", QueryDict("sort=price,-name")),
        columns=["price", "name", "book", "fixed"],
        sortable=["price", "name", "book"],
        levels=levels,
    )

    assert (heads["price"].aria_sort, heads["price"].order) == ("ascending", 1)
    assert heads["price"].link == "/t/?sort=-price"
    assert heads["name"].link == "/t/?sort=name"
    assert (heads["book"].aria_sort, heads["book"].order) == ("", 0)
    assert heads["book"].add_link == "/t/?sort=price%2C-name%2Cbook"
    assert "fixed" not in heads


def test_one_sort_level_carries_no_number() -> None:
    heads = headers(
        Address("/t/", QueryDict("sort=-price")),
        columns=["price"],
        sortable=["price"],
        levels=[SortLevel("price", True)],
    )

    assert (heads["price"].aria_sort, heads["price"].order) == ("descending", 0)
    assert heads["price"].link == "/t/?sort=price"
