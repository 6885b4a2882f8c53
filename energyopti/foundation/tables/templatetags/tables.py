"""Look up what a column's heading needs."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django_tables2.rows import BoundRow

register = template.Library()


@register.filter
def head_of(heads: Mapping[str, Any], name: str) -> Any:
    """Return the sort state of a column, None where it cannot be sorted by."""
    return heads.get(name)


@register.filter
def cells(row: BoundRow) -> SafeString:
    """
    Write the cells of a row: a heading, then the others, each with its label for cards.

    In Python because a page has a thousand of them; what a column's cells share is made once.
    """
    table = row._table
    shared = getattr(table, "_cell_starts", None)
    if shared is None:
        shared = table._cell_starts = [
            (column.name, *_around(column, is_first=number == 0))
            for number, column in enumerate(table.columns)
        ]
    return format_html_join(
        "", "{}{}{}", ((start, row.get_cell(name), end) for name, start, end in shared)
    )


def _around(column: Any, *, is_first: bool) -> tuple[SafeString, SafeString]:
    unit = getattr(column.column, "unit", "")
    label = f"{column.header}, {unit}" if unit and not is_first else column.header
    attributes = column.attrs["td"].as_html()
    if is_first:
        return format_html('<th scope="row" {} data-label="{}">', attributes, label), _TH
    return format_html('<td {} data-label="{}">', attributes, label), _TD


_TH, _TD = SafeString("</th>"), SafeString("</td>")
