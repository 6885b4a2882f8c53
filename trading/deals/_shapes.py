"""Which hours a product delivers: base, peaks, EFA blocks, US shapes, wall-clock blocks.

A shape is a window of wall-clock minutes of some weekdays, counted from the start of the
*delivery* day (23:00 of the day before for EFA, 06:00 for gas), minus the shape it is the
complement of. Hours are exact on every day, clock changes of 30 and 60 minutes included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from energyopti.foundation.calendars import Calendar, DatePeriod, HolidaySet
from energyopti.foundation.intervals import Interval, IntervalSet
from trading.deals._errors import DealError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

EVERY_DAY = "1234567"
WORKDAYS = "12345"
_MINUTES_PER_DAY = 1440
_BLOCK = re.compile(r"(?P<ending>HE|H)(?P<first>[0-9]{1,2})-(?P=ending)(?P<last>[0-9]{1,2})", re.I)
_INSTANT = timedelta(microseconds=1)


class HolidayRule(StrEnum):
    """What a shape does on a holiday: nothing special, no delivery, or delivery on any weekday."""

    IGNORE = "IGNORE"
    EXCLUDE = "EXCLUDE"
    INCLUDE = "INCLUDE"


@dataclass(frozen=True, slots=True)
class LoadShape:
    """
    Hold one version of the hours in which a named product delivers.

    weekdays        of the delivery day, as digits, Monday 1 … Sunday 7 (ISO 8601)
    from_minute, to_minute   after the delivery day's start, on the wall clock; 0 to 1440
    holidays        needed unless the rule ignores them
    complement_of   what the shape leaves out of its own window: off-peak is all hours,
                    complement of peak
    valid_from      the first delivery date for which this version is meant
    name            for people; shapes of the same hours are the same under any name

    :raises DealError: naming the field.
    """

    code: str
    version: int = 1
    weekdays: str = EVERY_DAY
    from_minute: int = 0
    to_minute: int = _MINUTES_PER_DAY
    holiday_rule: HolidayRule = HolidayRule.IGNORE
    holidays: HolidaySet | None = None
    complement_of: LoadShape | None = None
    valid_from: date = date.min
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not self.weekdays or re.fullmatch("1?2?3?4?5?6?7?", self.weekdays) is None:
            raise DealError("weekdays", f"{self.weekdays!r} must be digits 1 to 7 in order.")
        if not 0 <= self.from_minute < self.to_minute <= _MINUTES_PER_DAY:
            raise DealError(
                "to_minute",
                f"[{self.from_minute}, {self.to_minute}) must lie within 0..1440; a shape over "
                "the day's end is the complement of one within it.",
            )
        if (self.holiday_rule is HolidayRule.IGNORE) is not (self.holidays is None):
            raise DealError("holidays", "a rule for holidays goes with a set of them.")

    @property
    def has_every_window(self) -> bool:
        """Say whether the shape's own window is every hour, before what it leaves out."""
        return (
            self.weekdays == EVERY_DAY
            and (self.from_minute, self.to_minute) == (0, _MINUTES_PER_DAY)
            and self.holiday_rule is not HolidayRule.EXCLUDE
        )

    @property
    def is_all_hours(self) -> bool:
        """Say whether the shape delivers in every hour."""
        return self.has_every_window and self.complement_of is None

    def delivers_on(self, day: date) -> bool:
        """
        Say whether a delivery date is one of the shape's own days.

        :raises CalendarError: for a date that its holidays do not cover.
        """
        if self.holidays is not None and day in self.holidays:
            return self.holiday_rule is HolidayRule.INCLUDE
        return str(day.isoweekday()) in self.weekdays


BASE = LoadShape("BASE")


def complement(shape: LoadShape, code: str = "OFFPEAK") -> LoadShape:
    """Return the shape of all the other hours, under the same version."""
    return LoadShape(code, shape.version, complement_of=shape, valid_from=shape.valid_from)


def with_peak(peak: LoadShape) -> tuple[LoadShape, ...]:
    """Return base, a peak, and off-peak as what is left."""
    return (BASE, peak, complement(peak))


