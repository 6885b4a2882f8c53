"""Which hours a load delivers in: base, peak, off-peak, EFA blocks, 5x16, as exact UTC hours."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

import numpy as np
import numpy.typing as npt

from energyopti.foundation.calendars import (
    Calendar,
    DatePeriod,
    HolidaySet,
    NoSuchLocalDay,
    WeeklyShape,
    shaped_delivery,
)
from energyopti.foundation.intervals import Interval, IntervalSet
from trading.curves._quotes import BASE, CurveError


def epoch_seconds(instants: npt.NDArray[np.datetime64]) -> npt.NDArray[np.int64]:
    """Return UTC instants as whole seconds since 1970, same shape."""
    seconds: npt.NDArray[np.int64] = instants.astype("datetime64[s]").astype(np.int64)
    return seconds


def bounds_in_seconds(interval: Interval) -> tuple[int, int]:
    """Return the bounds of an interval in seconds since 1970."""
    return int(interval.start.timestamp()), int(interval.end.timestamp())


@dataclass(frozen=True, eq=False, slots=True)
class LoadHours:
    """
    Hold the instants at which a load delivers, as seconds since 1970.

    edges     int64, ascending: start, end, start, end …; [start, end) delivers
    covers    the span that the hours were worked out for; outside nothing is known

    :raises CurveError: for the code BASE, which needs no hours, or edges out of order.
    """

    code: str
    edges: npt.NDArray[np.int64]
    covers: Interval

    def __post_init__(self) -> None:
        if self.code == BASE:
            raise CurveError("code: BASE delivers always; it is not given as hours.")
        if len(self.edges) % 2 or (np.diff(self.edges) <= 0).any():
            raise CurveError(f"edges: {self.code} must be pairs of ascending bounds.")

    @classmethod
    def of(cls, code: str, hours: IntervalSet, *, covers: Interval) -> Self:
        """Return a load from its intervals; those outside `covers` are cut off."""
        inside = hours & IntervalSet((covers,))
        edges = [edge for interval in inside for edge in bounds_in_seconds(interval)]
        return cls(code, np.array(edges, dtype=np.int64), covers)

    @classmethod
    def weekly(
        cls, code: str, calendar: Calendar, period: DatePeriod, *shapes: WeeklyShape
    ) -> Self:
        """
        Return the union of weekly shapes over delivery days, by the wall clock.

        EEX peak is Monday to Friday 08:00–20:00; 5x16 carries the NERC holidays.

        :raises CalendarError: for dates outside what the holidays cover.
        """
        delivered = IntervalSet(
            interval for shape in shapes for interval in shaped_delivery(calendar, period, shape)
        )
        return cls.of(code, delivered, covers=calendar.span(period))

    @classmethod
    def blocks(
        cls,
        code: str,
        calendar: Calendar,
        period: DatePeriod,
        *,
        start: timedelta,
        end: timedelta,
        weekdays: Collection[int] = range(7),
        holidays: HolidaySet | None = None,
    ) -> Self:
        """
        Return a block of each delivery day, counted from the day's own start (EFA blocks).

        weekdays    of the delivery day, Monday 0: EFA Monday starts on Sunday at 23:00
        holidays    delivery days without this load
        """
        found = []
        for day in period.dates():
            if day.weekday() not in weekdays or (holidays is not None and day in holidays):
                continue
            try:
                found.append(calendar.block(day, start, end))
            except NoSuchLocalDay:
                continue  # the clock skipped the whole block that day
        return cls.of(code, IntervalSet(found), covers=calendar.span(period))

    def complement(self, code: str) -> LoadHours:
        """Return the other hours: off-peak is the complement of peak."""
        start, end = bounds_in_seconds(self.covers)
        inner = np.concatenate([[start], self.edges, [end]])
        pairs = inner.reshape(-1, 2)
        kept = pairs[pairs[:, 0] < pairs[:, 1]]
        return LoadHours(code, kept.ravel(), self.covers)

    def delivers(self, seconds: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """
        Say for instants in seconds since 1970 whether the load delivers, same shape.

        :raises CurveError: for an instant outside what the hours cover.
        """
        start, end = bounds_in_seconds(self.covers)
        if seconds.size and (seconds.min() < start or seconds.max() >= end):
            raise CurveError(f"load: the hours of {self.code} are known only in {self.covers}.")
        delivers: npt.NDArray[np.bool_] = (
            np.searchsorted(self.edges, seconds, side="right") % 2 == 1
        )
        return delivers
