"""Codes of delivery contracts ("Cal27", "Q1-27", "Jan27") and the intervals they deliver."""

from datetime import date

from energyopti.foundation.calendars import Calendar, DatePeriod
from energyopti.foundation.intervals import Interval

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_QUARTERS = {1: 1, 4: 2, 7: 3, 10: 4}


def contract_interval(code: str, calendar: Calendar) -> Interval:
    """
    Return the delivery of a contract in the market's zone: "Mar27" has 743 hours in Berlin.

    :raises CalendarError: if the code names no delivery period.
    """
    return calendar.span(DatePeriod.parse(code))


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