EEX_SHAPES = with_peak(LoadShape("PEAK", weekdays=WORKDAYS, from_minute=480, to_minute=1200))
"""Continental Europe: peak Monday to Friday 08:00–20:00 local, holidays counted as other days."""

# EFA block 1 starts with the EFA day, at 23:00 local of the day before.
EFA_SHAPES = (
    *with_peak(LoadShape("PEAK", weekdays=WORKDAYS, from_minute=480, to_minute=1200)),
    *(
        LoadShape(f"EFA{number}", from_minute=240 * (number - 1), to_minute=240 * number)
        for number in range(1, 7)
    ),
    LoadShape("EXTPEAK", weekdays=WORKDAYS, from_minute=480, to_minute=1440),
)
"""Great Britain, on days from 23:00: blocks of four hours; peak 07–19, extended 07–23 local."""


def us_shapes(holidays: HolidaySet, *, first_hour_ending: int = 7) -> tuple[LoadShape, ...]:
    """
    Return 5X16 (peak), 2X16, 7X16, 7X8 and off-peak around 16 hours of a US market.

    5X16 leaves holidays out, 2X16 takes weekends and holidays, 7X8 is the night of every day.

    holidays            NERC's, with the dates they cover
    first_hour_ending   7 for HE07–HE22 (06:00–22:00), 8 for HE08–HE23 (07:00–23:00)
    """
    opens = 60 * (first_hour_ending - 1)
    closes = opens + 16 * 60
    excluded, included = HolidayRule.EXCLUDE, HolidayRule.INCLUDE
    weekdays = LoadShape("5X16", 1, WORKDAYS, opens, closes, excluded, holidays)
    weekend = LoadShape("2X16", 1, "67", opens, closes, included, holidays)
    all_days = LoadShape("7X16", 1, EVERY_DAY, opens, closes)
    return (
        *with_peak(LoadShape("PEAK", 1, WORKDAYS, opens, closes, excluded, holidays)),
        weekdays, weekend, all_days, complement(all_days, "7X8"),
    )  # fmt: skip


