"""Days on which banks do not pay, computed by rule: TARGET for EUR, the Federal Reserve, the UK."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

from dateutil.easter import easter

from .nerc import first_weekday_from, kept_on_monday, monday_not_after

_ONE_DAY = timedelta(days=1)
Days = tuple[tuple[date, str], ...]
Rule = Callable[[int], Iterator[tuple[date, str]]]


def target_holidays(first_year: int, last_year: int) -> Days:
    """
    Return the closing days of T2 (TARGET) from a year to another, both whole, by date.

    They are not moved from weekends. Source: ECB, long-term calendar for TARGET closing days, in
    force since 2002.
    """
    return _sorted(first_year, last_year, _target)


def fed_holidays(first_year: int, last_year: int) -> Days:
    """
    Return the holidays of the Federal Reserve Banks from a year to another, both whole, by date.

    One on a Sunday is kept on the Monday after; for one on a Saturday the Friday before is open.
    Source: Federal Reserve, holiday schedule; Juneteenth since 2022.
    """
    return _sorted(first_year, last_year, _fed)


def uk_bank_holidays(first_year: int, last_year: int) -> Days:
    """
    Return the bank holidays of England and Wales from a year to another, both whole, by date.

    One on a weekend is kept on the next weekday that is none. Days by proclamation, such as those
    of 2022 and 2023, follow no rule: a later version of the calendar brings them.
    Source: Banking and Financial Dealings Act 1971, schedule 1, and the yearly proclamations.
    """
    return _sorted(first_year, last_year, _uk)


def _sorted(first_year: int, last_year: int, rule: Rule) -> Days:
    return tuple(sorted(day for year in range(first_year, last_year + 1) for day in rule(year)))


def _target(year: int) -> Iterator[tuple[date, str]]:
    yield date(year, 1, 1), "New Year's Day"
    yield easter(year) - 2 * _ONE_DAY, "Good Friday"
    yield easter(year) + _ONE_DAY, "Easter Monday"
    yield date(year, 5, 1), "Labour Day"
    yield date(year, 12, 25), "Christmas Day"
    yield date(year, 12, 26), "Second day of Christmas"


def _fed(year: int) -> Iterator[tuple[date, str]]:
    yield kept_on_monday(date(year, 1, 1)), "New Year's Day"
    yield first_weekday_from(date(year, 1, 15), 0), "Martin Luther King, Jr. Day"
    yield first_weekday_from(date(year, 2, 15), 0), "Washington's Birthday"
    yield monday_not_after(date(year, 5, 31)), "Memorial Day"
    if year >= 2022:
        yield kept_on_monday(date(year, 6, 19)), "Juneteenth"
    yield kept_on_monday(date(year, 7, 4)), "Independence Day"
    yield first_weekday_from(date(year, 9, 1), 0), "Labor Day"
    yield first_weekday_from(date(year, 10, 8), 0), "Columbus Day"
    yield kept_on_monday(date(year, 11, 11)), "Veterans Day"
    yield first_weekday_from(date(year, 11, 22), 3), "Thanksgiving"
    yield kept_on_monday(date(year, 12, 25)), "Christmas Day"


def _uk(year: int) -> Iterator[tuple[date, str]]:
    yield _next_working(date(year, 1, 1)), "New Year's Day"
    yield easter(year) - 2 * _ONE_DAY, "Good Friday"
    yield easter(year) + _ONE_DAY, "Easter Monday"
    yield first_weekday_from(date(year, 5, 1), 0), "Early May"
    yield monday_not_after(date(year, 5, 31)), "Spring"
    yield monday_not_after(date(year, 8, 31)), "Summer"
    # On a weekend, what both days take is the Monday and the Tuesday after.
    christmas, boxing = date(year, 12, 25), date(year, 12, 26)
    if christmas.weekday() == 6:
        yield date(year, 12, 27), "Christmas Day"
        yield boxing, "Boxing Day"
    else:
        yield _next_working(christmas), "Christmas Day"
        moved = boxing.weekday() > 4
        yield date(year, 12, 28) if moved else boxing, "Boxing Day"


def _next_working(day: date) -> date:
    return first_weekday_from(day, 0) if day.weekday() > 4 else day
