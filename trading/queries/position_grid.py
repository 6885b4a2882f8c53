"""
Positions as a grid: a row a book and delivery point, a column an hour, day, month, quarter, year.

Read from the running totals; of a past moment, the totals less what was recorded since, in one
statement. Columns are delivery dates (and hours of a delivery day) of each market's own calendar.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db.models import F, Q, Sum

from energyopti.foundation.calendars import Calendar, DatePeriod
from energyopti.foundation.intervals import Interval
from trading.deals import LoadShape, NoSuchShape, shape_intervals
from trading.models import PROFILE_BASIS, PositionDelta, PositionTotal, Stage

from .areas import delivery_areas
from .positions import MICRO, micro

_ONE = timedelta(days=1)
_HOUR = timedelta(hours=1)
LEVELS = 5


class Bucket(StrEnum):
    """How long a column is."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


class Measure(StrEnum):
    """What is added up: what gains with the price, or what is delivered."""

    EXPOSURE = "exposure"
    PHYSICAL = "physical"


@dataclass(frozen=True, slots=True)
class Column:
    """
    One column: delivery dates from `first` until before `after`.

    hour    of the delivery day, from 1; 0 for whole days
    """

    label: str
    first: date
    after: date
    hour: int = 0

    @property
    def key(self) -> str:
        """Return how addresses name it."""
        return f"{self.first.isoformat()}.{self.hour}" if self.hour else self.first.isoformat()

    def interval(self, calendar: Calendar) -> Interval | None:
        """Return its time in a market; None for an hour that the day does not have."""
        whole = calendar.span(DatePeriod(self.first, self.after))
        if not self.hour:
            return whole
        start = whole.start + (self.hour - 1) * _HOUR
        return Interval(start, min(start + _HOUR, whole.end)) if start < whole.end else None


