"""The fine grid of a shaped curve: delivery days, hours, half hours or quarter hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from energyopti.foundation.calendars import (
    Calendar,
    DatePeriod,
    HolidaySet,
    offset_seconds,
    period_starts,
)
from trading.curves._loads import epoch_seconds
from trading.curves._measures import DayClock, Weighting
from trading.curves._quotes import CurveError

_SECONDS_PER_DAY = 86_400
# 1970-01-01 was a Thursday, 3 days after a Monday.
_EPOCH_WEEKDAY = 3


@dataclass(frozen=True, eq=False)
class DeliveryGrid:
    """
    Hold consecutive delivery periods of a calendar; the only axis is time, in UTC.

    minutes    length of a period, or None for whole delivery days of 23, 24 or 25 hours
    edges      seconds since 1970, shape (periods + 1,)
    """

    calendar: Calendar
    period: DatePeriod
    minutes: int | None
    edges: npt.NDArray[np.int64]
    clock: DayClock

    @classmethod
    def over(cls, calendar: Calendar, period: DatePeriod, *, minutes: int | None) -> DeliveryGrid:
        """
        Return the grid of a run of dates, DST-exact: 92, 96 or 100 quarter hours a day.

        :raises PeriodsDoNotTile: for a day that is not a whole number of periods.
        """
        clock = DayClock.over(calendar, period)
        if minutes is None:
            return cls(calendar, period, None, clock.edges, clock)
        starts = epoch_seconds(period_starts(calendar, period, minutes=minutes))
        return cls(calendar, period, minutes, np.append(starts, clock.edges[-1]), clock)

    def __len__(self) -> int:
        return len(self.edges) - 1

    @property
    def starts(self) -> npt.NDArray[np.datetime64]:
        """Return the UTC start of each period, datetime64[s]."""
        return self.edges[:-1].astype("datetime64[s]")

    @property
    def ends(self) -> npt.NDArray[np.datetime64]:
        """Return the UTC end of each period, datetime64[s]."""
        return self.edges[1:].astype("datetime64[s]")

    @property
    def hours(self) -> npt.NDArray[np.float64]:
        """Return the length of each period in hours."""
        return self.clock.lengths(self.edges, Weighting.HOURS)

    @cached_property
    def day(self) -> npt.NDArray[np.int64]:
        """Return the index of each period's delivery day among the grid's days."""
        index: npt.NDArray[np.int64] = (
            np.searchsorted(self.clock.edges, self.edges[:-1], side="right") - 1
        )
        return index

    @cached_property
    def _wall(self) -> npt.NDArray[np.int64]:
        """Return wall-clock seconds of each start since the delivery day of 1970-01-01 began."""
        day_start = int(self.calendar.day_start.total_seconds())
        seconds = self.edges[:-1]
        wall: npt.NDArray[np.int64] = (
            seconds + offset_seconds(self.calendar, self.starts) - day_start
        )
        return wall

    @cached_property
    def dates(self) -> npt.NDArray[np.datetime64]:
        """Return the delivery date of each period, datetime64[D]."""
        first = self._wall[np.searchsorted(self.edges[:-1], self.clock.edges[:-1])]
        # A day that starts within a repeated or skipped hour may be an hour off its own date.
        number = np.rint(first / _SECONDS_PER_DAY).astype(np.int64)
        return number[self.day].astype("datetime64[D]")

    @property
    def weekday(self) -> npt.NDArray[np.int64]:
        """Return the weekday of each period's delivery day, Monday 0."""
        weekday: npt.NDArray[np.int64] = (self.dates.astype(np.int64) + _EPOCH_WEEKDAY) % 7
        return weekday

    @property
    def month(self) -> npt.NDArray[np.int64]:
        """Return the month of each period's delivery day, 0 for January."""
        month: npt.NDArray[np.int64] = self.dates.astype("datetime64[M]").astype(np.int64) % 12
        return month

    @property
    def minute(self) -> npt.NDArray[np.int64]:
        """Return wall-clock minutes since the delivery day's nominal start, 0 to 1439."""
        minute: npt.NDArray[np.int64] = self._wall % _SECONDS_PER_DAY // 60
        return minute

    def is_day_off(self, holidays: HolidaySet | None) -> npt.NDArray[np.bool_]:
        """
        Say which periods lie on a weekend or a holiday.

        :raises CalendarError: for a date that the holidays do not cover.
        """
        return (self.weekday >= 5) | self.is_holiday(holidays)

    def is_holiday(self, holidays: HolidaySet | None) -> npt.NDArray[np.bool_]:
        """
        Say which periods lie on a holiday.

        :raises CalendarError: for a date that the holidays do not cover.
        """
        if holidays is None:
            return np.zeros(len(self), dtype=bool)
        closed = [day for day in np.unique(self.dates) if day.astype(object) in holidays]
        return np.isin(self.dates, np.array(closed, dtype="datetime64[D]"))


def day_of_week_factors(grid: DeliveryGrid, factors: Sequence[float]) -> npt.NDArray[np.float64]:
    """
    Return a seasonal factor for each period from seven by weekday, Monday first.

    The same serves for terms to be added.

    :raises CurveError: unless there are seven finite numbers.
    """
    table = np.asarray(factors, dtype=float)
    if table.shape != (7,) or not np.isfinite(table).all():
        raise CurveError("factors: give seven finite numbers, Monday first.")
    return table[grid.weekday]
