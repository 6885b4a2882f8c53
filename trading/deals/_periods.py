"""Delivery periods as traders write them, and back."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from energyopti.foundation.calendars import Calendar, CalendarError, DatePeriod

PERIOD_WORDS = (
    "Cal27", "Q1-27", "Jan27", "W05-27", "Sum27", "Win27", "GY27", "DA", "WE", "2027-03-28",
    "2027-03-28..2027-04-02",
)  # fmt: skip
_ONE_DAY = timedelta(days=1)
_SATURDAY = 5


def parse_period(text: str, *, calendar: Calendar, traded_at: datetime) -> DatePeriod:
    """
    Read a period; what depends on the trade is counted from its delivery day in the area.

    ``DA``      the day after it
    ``WE``      the first Saturday after it, and its Sunday
    ``GY27``    the gas year October 2027 to September 2028
    ``a..b``    from the first day of a period or date to the last day of another, both included
    and all the names of `DatePeriod.parse`.

    :raises CalendarError: if the text is none of these.
    """
    word = text.strip().lower()
    if word == "da":
        return DatePeriod.day(calendar.date_of(traded_at) + _ONE_DAY)
    if word == "we":
        day = calendar.date_of(traded_at) + _ONE_DAY
        saturday = day + (_SATURDAY - day.weekday()) % 7 * _ONE_DAY
        return DatePeriod(saturday, saturday + 2 * _ONE_DAY)
    first, dots, last = word.partition("..")
    if dots:
        return DatePeriod(_named(first).first, _named(last).after)
    return _named(word)


def _named(word: str) -> DatePeriod:
    digits = word[2:].lstrip("-")
    if word.startswith("gy") and digits.isascii() and digits.isdigit() and len(digits) in (2, 4):
        year = int(digits) + (2000 if len(digits) == 2 else 0)
        return DatePeriod.months(year, 10, 12)
    if not word.isascii():
        raise CalendarError(f"period: {word!r} is not a delivery period.")
    return DatePeriod.parse(word)


def period_name(period: DatePeriod) -> str:
    """
    Return a period's shortest name (Cal27, Q1-27, Jan27, W05-27, GY27, 2027-03-28).

    A run of days that is none of these is written from its first to its last day,
    2027-03-28..2027-04-02.
    """
    first = period.first
    if period.after == first + _ONE_DAY:
        return first.isoformat()
    for name, named in _candidates(first):
        if named == period:
            return name
    return f"{first.isoformat()}..{(period.after - _ONE_DAY).isoformat()}"


def _candidates(first: date) -> list[tuple[str, DatePeriod]]:
    found: list[tuple[str, DatePeriod]] = []
    year, month, short = first.year, first.month, f"{first.year % 100:02d}"
    week_year, week, weekday = first.isocalendar()
    if 2000 <= year <= 2099 and first.day == 1:
        found.append((f"{first:%b}{short}", DatePeriod.months(year, month)))
        if month % 3 == 1:
            found.append((f"Q{(month + 2) // 3}-{short}", DatePeriod.months(year, month, 3)))
        if month == 1:
            found.append((f"Cal{short}", DatePeriod.year(year)))
        if month == 4:
            found.append((f"Sum{short}", DatePeriod.summer(year)))
        if month == 10:
            found.append((f"Win{short}", DatePeriod.winter(year)))
            found.append((f"GY{short}", DatePeriod.months(year, 10, 12)))
    if weekday == 1 and 2000 <= week_year <= 2099:
        found.append((f"W{week:02d}-{week_year % 100:02d}", DatePeriod.iso_week(week_year, week)))
    return found