def block_shape(code: str, day_start: timedelta = timedelta(0)) -> LoadShape | None:
    """
    Return the daily block that a code names, None if it names none.

    ``H08-H20`` names clock times: from 08:00 until 20:00 local, twelve hours. ``HE09-HE20`` names
    the same hours by their endings, the first and the last included; its code is H08-H20 too.
    ``H22-H06`` runs over the end of the civil day. A clock change inside the block makes it an
    hour shorter or longer.

    day_start   of the area's delivery days, relative to midnight

    :raises DealError: for hours that are not on the clock, or no hours.
    """
    match = _BLOCK.fullmatch(code)
    if match is None:
        return None
    opens, closes = int(match["first"]), int(match["last"])
    if match["ending"].upper() == "HE":
        opens -= 1
    if not (0 <= opens <= 23 and 0 <= closes <= 24) or opens == closes:
        raise DealError("product", f"{code} names no hours of the day; write it like H08-H20.")
    name = f"H{opens:02d}-H{closes:02d}"
    start = (60 * opens - day_start // timedelta(minutes=1)) % _MINUTES_PER_DAY
    length = 60 * (closes - opens) % _MINUTES_PER_DAY or _MINUTES_PER_DAY
    end = start + length
    if end <= _MINUTES_PER_DAY:
        return LoadShape(name, from_minute=start, to_minute=end)
    if length == _MINUTES_PER_DAY:
        return LoadShape(name)
    rest = LoadShape("REST", from_minute=end - _MINUTES_PER_DAY, to_minute=start)
    return LoadShape(name, complement_of=rest)


def shape_intervals(calendar: Calendar, shape: LoadShape, interval: Interval) -> IntervalSet:
    """
    Return the exact intervals in which a shape delivers within an interval.

    :raises CalendarError: for dates that the shape's holidays do not cover.
    """
    frame = IntervalSet((interval,))
    if shape.is_all_hours:
        return frame
    own = frame
    if not shape.has_every_window:
        own = IntervalSet(_windows(calendar, shape, interval)) & frame
    if shape.complement_of is None:
        return own
    return own - shape_intervals(calendar, shape.complement_of, interval)


def shape_delivery(calendar: Calendar, shape: LoadShape, period: DatePeriod) -> IntervalSet:
    """
    Return the exact intervals in which a shape delivers over a run of delivery days.

    Empty where the zone skipped all of the dates.

    :raises CalendarError: for dates that the shape's holidays do not cover.
    """
    hull = calendar.delivered(period).hull
    return IntervalSet() if hull is None else shape_intervals(calendar, shape, hull)


def _windows(calendar: Calendar, shape: LoadShape, interval: Interval) -> Iterator[Interval]:
    day, last = calendar.date_of(interval.start), calendar.date_of(interval.end - _INSTANT)
    opens = calendar.day_start + timedelta(minutes=shape.from_minute)
    closes = calendar.day_start + timedelta(minutes=shape.to_minute)
    while day <= last:
        if shape.delivers_on(day):
            midnight = datetime.combine(day, time())
            start, end = calendar.instant(midnight + opens), calendar.instant(midnight + closes)
            # A block that the clock skipped has no hours on that day.
            if start < end:
                yield Interval(start, end)
        day += timedelta(days=1)


def shape_seconds(
    calendar: Calendar, shape: LoadShape, starts: npt.NDArray[np.datetime64], *, minutes: int
) -> npt.NDArray[np.int64]:
    """
    Return how many seconds of each grid period a shape delivers in, shape (periods,), exact.

    starts    UTC, ascending, as from `period_starts`; period i lasts `minutes` from starts[i]

    A quarter hour under a shape on the hour has 900 or 0; one that the shape cuts has its part.
    """
    import numpy as np

    begin = starts.astype("datetime64[s]").astype(np.int64)
    if not begin.size:
        return begin
    end = begin + minutes * 60
    hull = Interval(_instant(int(begin[0])), _instant(int(end[-1])))
    windows = shape_intervals(calendar, shape, hull)
    edges = np.array(
        [(int(w.start.timestamp()), int(w.end.timestamp())) for w in windows], dtype=np.int64
    ).reshape(-1, 2)
    before = np.concatenate(([0], np.cumsum(edges[:, 1] - edges[:, 0])))

    def delivered_until(instants: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        index = np.searchsorted(edges[:, 0], instants, side="right")
        inside = np.zeros_like(instants)
        within = index > 0
        inside[within] = np.maximum(edges[index[within] - 1, 1] - instants[within], 0)
        found: npt.NDArray[np.int64] = before[index] - inside
        return found

    return delivered_until(end) - delivered_until(begin)


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True)
class MonthPart:
    """
    One delivery month of a period, or the part of it that the period covers.

    month       first day of the month in the area's calendar
    interval    from the part's first delivery day to the end of its last, UTC
    hours       that the shape delivers in it, exact
    days        delivery days with hours of the shape
    is_whole    whether the part is all of the month
    """

    month: date
    interval: Interval
    hours: Fraction
    days: int
    is_whole: bool


def month_parts(calendar: Calendar, shape: LoadShape, period: DatePeriod) -> tuple[MonthPart, ...]:
    """
    Return a period's delivery by month of its calendar; months without hours are absent.

    :raises CalendarError: for dates that the shape's holidays do not cover.
    """
    found, first = [], period.first
    while first < period.after:
        month_end = DatePeriod.months(first.year, first.month).after
        part = _part(calendar, shape, first, min(month_end, period.after))
        if part is not None:
            found.append(part)
        first = month_end
    return tuple(found)


# Ten thousand deals of a desk share a few hundred months and shapes.
@lru_cache(maxsize=32_768)
def _part(calendar: Calendar, shape: LoadShape, first: date, after: date) -> MonthPart | None:
    period = DatePeriod(first, after)
    delivered = calendar.delivered(period).hull
    if delivered is None:
        return None
    hours = shape_intervals(calendar, shape, delivered).hours
    if not hours:
        return None
    days = (after - first).days
    if not shape.is_all_hours:
        days = sum(bool(shape_intervals(calendar, shape, day)) for _, day in calendar.days(period))
    whole = DatePeriod.months(first.year, first.month)
    return MonthPart(first.replace(day=1), delivered, hours, days, period == whole)
