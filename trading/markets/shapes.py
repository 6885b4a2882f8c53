"""Hours of a product, pure: from a definition by delivery day to shapes on the wall clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from energyopti.foundation.calendars import (
    Calendar,
    DatePeriod,
    HolidaySet,
    WeeklyShape,
    shape_mask,
    shaped_delivery,
)
from energyopti.foundation.intervals import IntervalSet

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_DAY = 1440
EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True, slots=True)
class ShapeDefinition:
    """
    One version of a named product's hours: those of `windows` without those of `minus`.

    windows, minus   on the wall clock of civil days; what crosses midnight is in two pieces.
    """

    calendar: str
    code: str
    version: int
    name: str
    valid_from: date
    windows: tuple[WeeklyShape, ...]
    minus: tuple[WeeklyShape, ...] = ()

    @property
    def is_base(self) -> bool:
        """Say whether it delivers in all hours."""
        return not self.minus and any(
            w.weekdays == EVERY_DAY
            and (w.from_minute, w.to_minute) == (0, _DAY)
            and w.holidays is None
            for w in self.windows
        )

    def delivered(self, calendar: Calendar, period: DatePeriod) -> IntervalSet:
        """
        Return the exact intervals of a run of delivery days in which it delivers.

        :raises CalendarError: for dates that its holidays do not cover.
        """
        if self.is_base:
            return calendar.delivered(period)
        hours = _union(calendar, period, self.windows)
        return hours - _union(calendar, period, self.minus) if self.minus else hours

    def mask(self, calendar: Calendar, starts: npt.NDArray[np.datetime64]) -> npt.NDArray[np.bool_]:
        """
        Say for each period by its UTC start (ascending) whether it delivers, same shape.

        :raises CalendarError: for instants that its holidays do not cover.
        """
        import numpy as np

        mask = np.zeros(starts.shape, dtype=bool)
        for window in self.windows:
            mask |= shape_mask(calendar, starts, window)
        for window in self.minus:
            mask &= ~shape_mask(calendar, starts, window)
        return mask


def wall_clock_windows(
    *,
    name: str,
    version: str,
    weekdays: frozenset[int],
    from_minute: int,
    to_minute: int,
    day_start: timedelta,
    holidays: HolidaySet | None = None,
) -> tuple[WeeklyShape, ...]:
    """
    Return a window that is counted from the delivery day's start as shapes of civil days.

    weekdays    of the delivery day, Monday 0. EFA block 1 of a Monday is Sunday from 23:00 and
                Monday to 03:00.

    :raises CalendarError: for weekdays or minutes out of range.
    """
    if weekdays == EVERY_DAY and (from_minute, to_minute) == (0, _DAY) and holidays is None:
        return (WeeklyShape(name, version, EVERY_DAY, 0, _DAY),)
    offset = day_start // timedelta(minutes=1)
    opens, closes = offset + from_minute, offset + to_minute
    pieces = []
    for days in (-1, 0, 1):
        first, last = max(opens, days * _DAY), min(closes, (days + 1) * _DAY)
        if first < last:
            pieces.append(
                WeeklyShape(
                    name,
                    version,
                    frozenset((weekday + days) % 7 for weekday in weekdays),
                    first - days * _DAY,
                    last - days * _DAY,
                    _moved(holidays, days),
                )
            )
    return tuple(pieces)


def _moved(holidays: HolidaySet | None, days: int) -> HolidaySet | None:
    if holidays is None or not days:
        return holidays
    step = timedelta(days=days)
    return HolidaySet(
        holidays.name,
        holidays.version,
        DatePeriod(holidays.covers.first + step, holidays.covers.after + step),
        frozenset(day + step for day in holidays.dates),
    )


def _union(calendar: Calendar, period: DatePeriod, windows: tuple[WeeklyShape, ...]) -> IntervalSet:
    found = IntervalSet()
    for window in windows:
        found = found | shaped_delivery(calendar, period, window)
    return found
