"""What each trade adds to a cell of positions: Python says what counts, the database adds up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models.expressions import RawSQL

from trading.models import PROFILE_BASIS, PositionDelta, PositionTotal, Stage, TradeVersion

from .grid_columns import Column
from .position_grid import Grid, Measure, Spread, is_split
from .positions import MICRO

# A position counts `factor` times its number; of a profile that a column cuts, `taken` intervals
# after `skipped` ones count, which lie in the row as int64, the lowest byte first.
_KEY = ("basis", "shape", "shape_version", "start", "end", "minutes")
_INTERVAL = " | ".join(f"(get_byte(part, 8 * n + {k})::bigint << {8 * k})" for k in range(8))
_SHARES = """
    SELECT trade_id, sum(value) AS value, sum(delta) AS delta FROM (
    SELECT version.trade_id, added.value, 0::numeric AS delta
    FROM (
        SELECT delta.trade_version_id, sum(counted.factor * CASE WHEN counted.taken = 0
            THEN delta.{measure}
            ELSE (SELECT sum({interval})
                  FROM substring(delta.{measure}_profile
                                 FROM 1 + 8 * counted.skipped FOR 8 * counted.taken) part,
                       generate_series(0, length(part) / 8 - 1) n)
            END) AS value
        FROM {deltas} delta
        JOIN unnest(%s::varchar[], %s::varchar[], %s::int[], %s::timestamptz[], %s::timestamptz[],
                    %s::int[], %s::numeric[], %s::int[], %s::int[])
            AS counted(basis, shape, shape_version, start, "end", minutes, factor, skipped, taken)
            USING (basis, shape, shape_version, start, "end", minutes)
        WHERE delta.book_id = ANY(%s) AND delta.market_id = %s AND delta.unit = %s
            AND delta.stage = %s AND delta.month >= %s AND delta.month < %s
            AND delta.recorded_at <= coalesce(%s::timestamptz, 'infinity')
        GROUP BY delta.trade_version_id
    ) added
    JOIN {versions} version ON version.id = added.trade_version_id
    UNION ALL
    SELECT trade_id, value, value FROM unnest(%s::bigint[], %s::numeric[]) AS delta(trade_id, value)
    ) part GROUP BY trade_id HAVING sum(value) <> 0
"""


@dataclass(frozen=True, slots=True)
class Share:
    """What one trade adds to a cell, in its unit, bought +, sold −; `delta` of it as an option."""

    trade_id: int
    value: Decimal
    delta: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class LargestShares:
    """A page of shares, the largest first, of `count` that sum to `total`."""

    shares: list[Share]
    count: int
    total: Decimal


class CellShares:
    """The trades of one cell; finding out what counts takes at most six queries."""

    def __init__(
        self,
        books: Iterable[UUID],
        *,
        market_id: int,
        unit: str,
        column: Column,
        measure: Measure = Measure.EXPOSURE,
        stage: Stage = Stage.LIVE,
        cut: datetime | None = None,
        deltas: Mapping[int, Decimal] | None = None,
    ) -> None:
        """
        Find which positions the cell has a part of, and how much of each.

        deltas  what options and contracts with choices add to the cell, by trade
        cut     as recorded by that instant: `services.as_of.settle_books` is called before
        """
        within = (
            list(books), market_id, unit, str(stage), column.first.replace(day=1), column.after,
        )  # fmt: skip
        names = ("book_id__in", "market_id", "unit", "stage", "month__gte", "month__lt")
        # A total stays when it is nothing again, so there is one for all that ever was.
        keys = list(
            PositionTotal.objects.filter(**dict(zip(names, within, strict=True)))
            .values_list(*_KEY, "month")
            .distinct()
        )
        counted = _counted(keys, market_id, unit, column)
        columns = [list(values) for values in zip(*counted, strict=True)] or [[] for _ in range(9)]
        self._sql = _SHARES.format(
            measure=measure.value,
            interval=_INTERVAL,
            deltas=PositionDelta._meta.db_table,
            versions=TradeVersion._meta.db_table,
        )
        moved = deltas or {}
        self._values: tuple[Any, ...] = (
            *columns, *within, cut, list(moved), list(moved.values())
        )  # fmt: skip

    @property
    def trade_ids(self) -> RawSQL:
        """Return the ids of the trades, for a query that reads them."""
        sql = f"SELECT trade_id FROM ({self._sql}) share"  # noqa: S608 - names, no input
        return RawSQL(sql, self._values)  # noqa: S611

    def largest(self, count: int, *, after: int = 0) -> LargestShares:
        """Return the `count` largest shares after the first `after` of them; one query."""
        rows = self._rows(
            "SELECT page.trade_id, page.value, page.delta, whole.count, whole.total "
            "FROM (SELECT count(*), coalesce(sum(value), 0) AS total FROM share) whole "
            "LEFT JOIN (SELECT * FROM share ORDER BY abs(value) DESC, trade_id LIMIT %s OFFSET %s)"
            " page ON true ORDER BY abs(page.value) DESC, page.trade_id",
            (count, after),
        )
        shares = [Share(*row[:3]) for row in rows if row[0] is not None]
        return LargestShares(shares, rows[0][3], rows[0][4])

    def of(self, trade_ids: Iterable[int]) -> dict[int, Share]:
        """Return what some trades add; one query."""
        wanted = list(trade_ids)
        found = self._rows(
            "SELECT trade_id, value, delta FROM share WHERE trade_id = ANY(%s)", (wanted,)
        )
        return {row[0]: Share(*row) for row in found}

    def _rows(self, sql: str, values: tuple[Any, ...]) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute(f"WITH share AS MATERIALIZED ({self._sql}) {sql}",
                           (*self._values, *values))  # fmt: skip
            return cursor.fetchall()


def _counted(
    keys: list[tuple[Any, ...]], market_id: int, unit: str, column: Column
) -> list[tuple[Any, ...]]:
    """Return the positions that the column has a part of, as the query takes them."""
    held: list[Any] = []
    for basis, shape, version, start, end, minutes, month in keys:
        key = (None, market_id, unit, basis, shape, version, month, start, end, minutes)
        held.append((key, Decimal(1), None))
    spread = Spread([column], held, Grid([column]))
    found = []
    for (key, one, _), (*same, _) in zip(held, keys, strict=True):
        minutes = key[-1]
        if is_split(column) and key[3] == PROFILE_BASIS:
            interval = column.interval(spread.markets[market_id].calendar)
            step, start = timedelta(minutes=minutes), key[7]
            if interval is None:
                continue
            first = max((interval.start - start) // step, 0)
            taken = (min(interval.end, key[8]) - start) // step - first
            if taken > 0:
                found.append((*same, Decimal(minutes) / 60 / MICRO, first, taken))
            continue
        for _, factor in spread.of(key, one, None):
            found.append((*same, Decimal(repr(factor)), 0, 0))
    return found
