"""How long a stretch of delivery counts: in hours, or in calendar days of a zone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from energyopti.foundation.calendars import Calendar, DatePeriod
from energyopti.foundation.intervals import Interval
from trading.curves._quotes import CurveDoesNotCover

_SECONDS_PER_HOUR = 3600.0


class Weighting(StrEnum):
    """What a contract's average is weighted by: hours for power, or calendar days."""

    HOURS = "HOURS"
    CALENDAR_DAYS = "CALENDAR_DAYS"


@dataclass(frozen=True, eq=False, slots=True)
class DayClock:
    """
    Count delivery days of a calendar, with fractions by the time elapsed within a day.

    edges    seconds since 1970 at which days start, ascending, shape (days + 1,)
    """

    edges: npt.NDArray[np.int64]

    @classmethod
    def over(cls, calendar: Calendar, period: DatePeriod) -> DayClock:
        """Return the clock of a run of dates."""
        days = [interval for _, interval in calendar.days(period)]
        starts = [int(day.start.timestamp()) for day in days]
        return cls(np.array([*starts, int(days[-1].end.timestamp())], dtype=np.int64))

    @classmethod
    def around(cls, calendar: Calendar, interval: Interval) -> DayClock:
        """Return the clock of the days that an interval touches."""
        first, latest = calendar.date_of(interval.start), calendar.date_of(interval.end)
        return cls.over(calendar, DatePeriod(first, DatePeriod.day(latest).after))

    def days(self, seconds: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """
        Return days since the clock's first day, same shape; 0.5 is half of the first day's hours.

        :raises CurveDoesNotCover: for an instant outside the clock's days.
        """
        if seconds.size and (seconds.min() < self.edges[0] or seconds.max() > self.edges[-1]):
            raise CurveDoesNotCover("instants: outside the days of the curve.")
        count = len(self.edges) - 1
        index = np.minimum(np.searchsorted(self.edges, seconds, side="right") - 1, count - 1)
        elapsed = seconds - self.edges[index]
        found: npt.NDArray[np.float64] = index + elapsed / np.diff(self.edges)[index]
        return found

    def lengths(
        self, edges: npt.NDArray[np.int64], weighting: Weighting
    ) -> npt.NDArray[np.float64]:
        """Return how long each stretch between neighbouring edges counts, shape (edges − 1,)."""
        if weighting is Weighting.HOURS:
            return np.diff(edges) / _SECONDS_PER_HOUR
        return np.diff(self.days(edges))
