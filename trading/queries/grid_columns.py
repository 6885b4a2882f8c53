"""The columns of a grid of positions: hours, days, months, quarters, years of delivery."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from energyopti.foundation.calendars import Calendar, DatePeriod
from energyopti.foundation.intervals import Interval

_ONE = timedelta(days=1)
_HOUR = timedelta(hours=1)


class Bucket(StrEnum):
    """How long a column is."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


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


def months_of(column: Column) -> list[date]:
    """Return the first days of the months of a column."""
    first, found = column.first, []
    while first < column.after:
        found.append(first)
        first = DatePeriod.months(first.year, first.month).after
    return found
