"""How many hours a market's shapes deliver in each month of a year, exact over clock changes."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from energyopti.foundation.calendars import Calendar, CalendarError, DatePeriod
from trading import deals
from trading.models import LoadShape, Market

from .load_shapes import shapes_of_market


@dataclass(frozen=True, slots=True)
class ShapeHours:
    """
    Hours of one shape by month, and of the year; None where its holidays do not reach.

    versions    that hold in some part of the year
    """

    code: str
    name: str
    versions: tuple[int, ...]
    months: tuple[Decimal | None, ...]
    year: Decimal | None


def shape_hours(market: Market, *, year: int) -> list[ShapeHours]:
    """
    Return the hours of each shape of a market in a year's months, by code.

    A version that starts to hold within the year counts from its date on. Three queries for each
    stretch of the year in which no version changes: nearly always one.
    """
    calendar, whole = market.calendar, DatePeriod.year(year)
    stretches = _stretches(market, whole)
    held = {stretch: shapes_of_market(market, on=stretch.first) for stretch in stretches}
    found = []
    for code in sorted({code for shapes in held.values() for code in shapes}):
        pieces = [(stretch, shapes[code]) for stretch, shapes in held.items() if code in shapes]
        months = tuple(
            _hours(calendar, DatePeriod.months(year, month), pieces) for month in range(1, 13)
        )
        known = [hours for hours in months if hours is not None]
        found.append(
            ShapeHours(
                code=code,
                name=pieces[-1][1].name,
                versions=tuple(dict.fromkeys(shape.version for _, shape in pieces)),
                months=months,
                year=sum(known, Decimal(0)) if len(known) == 12 else None,
            )
        )
    return found


def _stretches(market: Market, whole: DatePeriod) -> list[DatePeriod]:
    changes = LoadShape.objects.filter(
        calendar_id=market.shape_calendar_id,
        valid_from__gt=whole.first,
        valid_from__lt=whole.after,
    )
    edges = sorted({whole.first, whole.after, *changes.values_list("valid_from", flat=True)})
    return [DatePeriod(a, b) for a, b in pairwise(edges)]


def _hours(
    calendar: Calendar, month: DatePeriod, pieces: list[tuple[DatePeriod, deals.LoadShape]]
) -> Decimal | None:
    """Return the hours of a month; before the first version of a shape there are none."""
    total = Decimal(0)
    for stretch, shape in pieces:
        first: date = max(month.first, stretch.first)
        after: date = min(month.after, stretch.after)
        if first >= after:
            continue
        try:
            hours = deals.shape_delivery(calendar, shape, DatePeriod(first, after)).hours
        except CalendarError:
            return None
        total += Decimal(hours.numerator) / Decimal(hours.denominator)
    return total
