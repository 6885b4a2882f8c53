"""Runs of calendar dates and their names (cal27, q1_27, win27), still without a zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from energyopti.foundation.calendars._errors import CalendarError

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class DatePeriod:
    """
    Hold a run of calendar days ``[first, after)``, still without a zone.

    :raises CalendarError: if it holds no day.
    """

    first: date
    after: date

    def __post_init__(self) -> None:
        if self.after <= self.first:
            raise CalendarError(f"after: {self.after} must be later than first {self.first}.")

    @classmethod
    def day(cls, day: date) -> Self:
        """Return one date."""
        if day == date.max:
            raise CalendarError(f"day: {day} is the last of the calendar.")
        return cls(day, day + _ONE_DAY)

    @classmethod
    def months(cls, year: int, month: int, count: int = 1) -> Self:
        """Return `count` whole months from the given one."""
        if not 1 <= month <= 12:
            raise CalendarError(f"month: {month} is not in 1..12.")
        if count < 1:
            raise CalendarError(f"count: {count} months is not a period.")
        years, index = divmod(month - 1 + count, 12)
        try:
            return cls(date(year, month, 1), date(year + years, index + 1, 1))
        except ValueError as error:
            raise CalendarError(f"year: {year} is outside the calendar ({error}).") from error

    @classmethod
    def quarter(cls, year: int, quarter: int) -> Self:
        """Return a calendar quarter, 1..4."""
        if not 1 <= quarter <= 4:
            raise CalendarError(f"quarter: {quarter} is not in 1..4.")
        return cls.months(year, 3 * quarter - 2, 3)

    @classmethod
    def year(cls, year: int) -> Self:
        """Return a calendar year."""
        return cls.months(year, 1, 12)

    @classmethod
    def summer(cls, year: int) -> Self:
        """Return the summer season, April to September, of the year."""
        return cls.months(year, 4, 6)

    @classmethod
    def winter(cls, year: int) -> Self:
        """Return the winter season, October of the year to March of the next."""
        return cls.months(year, 10, 6)

    @classmethod
    def iso_week(cls, year: int, week: int) -> Self:
        """Return an ISO 8601 week, Monday to Sunday."""
        try:
            monday = date.fromisocalendar(year, week, 1)
        except ValueError as error:
            raise CalendarError(f"week: {error}.") from error
        return cls(monday, monday + 7 * _ONE_DAY)

    @classmethod
    def parse(cls, text: str) -> DatePeriod:
        """
        Read a period's name, in upper or lower case.

        ``cal27  year2027  2027 · q1_27  2027-Q1 · mar27  2027-03 · summer27 · win27 (October
        2027 to March 2028) · w05_27  2027-W05 · 2027-03-28``. Two-digit years are 20xx.

        :raises CalendarError: if the text is none of these.
        """
        return _parse_period(text)

    def dates(self) -> Iterator[date]:
        """Walk the dates from the first."""
        day = self.first
        while day < self.after:
            yield day
            day += _ONE_DAY


_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_YEAR = r"(?P<year>\d{4}|\d{2})"
_PERIOD_FORMS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("year", rf"(?:cal|year|y)[ _-]?{_YEAR}|(?P<iso_year>\d{{4}})"),
        ("quarter", rf"q(?P<n>[1-4])[ _-]?{_YEAR}|(?P<iso_year>\d{{4}})[ _-]?q(?P<iso_n>[1-4])"),
        ("month", rf"(?P<name>{'|'.join(_MONTHS)})[ _-]?{_YEAR}"),
        ("month", r"(?P<iso_year>\d{4})-(?P<iso_n>\d{2})"),
        ("summer", rf"(?:summer|sum)[ _-]?{_YEAR}"),
        ("winter", rf"(?:winter|win)[ _-]?{_YEAR}"),
        ("week", rf"w(?P<n>\d{{1,2}})[ _-]{_YEAR}|(?P<iso_year>\d{{4}})-w(?P<iso_n>\d{{2}})"),
    )
)


def _parse_period(text: str) -> DatePeriod:
    cleaned = text.strip().lower()
    try:
        return (
            DatePeriod.day(date.fromisoformat(cleaned)) if len(cleaned) == 10 else _named(cleaned)
        )
    except ValueError as error:
        raise CalendarError(
            f"period: {text!r} is not a delivery period ({error}); "
            "write it like cal27, q1_27, mar27, 2027-03, summer27, win27 or 2027-W05."
        ) from error


def _named(text: str) -> DatePeriod:
    for kind, form in _PERIOD_FORMS:
        match = form.fullmatch(text)
        if match is None:
            continue
        found = {key: value for key, value in match.groupdict().items() if value is not None}
        digits = found.get("year") or found["iso_year"]
        year = int(digits) + (2000 if len(digits) == 2 else 0)
        if kind == "year":
            return DatePeriod.year(year)
        if kind == "summer":
            return DatePeriod.summer(year)
        if kind == "winter":
            return DatePeriod.winter(year)
        if "name" in found:
            return DatePeriod.months(year, _MONTHS.index(found["name"]) + 1)
        number = int(found.get("n") or found["iso_n"])
        if kind == "quarter":
            return DatePeriod.quarter(year, number)
        if kind == "week":
            return DatePeriod.iso_week(year, number)
        return DatePeriod.months(year, number)
    raise CalendarError("unknown name")
