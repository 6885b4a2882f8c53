"""
Positions as a grid: a row a book and delivery point, a column an hour, day, month, quarter, year.

Read from the running totals; of a past moment, less what was recorded since, or all from the
beginning. Columns are of each market's own calendar.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from energyopti.foundation.calendars import Calendar, DatePeriod
from energyopti.foundation.intervals import Interval
from trading.deals import BASE, LoadShape, NoSuchShape, shape_intervals
from trading.models import (
    PROFILE_BASIS,
    Market,
    PositionDelta,
    PositionTotal,
    Stage,
    Trade,
    TradeVersion,
)

from .areas import delivery_areas
from .grid_columns import Column, months_of
from .positions import MICRO, micro, sum_micro

if TYPE_CHECKING:
    from .month_deltas import MonthDelta
    from .positions import Micro

_ONE = timedelta(days=1)
LEVELS = 5


class Measure(StrEnum):
    """What is added up: what gains with the price, or what is delivered."""

    EXPOSURE = "exposure"
    PHYSICAL = "physical"


@dataclass(frozen=True, slots=True)
class Cell:
    """
    A sum, bought +, sold −, None where nothing is held; level −5 … 5 of the largest of its unit.

    delta   what options and contracts with choices have in it
    """

    column: Column
    value: float | None
    level: int
    delta: float = 0.0


@dataclass(frozen=True, slots=True)
class GridRow:
    """What a book, or all books together, hold at a delivery point in one unit."""

    book_id: UUID | None
    market_id: int
    market: str
    unit: str
    cells: tuple[Cell, ...]
    total: float


@dataclass(slots=True)
class Grid:
    """
    Rows and columns; `unsplit` counts positions of a whole month, deltas among them, that hours and
    days do not show, and `unknown` those in a shape that its market no longer knows.
    """

    columns: list[Column]
    rows: list[GridRow] = field(default_factory=list)
    unsplit: int = 0
    unknown: int = 0


# Counting them would take as long as adding them up; each book has its first and last in an index.
_LESS_BEFORE = f"""
    SELECT coalesce(max(latest.id) - max(held.id) > max(held.id) - min(earliest.id), true)
    FROM unnest(%(books)s::uuid[]) AS book(id)
    LEFT JOIN LATERAL (SELECT id FROM {PositionDelta._meta.db_table} WHERE book_id = book.id
        ORDER BY recorded_at LIMIT 1) earliest ON true
    LEFT JOIN LATERAL (SELECT id FROM {PositionDelta._meta.db_table} WHERE book_id = book.id
        AND recorded_at <= %(cut)s ORDER BY recorded_at DESC LIMIT 1) held ON true
    LEFT JOIN LATERAL (SELECT id FROM {PositionDelta._meta.db_table} WHERE book_id = book.id
        ORDER BY recorded_at DESC LIMIT 1) latest ON true
"""  # noqa: S608 - the table's own name, no input
_KEYS = (
    "book_id", "market_id", "unit", "basis", "shape", "shape_version", "month", "start", "end",
    "minutes",
)  # fmt: skip
_Key = tuple[Any, ...]
# A key, its sum per hour, day or interval, and of a profile its numbers.
_Held = tuple[_Key, Decimal, "Micro | None"]
_Sums = dict[tuple[UUID | None, int, str], dict[Column, float]]
# Rows that are summed, and with which sign.
_Source = tuple[QuerySet[Any], int]
_NOTHING = Decimal(0)


def position_grid(
    books: Iterable[UUID],
    *,
    columns: Sequence[Column],
    measure: Measure = Measure.EXPOSURE,
    by_book: bool = True,
    stage: Stage = Stage.LIVE,
    kinds: Collection[str] | None = None,
    cut: datetime | None = None,
    deltas: Iterable[MonthDelta] = (),
) -> Grid:
    """
    Return what some books hold in the columns; at most eight queries.

    kinds   `ProductKind` values: only what trades of such a kind (at the cut) add; None is all
    deltas  of options and contracts with choices, to be added to exposure
    cut     as recorded by that instant: `services.as_of.settle_books` is called before
    """
    grid = Grid(list(columns))
    books = list(books)
    part = _within(columns) & Q(book_id__in=books, stage=stage)
    held = _read(_sources(part, books, cut, kinds), measure, with_profiles=is_split(columns[0]))
    moved = [_as_held(delta) for delta in deltas]
    spread = Spread(columns, [*held, *moved], grid)
    sums, parts = spread.sums(held, by_book=by_book), spread.sums(moved, by_book=by_book)
    for place, values in parts.items():
        row = sums[place]
        for column, value in values.items():
            row[column] = row.get(column, 0.0) + value
    largest: dict[str, float] = defaultdict(float)
    for (_, _, unit), values in sums.items():
        largest[unit] = max([largest[unit], *map(abs, values.values())])
    if columns[0].hour:
        used = {column for values in sums.values() for column in values}
        grid.columns = [c for c in columns if c.hour < 25 or c in used]
    grid.rows = [
        GridRow(
            book_id, market_id, spread.markets[market_id].code, unit,
            tuple(
                Cell(
                    c, values.get(c), _level(values.get(c), largest[unit]),
                    parts[book_id, market_id, unit].get(c, 0.0),
                )
                for c in grid.columns
            ),
            sum(values.values()),
        )
        for (book_id, market_id, unit), values in sums.items()
        if values
    ]  # fmt: skip
    return grid


def _as_held(delta: MonthDelta) -> _Held:
    """Return a delta as an amount of its month, as lots are held."""
    shape = (BASE.code, BASE.version)
    key = (delta.book_id, delta.market_id, delta.unit, "AMOUNT", *shape, delta.month, None, None, 0)
    return key, delta.delta, None


def is_split(column: Column) -> bool:
    """Say whether a column is an hour or a day, into which positions of a month are cut."""
    return bool(column.hour) or (column.after - column.first).days == 1


def _within(columns: Sequence[Column]) -> Q:
    """Return what may touch the columns: a delivery date lies in its market's month."""
    return Q(month__gte=columns[0].first.replace(day=1), month__lt=columns[-1].after)


