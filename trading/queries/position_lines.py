"""Positions as a list: a line a book, delivery point, unit and period."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from trading.models import Market, Stage

from .books import book_codes
from .grid_columns import Bucket, Column, columns_from
from .month_deltas import MonthDelta
from .position_grid import Cell, Measure, position_grid

MAX_COLUMNS = 800
_ONE = timedelta(days=1)
_MONTHS = {Bucket.MONTH: 1, Bucket.QUARTER: 3, Bucket.YEAR: 12}


class PeriodRefused(ValueError):
    """A period cannot be listed like this; `field` names what to change."""

    def __init__(self, field: str, rule: str) -> None:
        self.field = field
        super().__init__(f"{field}: {rule}")


@dataclass(frozen=True, slots=True)
class PositionLine:
    """
    What a book holds at a delivery point in a period of its delivery days.

    period      first delivery date, with the hour of the day where that is asked for
    start, end  UTC
    volume      in `unit`, bought +, sold −
    delta       of it from options and contracts with choices
    """

    book: str
    delivery_point: str
    commodity: str
    unit: str
    period: str
    start: datetime
    end: datetime
    volume: float
    delta: float


@dataclass(frozen=True, slots=True)
class PositionLines:
    """Lines; `unsplit` and `unknown` count positions that they do not show (see `Grid`)."""

    lines: tuple[PositionLine, ...]
    unsplit: int
    unknown: int


def columns_between(bucket: Bucket, first: date, after: date) -> list[Column]:
    """
    Return the periods that cover delivery dates from `first` until before `after`.

    :raises PeriodRefused: for nothing, or for more than 800 of them.
    """
    if after <= first:
        raise PeriodRefused("to", "must be after “from”.")
    days = (after - first).days
    counts = {Bucket.HOUR: 25 * days, Bucket.DAY: days}
    if counts.get(bucket, 0) > MAX_COLUMNS or days > 366 * 100:
        raise PeriodRefused("to", f"at most {MAX_COLUMNS} periods at once; ask for fewer days.")
    if bucket is Bucket.HOUR:
        return [column for n in range(days) for column in columns_from(bucket, first + n * _ONE)]
    if bucket is Bucket.DAY:
        dates = [first + n * _ONE for n in range(days)]
        return [Column(f"{day:%Y-%m-%d}", day, day + _ONE) for day in dates]
    step = _MONTHS[bucket]
    number = (12 * first.year + first.month - 1) // step * step
    found = []
    while (start := date(number // 12, number % 12 + 1, 1)) < after:
        number += step
        found.append(Column(f"{start:%Y-%m}", start, date(number // 12, number % 12 + 1, 1)))
    if len(found) > MAX_COLUMNS:
        raise PeriodRefused("to", f"at most {MAX_COLUMNS} periods at once; ask for fewer years.")
    return found


def column_named(bucket: Bucket, text: str) -> Column:
    """
    Return the period that a line was named by.

    :raises PeriodRefused: for what no list names a period by.
    """
    day, _, hour = text.partition(".")
    try:
        first = date.fromisoformat(day)
        columns = columns_between(bucket, first, first + _ONE)
    except (ValueError, OverflowError):
        columns = []
    found = next((column for column in columns if column.key == text), None)
    if found is None or (bucket is Bucket.HOUR) is not bool(hour):
        raise PeriodRefused("period", "is none that a list names; take it from a line.")
    return found


def position_lines(
    books: Iterable[UUID],
    *,
    columns: list[Column],
    measure: Measure,
    stage: Stage,
    commodity: str | None = None,
    delivery_point: str | None = None,
    cut: datetime | None = None,
    deltas: Iterable[MonthDelta] = (),
) -> PositionLines:
    """
    Return what some books hold in the columns, at most eight queries; nothing is not listed.

    deltas  of options and contracts with choices, to be added to exposure
    cut     as recorded by that instant: `services.as_of.settle_books` is called before
    """
    grid = position_grid(
        books, columns=columns, measure=measure, stage=stage, cut=cut, deltas=deltas
    )
    markets = {
        row.pk: row
        for row in Market.objects.filter(pk__in={row.market_id for row in grid.rows})
        .select_related("commodity")
    }  # fmt: skip
    codes = book_codes({row.book_id for row in grid.rows if row.book_id is not None})
    found = []
    for row in grid.rows:
        market = markets[row.market_id]
        if commodity is not None and market.commodity.code.lower() != commodity.lower():
            continue
        if delivery_point is not None and market.code.lower() != delivery_point.lower():
            continue
        assert row.book_id is not None
        for cell in row.cells:
            if cell.value:
                found.append(_line(codes[row.book_id], market, row.unit, cell))
    return PositionLines(tuple(found), grid.unsplit, grid.unknown)


def _line(book: str, market: Market, unit: str, cell: Cell) -> PositionLine:
    interval = cell.column.interval(market.calendar)
    assert interval is not None and cell.value is not None
    return PositionLine(
        book, market.code, market.commodity.code, unit, cell.column.key, interval.start,
        interval.end, cell.value, cell.delta,
    )  # fmt: skip
