"""Weekly shapes of delivery (base, peak) with holidays given as versioned data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from energyopti.foundation.calendars._dates import DatePeriod
from energyopti.foundation.calendars._errors import CalendarError


@dataclass(frozen=True, slots=True)
class HolidaySet:
    """
    Hold a market's holidays as versioned data, with the dates that the list speaks for.

    :raises CalendarError: if a holiday lies outside the covered dates.
    """

    name: str
    version: str
    covers: DatePeriod
    dates: frozenset[date]

    def __post_init__(self) -> None:
        outside = sorted(d for d in self.dates if not self.covers.first <= d < self.covers.after)
        if outside:
            raise CalendarError(f"dates: {outside[0]} is outside what {self.name} covers.")

    def __contains__(self, day: date) -> bool:
        """
        Say whether the date is a holiday.

        :raises CalendarError: for a date that the list does not cover; silence is not "no".
        """
        if not self.covers.first <= day < self.covers.after:
            raise CalendarError(
                f"holidays: {self.name} {self.version} covers {self.covers.first} to before "
                f"{self.covers.after}, not {day}."
            )
        return day in self.dates


@dataclass(frozen=True, slots=True)
class WeeklyShape:
    """
    Hold which wall-clock hours of which weekdays a product delivers in (a peak).

    weekdays            Monday 0 … Sunday 6
    from_minute/to_minute   minutes after local midnight, 0 ≤ from < to ≤ 1440
    holidays            dates without delivery (US 5x16 by NERC), or None where holidays
                        count like other days (EEX peak)

    :raises CalendarError: for weekdays or minutes out of range.
    """

    name: str
    version: str
    weekdays: frozenset[int]
    from_minute: int
    to_minute: int
    holidays: HolidaySet | None = None

    def __post_init__(self) -> None:
        if not self.weekdays or not self.weekdays <= frozenset(range(7)):
            raise CalendarError(f"weekdays: {sorted(self.weekdays)} must be some of 0..6.")
        if not 0 <= self.from_minute < self.to_minute <= 1440:
            raise CalendarError(
                f"to_minute: [{self.from_minute}, {self.to_minute}) must lie within 0..1440; "
                "a shape over midnight is two shapes."
            )

    def delivers_on(self, day: date) -> bool:
        """Say whether the shape has delivery on a date."""
        if day.weekday() not in self.weekdays:
            return False
        return self.holidays is None or day not in self.holidays