def _read(sources: Sequence[_Source], measure: Measure, *, with_profiles: bool) -> list[_Held]:
    """Return what is held by key."""
    # Of whole months a profile is one number; parts of them need its intervals.
    plain = [
        (rows.filter(minutes=0) if with_profiles else rows)
        .values_list(*_KEYS)
        .annotate(n=sign * Sum(measure.value))
        for rows, sign in sources
    ]
    sums: dict[_Key, Decimal] = defaultdict(Decimal)
    for *fields, number in plain[0].union(*plain[1:], all=True):
        sums[tuple(fields)] += number
    held: list[_Held] = [(key, number, None) for key, number in sums.items()]
    return held + (_profiles(sources, f"{measure.value}_profile") if with_profiles else [])


def _sources(
    part: Q,
    books: Sequence[UUID],
    cut: datetime | None,
    kinds: Collection[str] | None,
) -> list[_Source]:
    """
    Return the rows whose sum is what is held, each with its sign.

    As of a cut: the totals less what was recorded since, or all up to it, what is less to add.
    """
    totals, deltas = PositionTotal.objects.filter(part), PositionDelta.objects.filter(part)
    if kinds is not None:
        deltas = deltas.filter(trade_version__trade_id__in=_trades_of(books, kinds, cut))
        return [(deltas if cut is None else deltas.filter(recorded_at__lte=cut), 1)]
    if cut is None:
        return [(totals, 1)]
    if _is_less_before(books, cut):
        return [(deltas.filter(recorded_at__lte=cut), 1)]
    return [(totals, 1), (deltas.filter(recorded_at__gt=cut), -1)]


def _is_less_before(books: Sequence[UUID], cut: datetime) -> bool:
    """Say whether less was recorded up to a cut than since, going by the ids; that is a guess."""
    with connection.cursor() as cursor:
        cursor.execute(_LESS_BEFORE, {"books": list(books), "cut": cut})
        return bool(cursor.fetchone()[0])


def _trades_of(
    books: Sequence[UUID], kinds: Collection[str], cut: datetime | None
) -> QuerySet[Any]:
    """Return the ids of trades that are of some kinds: an amendment may change a trade's."""
    if cut is None:
        return Trade.objects.filter(book_id__in=books, product_kind__in=kinds).values("pk")
    known = TradeVersion.objects.filter(trade__book_id__in=books, recorded_at__lte=cut)
    later = TradeVersion.objects.filter(
        trade_id=OuterRef("trade_id"), version__gt=OuterRef("version"), recorded_at__lte=cut
    )
    return known.filter(~Exists(later), product_kind__in=kinds).values("trade_id")


def _profiles(sources: Sequence[_Source], stored: str) -> list[_Held]:
    """Add up profiles by key: arrays, which the database does not."""
    sums: dict[_Key, Micro | None] = {}
    for rows, sign in sources:
        for *fields, row in rows.filter(minutes__gt=0).values_list(*_KEYS, stored):
            found = micro(row)
            if found is not None:
                key = tuple(fields)
                sums[key] = sum_micro(sums.get(key), sign * found)
    return [(key, _NOTHING, row) for key, row in sums.items()]