def columns_from(bucket: Bucket, day: date) -> list[Column]:
    """Return the columns that a grid shows around a day: 12 months, 8 quarters, 6 years …"""
    if bucket is Bucket.HOUR:
        return [Column(str(hour), day, day + _ONE, hour) for hour in range(1, 26)]
    if bucket is Bucket.DAY:
        month = DatePeriod.months(day.year, day.month)
        days = [month.first + n * _ONE for n in range((month.after - month.first).days)]
        return [Column(f"{d.day} {d:%b}", d, d + _ONE) for d in days]
    months, count = {Bucket.MONTH: (1, 12), Bucket.QUARTER: (3, 8), Bucket.YEAR: (12, 6)}[bucket]
    number = 12 * day.year + (day.month - 1) // months * months
    edges = [number + months * n for n in range(count + 1)]
    dates = [date(edge // 12, edge % 12 + 1, 1) for edge in edges]
    return [Column(_label(bucket, first), first, after) for first, after in pairwise(dates)]


def _label(bucket: Bucket, first: date) -> str:
    if bucket is Bucket.YEAR:
        return f"Cal {first:%y}"
    if bucket is Bucket.QUARTER:
        return f"Q{(first.month + 2) // 3} {first:%y}"
    return f"{first:%b %y}"


@dataclass(frozen=True, slots=True)
class Cell:
    """
    A sum, bought +, sold −, None where nothing is held; level −5 … 5 of the largest of its unit.
    """

    column: Column
    value: float | None
    level: int


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
    Rows and columns; `unsplit` counts positions of a whole month that hours and days do not show,
    and `unknown` those in a shape that its market no longer knows.
    """

    columns: list[Column]
    rows: list[GridRow] = field(default_factory=list)
    unsplit: int = 0
    unknown: int = 0


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one trade adds to a cell."""

    trade_id: int
    value: float


_KEYS = (
    "book_id", "market_id", "market__code", "market__time_zone", "market__day_start", "unit",
    "basis", "shape", "shape_version", "month", "start", "end", "minutes",
)  # fmt: skip
_Key = tuple[Any, ...]


def position_grid(
    books: Iterable[UUID],
    *,
    columns: Sequence[Column],
    measure: Measure = Measure.EXPOSURE,
    by_book: bool = True,
    stage: Stage = Stage.LIVE,
    cut: datetime | None = None,
) -> Grid:
    """
    Return what some books hold in the columns; at most five queries.

    cut     as recorded by that instant: `services.as_of.settle_books` is called before
    """
    grid = Grid(list(columns))
    part = _within(columns) & Q(book_id__in=list(books), stage=stage)
    profiles = bool(columns[0].hour) or (columns[0].after - columns[0].first).days == 1
    held = _read(part, measure, cut, with_profiles=profiles)
    spread = _Spread(columns, held, grid)
    sums: dict[tuple[UUID | None, int, str, str], dict[Column, float]] = defaultdict(dict)
    for key, number, stored in held:
        row = sums[(key[0] if by_book else None, key[1], key[2], key[5])]
        for column, value in spread.of(key, number, stored):
            row[column] = row.get(column, 0.0) + value
    largest: dict[str, float] = defaultdict(float)
    for (_, _, _, unit), values in sums.items():
        largest[unit] = max([largest[unit], *map(abs, values.values())])
    if columns[0].hour:
        used = {column for values in sums.values() for column in values}
        grid.columns = [c for c in columns if c.hour < 25 or c in used]
    grid.rows = [
        GridRow(
            book_id, market_id, code, unit,
            tuple(
                Cell(c, values.get(c), _level(values.get(c), largest[unit])) for c in grid.columns
            ),
            sum(values.values()),
        )
        for (book_id, market_id, code, unit), values in sums.items()
        if values
    ]  # fmt: skip
    return grid


def cell_trades(
    books: Iterable[UUID],
    *,
    market_id: int,
    unit: str,
    column: Column,
    measure: Measure = Measure.EXPOSURE,
    stage: Stage = Stage.LIVE,
    cut: datetime | None = None,
) -> list[Contribution]:
    """Return what each trade adds to a cell, the largest first; they sum to the cell."""
    grid = Grid([column])
    rows = PositionDelta.objects.filter(
        _within([column]), book_id__in=list(books), market_id=market_id, unit=unit, stage=stage
    )
    if cut is not None:
        rows = rows.filter(recorded_at__lte=cut)
    named = "trade_version__trade_id"
    held: list[tuple[_Key, Any, bytes]] = []
    trades: list[int] = []
    split = bool(column.hour) or (column.after - column.first).days == 1
    stored = f"{measure.value}_profile"
    plain = rows.filter(minutes=0) if split else rows
    for *key, trade_id, number in plain.values_list(*_KEYS, named).annotate(n=Sum(measure.value)):
        held.append((tuple(key), number, b""))
        trades.append(trade_id)
    if split:
        for *key, trade_id, number, row in rows.filter(minutes__gt=0).values_list(
            *_KEYS, named, measure.value, stored
        ):
            held.append((tuple(key), number, row))
            trades.append(trade_id)
    spread = _Spread([column], held, grid)
    sums: dict[int, float] = defaultdict(float)
    for trade_id, (key, number, row) in zip(trades, held, strict=True):
        for _, value in spread.of(key, number, row):
            sums[trade_id] += value
    found = [Contribution(trade_id, value) for trade_id, value in sums.items() if value]
    return sorted(found, key=lambda one: (-abs(one.value), one.trade_id))


def _within(columns: Sequence[Column]) -> Q:
    """Return what may touch the columns: a delivery date lies in its market's month."""
    return Q(month__gte=columns[0].first.replace(day=1), month__lt=columns[-1].after)


def _read(
    part: Q, measure: Measure, cut: datetime | None, *, with_profiles: bool
) -> list[tuple[_Key, Any, bytes]]:
    stored = f"{measure.value}_profile"
    totals = PositionTotal.objects.filter(part)
    if not with_profiles:
        rows = totals.values_list(*_KEYS).annotate(n=Sum(measure.value))
        if cut is not None:
            since = PositionDelta.objects.filter(part, recorded_at__gt=cut)
            rows = rows.union(since.values_list(*_KEYS).annotate(n=-Sum(measure.value)), all=True)
        return [(row[:-1], row[-1], b"") for row in rows]
    if cut is not None:
        # A profile is an array, which the database does not subtract: the deltas up to the cut.
        rows = PositionDelta.objects.filter(part, recorded_at__lte=cut)
        return [
            (row[:-2], row[-2], row[-1])
            for row in rows.values_list(*_KEYS, F(measure.value), F(stored))
        ]
    rows = totals.values_list(*_KEYS, measure.value, stored)
    return [(row[:-2], row[-2], row[-1]) for row in rows]


class _Spread:
    """Spreads positions over columns; whole months go to theirs, the rest is cut by time."""

    def __init__(
        self, columns: Sequence[Column], held: Sequence[tuple[_Key, Any, bytes]], grid: Grid
    ) -> None:
        self._columns = columns
        self._grid = grid
        self._splits = bool(columns[0].hour) or (columns[0].after - columns[0].first).days == 1
        self._by_month = {
            month: column for column in columns for month in _months(column)
        } if not self._splits else {}  # fmt: skip
        self._loads = _loads({(key[2], key[7], key[8]) for key, _, _ in held})
        self._intervals: dict[Calendar, list[tuple[Column, Interval]]] = {}
        self._calendars: dict[tuple[str, timedelta], Calendar] = {}

    def of(self, key: _Key, number: Any, stored: bytes) -> list[tuple[Column, float]]:
        _, _, code, zone, day_start, _, basis, shape, version, month, start, end, minutes = key
        calendar = self._calendars.get((zone, day_start))
        if calendar is None:
            calendar = self._calendars[(zone, day_start)] = Calendar(zone, day_start)
        load = self._loads.get((code, shape, version))
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
            return self._profile(calendar, start, minutes, stored)
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
        self, calendar: Calendar, start: datetime, minutes: int, stored: bytes
    ) -> list[tuple[Column, float]]:
        row = micro(stored)
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


def _months(column: Column) -> list[date]:
    first, found = column.first, []
    while first < column.after:
        found.append(first)
        first = DatePeriod.months(first.year, first.month).after
    return found


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
