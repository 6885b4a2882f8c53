"""A zone's dates as UTC intervals: power, gas and EFA days, months and years."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from energyopti.foundation.calendars._dates import DatePeriod
from energyopti.foundation.calendars._errors import CalendarError, NoSuchLocalDay
from energyopti.foundation.calendars._zones import LocalLabel, offset_change, zone
from energyopti.foundation.intervals import Interval, IntervalSet, as_utc

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """
    Turn the dates of a zone into UTC intervals.

    day_start is the wall-clock time, relative to midnight, at which a date's delivery day
    starts: 0 for power, +6 h for the EU gas day, −1 h for the EFA day. A date's day lasts
    until the next date's day starts, so days always tile the UTC line, with 23, 24 or 25
    hours, or 23.5 and 24.5 where clocks move by 30 minutes.

    A start that falls into a skipped stretch of the clock is the instant of the change; one
    that occurs twice is its first occurrence.

    :raises UnknownZone: if the zone is not in the pinned database.
    :raises CalendarError: if day_start is a day or more.
    """

    zone_key: str
    day_start: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        zone(self.zone_key)
        if abs(self.day_start) >= _ONE_DAY:
            raise CalendarError(f"day_start: {self.day_start} must be less than a day.")

    @classmethod
    def gas(cls, zone_key: str, *, start: timedelta = timedelta(hours=6)) -> Self:
        """Return the calendar of gas days; 06:00 local unless the market says otherwise."""
        return cls(zone_key, start)

    @classmethod
    def efa(cls, zone_key: str = "Europe/London") -> Self:
        """Return the calendar of EFA days, which start at 23:00 local of the day before."""
        return cls(zone_key, timedelta(hours=-1))

    @property
    def zone(self) -> ZoneInfo:
        """Return the zone, from the pinned database."""
        return zone(self.zone_key)

    def instant(self, wall: datetime) -> datetime:
        """
        Return the first UTC instant at which the clock shows `wall` or, if it skips it, later.

        :raises CalendarError: if `wall` carries a zone of its own, or is outside years 1..9999.
        """
        if wall.tzinfo is not None:
            raise CalendarError(f"wall: {wall.isoformat()} must be naive local time.")
        try:
            before = wall.replace(tzinfo=self.zone, fold=0).astimezone(UTC)
            after = wall.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        except OverflowError as error:
            raise CalendarError(f"wall: {wall.isoformat()} is outside the calendar.") from error
        if after >= before:
            return before
        # A gap: the two readings lie on either side of the change.
        return offset_change(self.zone, after, before)

    def label(self, instant: datetime) -> LocalLabel:
        """Return what the zone's clock shows at an aware instant."""
        local = as_utc(instant).astimezone(self.zone)
        offset = local.utcoffset()
        assert offset is not None
        return LocalLabel(local.replace(tzinfo=None, fold=0), local.fold, offset)

    def start_of(self, day: date) -> datetime:
        """Return the UTC instant at which a date's delivery day starts."""
        while self._is_skipped(day):
            day += _ONE_DAY
        return self.instant(datetime.combine(day, time()) + self.day_start)

    def _is_skipped(self, day: date) -> bool:
        midnight = datetime.combine(day, time())
        return self.instant(midnight) == self.instant(midnight + _ONE_DAY)

    def span(self, period: DatePeriod) -> Interval:
        """
        Return a period's delivery, from the first date's start to that of the date after.

        :raises NoSuchLocalDay: if the zone skipped all of the period's dates.
        """
        start, end = self.start_of(period.first), self.start_of(period.after)
        if start == end:
            raise NoSuchLocalDay(f"date: {period.first} never happened in {self.zone_key}.")
        return Interval(start, end)

    def day(self, day: date) -> Interval:
        """
        Return a date's delivery day.

        :raises NoSuchLocalDay: if the zone skipped the date.
        """
        return self.span(DatePeriod.day(day))

    def month(self, year: int, month: int) -> Interval:
        """Return a month of delivery days: a gas month starts at 06:00 local on the first."""
        return self.span(DatePeriod.months(year, month))

    def year(self, year: int) -> Interval:
        """Return a year of delivery days."""
        return self.span(DatePeriod.year(year))

    def block(self, day: date, start: timedelta, end: timedelta) -> Interval:
        """
        Return the part of a delivery day between two wall-clock times after its start.

        EFA block 1 is ``block(day, 0 h, 4 h)``: 23:00 to 03:00, 3 or 5 hours on a clock change.

        :raises CalendarError: unless 0 ≤ start < end ≤ 24 h.
        :raises NoSuchLocalDay: if the clock skipped the block.
        """
        if not timedelta(0) <= start < end <= _ONE_DAY:
            raise CalendarError(f"end: the block {start} to {end} must lie within one day.")
        opening = datetime.combine(day, time()) + self.day_start
        first, last = self.instant(opening + start), self.instant(opening + end)
        if first == last:
            raise NoSuchLocalDay(f"block: {opening + start} was skipped in {self.zone_key}.")
        return Interval(first, last)

    def delivered(self, period: DatePeriod) -> IntervalSet:
        """Return a period's delivery as a set, empty where the zone skipped all its dates."""
        start, end = self.start_of(period.first), self.start_of(period.after)
        return IntervalSet() if start == end else IntervalSet((Interval(start, end),))

    def days(self, period: DatePeriod) -> Iterator[tuple[date, Interval]]:
        """Walk the dates that exist in the zone, each with its delivery day."""
        start = self.start_of(period.first)
        for day in period.dates():
            end = self.start_of(day + _ONE_DAY)
            if start < end:
                yield day, Interval(start, end)
            start = end

    def date_of(self, instant: datetime) -> date:
        """Return the date whose delivery day holds an aware instant."""
        utc = as_utc(instant)
        day = (self.label(utc).wall - self.day_start).date()
        # The clock alone can be one off in a repeated or skipped stretch around the start.
        while self.start_of(day) > utc:
            day -= _ONE_DAY
        while self.start_of(day + _ONE_DAY) <= utc:
            day += _ONE_DAY
        return day