class Spread:
    """Spreads positions over columns; whole months go to theirs, the rest is cut by time."""

    def __init__(self, columns: Sequence[Column], held: Sequence[_Held], grid: Grid) -> None:
        self._columns = columns
        self._grid = grid
        self._splits = is_split(columns[0])
        self._by_month = {
            month: column for column in columns for month in months_of(column)
        } if not self._splits else {}  # fmt: skip
        self.markets = Market.objects.in_bulk({key[1] for key, _, _ in held})
        self._calendars = {pk: market.calendar for pk, market in self.markets.items()}
        self._loads = _loads({(self.markets[key[1]].code, key[4], key[5]) for key, _, _ in held})
        self._intervals: dict[Calendar, list[tuple[Column, Interval]]] = {}

    def sums(self, held: Sequence[_Held], *, by_book: bool) -> _Sums:
        """Return what is held by book (None is all together), market and unit, in each column."""
        sums: _Sums = defaultdict(dict)
        for key, number, profile in held:
            book_id, market_id, unit = key[:3]
            row = sums[(book_id if by_book else None, market_id, unit)]
            for column, value in self.of(key, number, profile):
                row[column] = row.get(column, 0.0) + value
        return sums

    def of(self, key: _Key, number: Decimal, profile: Micro | None) -> list[tuple[Column, float]]:
        _, market_id, _, basis, shape, version, month, start, end, minutes = key
        calendar = self._calendars[market_id]
        load = self._loads.get((self.markets[market_id].code, shape, version))
        if load is None and basis in ("HOUR", "DAY"):
            self._grid.unknown += 1
            return []
        if not self._splits:
            column = self._by_month.get(month)
            if column is None or not number:
                return []
            return [(column, float(number) * _count(basis, calendar, load, start, end))]
        if basis == "AMOUNT":
            self._grid.unsplit += bool(number)
            return []
        if basis == PROFILE_BASIS:
            return self._profile(calendar, start, minutes, profile)
        assert load is not None
        found = []
        for column, interval in self._touched(calendar, start, end):
            begin, close = max(interval.start, start), min(interval.end, end)
            hours = _hours(calendar, load, begin, close)
            if hours and basis == "DAY" and column.hour:
                whole = calendar.span(DatePeriod(column.first, column.after))
                hours /= _hours(calendar, load, whole.start, whole.end)
            elif hours and basis == "DAY":
                hours = 1.0
            if hours and number:
                found.append((column, float(number) * hours))
        return found

    def _profile(
        self, calendar: Calendar, start: datetime, minutes: int, row: Micro | None
    ) -> list[tuple[Column, float]]:
        if row is None:
            return []
        step = timedelta(minutes=minutes)
        found = []
        for column, interval in self._touched(calendar, start, start + len(row) * step):
            # Intervals of 15, 30 and 60 minutes start with the hours of the delivery day.
            at, until = (interval.start - start) // step, (interval.end - start) // step
            energy = float(row[max(at, 0) : max(until, 0)].sum()) * minutes / 60 / MICRO
            if energy:
                found.append((column, energy))
        return found

    def _touched(
        self, calendar: Calendar, start: datetime, end: datetime
    ) -> list[tuple[Column, Interval]]:
        known = self._intervals.get(calendar)
        if known is None:
            pairs = [(column, column.interval(calendar)) for column in self._columns]
            known = self._intervals[calendar] = [(c, i) for c, i in pairs if i is not None]
        return [(c, i) for c, i in known if i.start < end and start < i.end]


def _loads(wanted: set[tuple[str, str, int]]) -> Mapping[tuple[str, str, int], LoadShape]:
    areas = delivery_areas({code for code, _, _ in wanted}) if wanted else {}
    found = {}
    for code, shape, version in wanted:
        try:
            found[(code, shape, version)] = areas[code].shape(shape, version=version)
        except NoSuchShape:
            continue
    return found


def _count(
    basis: str, calendar: Calendar, load: LoadShape | None, start: datetime, end: datetime
) -> float:
    if basis in ("AMOUNT", PROFILE_BASIS) or load is None:
        return 1.0
    if basis == "DAY":
        return _days(calendar, load, start, end)
    return _hours(calendar, load, start, end)


@lru_cache(maxsize=32_768)
def _hours(calendar: Calendar, load: LoadShape, start: datetime, end: datetime) -> float:
    return float(shape_intervals(calendar, load, Interval(start, end)).hours)


@lru_cache(maxsize=4096)
def _days(calendar: Calendar, load: LoadShape, start: datetime, end: datetime) -> float:
    first, last = calendar.date_of(start), calendar.date_of(end - timedelta(microseconds=1))
    days = (calendar.day(first + n * _ONE) for n in range((last - first).days + 1))
    return float(sum(bool(shape_intervals(calendar, load, day).hours) for day in days))


def _level(value: float | None, largest: float) -> int:
    if not value or not largest:
        return 0
    step = min(LEVELS, 1 + int(LEVELS * abs(value) / largest * 0.9999))
    return step if value > 0 else -step
