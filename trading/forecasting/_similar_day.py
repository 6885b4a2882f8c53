"""The naive of the trade: tomorrow looks like yesterday, or like a week ago around weekends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from energyopti.foundation.calendars import (
    Calendar,
    DatePeriod,
    offset_seconds,
    period_starts,
)
from trading.forecasting._history import PointForecast, PriceHistory

_DAY_BEFORE = frozenset({1, 2, 3, 4})  # Tuesday to Friday


@dataclass(frozen=True, slots=True)
class SimilarDayNaive:
    """
    Repeat the day before for Tuesday to Friday, the day a week before for Saturday to Monday.

    Periods are matched by what the clock on the wall shows. Where clocks change, a wall time that
    the similar day has twice gives the mean of both; one that it skipped is interpolated between
    its neighbors; both passes of a repeated hour get the one value of the similar day.

    Source: J. Lago et al., Applied Energy 293 (2021) 116983, the benchmark's standard naive.
    """

    name: ClassVar[str] = "similar-day"
    version: ClassVar[str] = "1"
    days_of_history: ClassVar[int] = 7

    def forecast(self, history: PriceHistory, delivery_date: date) -> PointForecast:
        """
        Return the similar day's prices at the delivery day's periods.

        :raises MissingHistory: if a price of the similar day is not known.
        """
        source_starts, source_values = history.day(self.similar_day(delivery_date))
        starts = period_starts(
            history.calendar, DatePeriod.day(delivery_date), minutes=history.minutes
        )
        wall = _seconds_of_day(history.calendar, starts)
        source_wall = _seconds_of_day(history.calendar, source_starts)
        labels, index = np.unique(source_wall, return_inverse=True)
        means = np.bincount(index, source_values) / np.bincount(index)
        # Exact at labels that are there; linear between the neighbors of one that was skipped.
        values = np.interp(wall, labels, means)
        return PointForecast(starts, values, history.minutes)

    @staticmethod
    def similar_day(delivery_date: date) -> date:
        """Return the day that a delivery day is expected to look like."""
        back = 1 if delivery_date.weekday() in _DAY_BEFORE else 7
        return delivery_date - timedelta(days=back)


def _seconds_of_day(
    calendar: Calendar, starts: npt.NDArray[np.datetime64]
) -> npt.NDArray[np.int64]:
    """Return what the wall clock shows, in seconds after midnight, same shape."""
    local = starts.astype("datetime64[s]").astype(np.int64) + offset_seconds(calendar, starts)
    wall: npt.NDArray[np.int64] = local % 86_400
    return wall
