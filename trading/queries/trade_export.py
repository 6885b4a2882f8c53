"""Trades as CSV, streamed from the database: the rows never pass through Python one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import CharField, F, Func, QuerySet
from django.db.models.functions import Cast

from energyopti.foundation.exports.csv import FORMULA_CHARACTERS

TEXTS = {
    "ref": "trade__ref", "status": "status", "basis": "trade__basis", "book": "book__code",
    "counterparty": "counterparty__code", "product": "product_kind", "side": "side",
    "market": "market__code", "shape": "shape", "period": "period_name",
    "quantity_unit": "quantity_unit", "currency": "currency", "price_unit": "price_unit",
    "mic": "mic", "client_reference": "trade__client_reference", "source": "trade__source",
    "external_id": "trade__external_id", "package": "trade__package_id",
}  # fmt: skip
NUMBERS = ("quantity", "price", "hours", "energy_mwh", "notional")
MOMENTS = ("traded_at", "recorded_at", "delivery_start", "delivery_end")
COLUMNS = (*TEXTS, "version", *NUMBERS, *MOMENTS)
_RUNS = "^'*[" + "".join(f"\\{mark}" if mark in "-@=+" else mark for mark in FORMULA_CHARACTERS)


class _Plain(Func):
    """A text that no spreadsheet runs as a formula, as `foundation.exports.csv` writes it."""

    output_field = CharField()

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:
        column, params = compiler.compile(self.source_expressions[0])
        sql = f"CASE WHEN {column} ~ %s THEN '''' || {column} ELSE {column} END"
        return sql, [*params, _RUNS + "]", *params, *params]


class _Short(Func):
    """A number without the zeros at its end that its column adds."""

    function = "TRIM_SCALE"


class _Utc(Func):
    """A moment as ISO 8601 in UTC."""

    template = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    output_field = CharField()


def export_csv(rows: QuerySet[Any]) -> Iterator[bytes]:
    """
    Yield a CSV file of versions of trades in their order, heading first.

    rows    as `queries.trades` returns them
    """
    shown: dict[str, Any] = {f"x_{name}": _Plain(F(path)) for name, path in TEXTS.items()}
    shown["x_version"] = Cast(F("version"), CharField())
    shown |= {f"x_{name}": _Short(F(name)) for name in NUMBERS}
    shown |= {f"x_{name}": _Utc(F(name)) for name in MOMENTS}
    values = rows.annotate(**shown).values_list(*(f"x_{name}" for name in COLUMNS))
    sql, params = values.query.sql_with_params()
    yield (",".join(COLUMNS) + "\r\n").encode()
    with connection.cursor() as cursor:
        # Filled in here, because the cursor that Django puts in place to debug takes no values.
        statement = cursor.mogrify(f"COPY ({sql}) TO STDOUT (FORMAT csv)", params)
        yield from _pieces(cursor, statement)


def _pieces(cursor: Any, statement: str) -> Iterator[bytes]:
    with cursor.copy(statement) as copy:
        pieces: list[bytes] = []
        size = 0
        for piece in copy:
            pieces.append(bytes(piece))
            size += len(piece)
            if size > 65_536:
                yield b"".join(pieces)
                pieces, size = [], 0
        yield b"".join(pieces)
