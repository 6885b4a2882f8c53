"""Codes of delivery contracts ("Cal27", "Q1-27", "Jan27") and the intervals they deliver."""

import re
from datetime import date, timedelta

from energyopti.foundation.calendars import Calendar, DatePeriod
from energyopti.foundation.intervals import Interval

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_QUARTERS = {1: 1, 4: 2, 7: 3, 10: 4}
_GAS_YEAR = re.compile(r"(?:gas[ _-]?year|gy)[ _-]?(\d{4}|\d{2})")
_WEEKEND = re.compile(r"(?:weekend|wkend|we)[ _-]?(\d{1,2})[ _-](\d{4}|\d{2})")
_TWO_DAYS = timedelta(days=2)


def contract_period(code: str) -> DatePeriod:
    """
    Return the dates that a contract delivers on.

    Besides the names that `DatePeriod.parse` reads (Cal27, Q1-2027, Win-27, Mar27, W05-27,
    2027-03-28): GasYear-2027, October 2027 to September 2028, and WkEnd05-27, Saturday and Sunday
    of ISO week 5.

    :raises CalendarError: if the code names no delivery period.
    """
    text = code.strip().lower()
    if (match := _GAS_YEAR.fullmatch(text)) is not None:
        return DatePeriod.months(_year(match[1]), 10, 12)
    if (match := _WEEKEND.fullmatch(text)) is not None:
        week = DatePeriod.iso_week(_year(match[2]), int(match[1]))
        return DatePeriod(week.after - _TWO_DAYS, week.after)
    return DatePeriod.parse(code)


def _year(digits: str) -> int:
    return int(digits) + (2000 if len(digits) == 2 else 0)


def contract_interval(code: str, calendar: Calendar) -> Interval:
    """
    Return the delivery of a contract in the market's zone: "Mar27" has 743 hours in Berlin.

    :raises CalendarError: if the code names no delivery period.
    """
    return calendar.span(contract_period(code))


def contract_code(first: date, months: int) -> str:
    """
    Return the code of a contract of 1, 3 or 12 months from the first day of a month.

    :raises ValueError: if no contract starts there or lasts that long.
    """
    year = f"{first.year % 100:02d}"
    if first.day == 1 and months == 1:
        return f"{_MONTHS[first.month - 1]}{year}"
    if first.day == 1 and months == 3 and first.month in _QUARTERS:
        return f"Q{_QUARTERS[first.month]}-{year}"
    if first.day == 1 and months == 12 and first.month == 1:
        return f"Cal{year}"
    raise ValueError(f"months: no contract of {months} months starts on {first}.")
