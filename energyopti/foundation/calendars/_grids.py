"""Periods of 5 to 60 minutes over delivery days, one by one and as vectors.

A grid starts anew with each delivery day, so the first period of a day always starts with it.
In vectors the only axis is time, in UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from energyopti.foundation.calendars._calendar import Calendar
from energyopti.foundation.calendars._dates import DatePeriod
from energyopti.foundation.calendars._errors import CalendarError, PeriodsDoNotTile
from energyopti.foundation.calendars._shapes import WeeklyShape
from energyopti.foundation.calendars._zones import offset_change
from energyopti.foundation.intervals import Interval, IntervalSet, Remainder

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_ONE_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# 1970-01-01 was a Thursday, 3 days after a Monday.
_EPOCH_WEEKDAY = 3


def periods(
    calendar: Calendar,
    period: DatePeriod,
    *,
    minutes: int,
    remainder: Remainder = Remainder.REFUSE,
) -> tuple[Interval, ...]:
    """
    Return the periods of a run of delivery days: 92, 96 or 100 quarter hours a day.

    remainder   a day that is not a whole number of periods (24.5 h in hours) is refused, or
                ends with a shorter one under `Remainder.SHORT_LAST`.

    :raises PeriodsDoNotTile: naming the first such date.
    :raises CalendarError: if minutes is not a whole number from 1 to 1440.
    """
    step = timedelta(seconds=_step_seconds(minutes))
    found: list[Interval] = []
    for day, delivery in calendar.days(period):
        if remainder is Remainder.REFUSE and delivery.duration % step:
            raise _does_not_tile(calendar, day, delivery, minutes)
        found.extend(delivery.split(step, remainder=remainder))
    return tuple(found)


def count_periods(
    calendar: Calendar,
    period: DatePeriod,
    *,
    minutes: int,
    remainder: Remainder = Remainder.REFUSE,
) -> int:
    """
    Return how many periods `periods` would give, without making them.

    :raises PeriodsDoNotTile: as `periods`.
    """
    step = timedelta(seconds=_step_seconds(minutes))
    count = 0
    for day, delivery in calendar.days(period):
        whole, left_over = divmod(delivery.duration, step)
        if left_over and remainder is Remainder.REFUSE:
            raise _does_not_tile(calendar, day, delivery, minutes)
        count += whole + bool(left_over)
    return count


def period_starts(
    calendar: Calendar,
    period: DatePeriod,
    *,
    minutes: int,
    remainder: Remainder = Remainder.REFUSE,
) -> npt.NDArray[np.datetime64]:
    """
    Return the UTC starts of the same periods as datetime64[s], shape (periods,).

    Ten years of quarter hours (350,688) take some tens of milliseconds.

    :raises PeriodsDoNotTile: as `periods`.
    """
    import numpy as np

    step = _step_seconds(minutes)
    days = list(calendar.days(period))
    if not days:
        return np.empty(0, dtype="datetime64[s]")
    edges = np.array([_epoch_seconds(d.start) for _, d in days] + [_epoch_seconds(days[-1][1].end)])
    left_over = np.diff(edges) % step != 0
    if not left_over.any():
        return np.arange(edges[0], edges[-1], step).astype("datetime64[s]")
    if remainder is Remainder.REFUSE:
        day, delivery = days[int(left_over.argmax())]
        raise _does_not_tile(calendar, day, delivery, minutes)
    pieces = [np.arange(a, b, step) for a, b in pairwise(edges)]
    return np.concatenate(pieces).astype("datetime64[s]")


def offset_seconds(
    calendar: Calendar, instants: npt.NDArray[np.datetime64]
) -> npt.NDArray[np.int64]:
    """
    Return local time minus UTC in seconds for UTC instants in ascending order, same shape.

    Changes of offset are looked for once a day; a zone that changed twice within 24 hours and
    ended where it began would be missed (none has since 1970).

    :raises CalendarError: if the instants are not ascending, or one is NaT.
    """
    import numpy as np

    seconds = instants.astype("datetime64[s]").astype(np.int64)
    if not seconds.size:
        return seconds
    if np.isnat(instants).any() or (np.diff(seconds) < 0).any():
        raise CalendarError("instants: give UTC instants in ascending order, without NaT.")
    changes, offsets = _offset_steps(calendar, int(seconds[0]), int(seconds[-1]))
    index = np.searchsorted(np.array(changes, dtype=np.int64), seconds, side="right")
    return np.array(offsets, dtype=np.int64)[index]


def shape_mask(
    calendar: Calendar, starts: npt.NDArray[np.datetime64], shape: WeeklyShape
) -> npt.NDArray[np.bool_]:
    """
    Say for each period whether it delivers under a shape, judged by its start, same shape.

    starts      UTC, ascending, as from `period_starts`

    :raises CalendarError: for instants outside what the shape's holidays cover.
    """
    import numpy as np

    local = starts.astype("datetime64[s]").astype(np.int64) + offset_seconds(calendar, starts)
    day_number, second = np.divmod(local, 86_400)
    weekday = (day_number + _EPOCH_WEEKDAY) % 7
    mask: npt.NDArray[np.bool_] = np.isin(weekday, sorted(shape.weekdays))
    mask &= (second >= shape.from_minute * 60) & (second < shape.to_minute * 60)
    if shape.holidays is not None:
        epoch_day = _EPOCH.date()
        asked = np.unique(day_number[mask])
        closed = [n for n in asked.tolist() if epoch_day + n * _ONE_DAY in shape.holidays]
        mask &= ~np.isin(day_number, closed)
    return mask


def shaped_delivery(calendar: Calendar, period: DatePeriod, shape: WeeklyShape) -> IntervalSet:
    """
    Return the exact intervals of a run of delivery days in which a shape delivers.

    Off-peak is ``calendar.delivered(period) - shaped_delivery(...)``.

    :raises CalendarError: for dates outside what the shape's holidays cover.
    """
    # A delivery day that starts before midnight (EFA) reaches into the date before, one that
    # starts at 06:00 into the date after: look at both and keep what lies inside.
    civil = DatePeriod(period.first - _ONE_DAY, period.after + _ONE_DAY)
    delivered = calendar.delivered(period)
    opens, closes = timedelta(minutes=shape.from_minute), timedelta(minutes=shape.to_minute)
    windows: list[Interval] = []
    for day in civil.dates():
        midnight = datetime.combine(day, datetime.min.time())
        start, end = calendar.instant(midnight + opens), calendar.instant(midnight + closes)
        if start >= end or not any(d.overlaps(Interval(start, end)) for d in delivered):
            continue
        if shape.delivers_on(day):
            windows.append(Interval(start, end))
    return IntervalSet(windows) & delivered


def _step_seconds(minutes: int) -> int:
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= 1440:
        raise CalendarError(f"minutes: {minutes!r} is not a whole number from 1 to 1440.")
    return minutes * 60


def _does_not_tile(
    calendar: Calendar, day: date, delivery: Interval, minutes: int
) -> PeriodsDoNotTile:
    return PeriodsDoNotTile(
        f"minutes: {day} in {calendar.zone_key} has {float(delivery.hours):g} h, "
        f"which is no whole number of periods of {minutes} min."
    )


def _epoch_seconds(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(seconds=1)


def _offset_steps(calendar: Calendar, first: int, last: int) -> tuple[list[int], list[int]]:
    """Return the changes of offset after `first` up to `last`, and the offsets around them."""
    zone = calendar.zone
    instant = _EPOCH + timedelta(seconds=first)
    end = _EPOCH + timedelta(seconds=last)
    offset = calendar.label(instant).offset
    changes: list[int] = []
    offsets = [offset // timedelta(seconds=1)]
    while instant < end:
        following = min(instant + _ONE_DAY, end)
        if calendar.label(following).offset != offset:
            change = offset_change(zone, instant, following)
            offset = calendar.label(following).offset
            changes.append(_epoch_seconds(change))
            offsets.append(offset // timedelta(seconds=1))
        instant = following
    return changes, offsets
