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
        (_kept(date(year, 1, 1)), "New Year's Day"),
        (_monday_not_after(date(year, 5, 31)), "Memorial Day"),
        (_kept(date(year, 7, 4)), "Independence Day"),
        (_monday_not_after(date(year, 9, 7)), "Labor Day"),
        # The fourth Thursday lies in 22..28.
        (date(year, 11, 22) + (3 - date(year, 11, 22).weekday()) % 7 * _ONE_DAY, "Thanksgiving"),
        (_kept(date(year, 12, 25)), "Christmas Day"),
    ]


def _kept(day: date) -> date:
    return day + _ONE_DAY if day.weekday() == 6 else day


def _monday_not_after(day: date) -> date:
    return day - day.weekday() * _ONE_DAY
