"""A list as a file: the filtered rows, the shown columns, and the filters written into it."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django_tables2 import Table as PageTable
from django_tables2.rows import BoundRow

from energyopti.foundation import clock
from energyopti.foundation.exports.responses import export_response
from energyopti.foundation.exports.tables import Column, Kind, Table

from .columns import FigureColumn, MomentColumn

CHUNK = 2000


def export_of(
    request: HttpRequest,
    *,
    title: str,
    table: PageTable,
    rows: QuerySet[Any],
    filters: Mapping[str, str],
    format_name: str,
    filename: str,
) -> HttpResponse | StreamingHttpResponse:
    """Return the rows of a list page as csv, json, xlsx or pdf, fetched as they are written."""
    description = Table(
        title=title,
        columns=[_column(column) for column in table.columns],
        rows=_values(table, rows),
        filters=filters,
        as_of=clock.now(),
        time_zone=timezone.get_current_timezone_name(),
    )
    return export_response(request, description, format_name, filename)


def _column(bound: Any) -> Column:
    kind, unit = Kind.TEXT, ""
    if isinstance(bound.column, FigureColumn):
        kind, unit = Kind.DECIMAL, bound.column.unit
    elif isinstance(bound.column, MomentColumn):
        kind = Kind.DATE if bound.column.is_date else Kind.DATETIME
    return Column(bound.name, str(bound.header), kind, unit)


def _values(table: PageTable, rows: QuerySet[Any]) -> Iterator[list[Any]]:
    names = [column.name for column in table.columns]
    for record in rows.iterator(chunk_size=CHUNK):
        row = BoundRow(record, table)
        yield [row.get_cell_value(name) for name in names]
