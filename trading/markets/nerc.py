"""The six holidays on which US power counts as off-peak, computed by rule."""

from datetime import date, timedelta

_ONE_DAY = timedelta(days=1)


def nerc_holidays(first_year: int, last_year: int) -> tuple[tuple[date, str], ...]:
    """
    Return the holidays from a year to another, both whole, by date.

    A holiday on a Sunday is kept on the Monday after; one on a Saturday stays where it is.
    Source: NERC, "Additional Off-peak Days", which lists these six each year.
    """
    return tuple(sorted(day for year in range(first_year, last_year + 1) for day in _of(year)))


def _of(year: int) -> list[tuple[date, str]]:
    return [
        (kept_on_monday(date(year, 1, 1)), "New Year's Day"),
        (monday_not_after(date(year, 5, 31)), "Memorial Day"),
        (kept_on_monday(date(year, 7, 4)), "Independence Day"),
        (first_weekday_from(date(year, 9, 1), 0), "Labor Day"),
        (first_weekday_from(date(year, 11, 22), 3), "Thanksgiving"),
        (kept_on_monday(date(year, 12, 25)), "Christmas Day"),
    ]


def kept_on_monday(day: date) -> date:
    """Return a day, or the Monday after a Sunday."""
    return day + _ONE_DAY if day.weekday() == 6 else day


def monday_not_after(day: date) -> date:
    """Return the last Monday up to a day."""
    return day - day.weekday() * _ONE_DAY


def first_weekday_from(day: date, weekday: int) -> date:
    """Return the first Monday (0) … Sunday (6) from a day on: the fourth Thursday is in 22 … 28."""
    return day + (weekday - day.weekday()) % 7 * _ONE_DAY
