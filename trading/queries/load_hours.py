"""The hours of a market's loads over a run of delivery dates, in the versions that hold there."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from energyopti.foundation.calendars import Calendar, DatePeriod
from energyopti.foundation.intervals import IntervalSet
from trading import deals
from trading.models import LoadShape, Market

from .load_shapes import shapes_of_market

if TYPE_CHECKING:
    from trading.curves import LoadHours


def loads_of_market(
    market: Market, period: DatePeriod, *, known_at: datetime | None = None
) -> dict[str, LoadHours]:
    """
    Return the hours of each shape of a market but base, by code, for a run of delivery dates.

    Where a shape's definition changes within the dates, each version counts from its own first
    date. A shape that is not defined on all of the dates is left away.

    :raises CalendarError: for dates that a shape's holidays do not cover.
    """
    from trading.curves import LoadHours  # with NumPy: for whoever builds a curve

    changes = (
        LoadShape.objects.filter(
            calendar_id=market.shape_calendar_id,
            valid_from__gt=period.first,
            valid_from__lt=period.after,
        )
        .order_by("valid_from")
        .values_list("valid_from", flat=True)
        .distinct()
    )
    starts = [period.first, *changes]
    parts: dict[str, list[IntervalSet]] = {}
    for first, after in zip(starts, [*starts[1:], period.after], strict=True):
        shapes = shapes_of_market(market, on=first, known_at=known_at)
        for code, shape in shapes.items():
            if not shape.is_all_hours:
                hours = _delivered(market.calendar, shape, DatePeriod(first, after))
                parts.setdefault(code, []).append(hours)
    covers = market.calendar.span(period)
    found = {}
    for code, pieces in parts.items():
        if len(pieces) == len(starts):
            whole = IntervalSet(interval for piece in pieces for interval in piece)
            found[code] = LoadHours.of(code, whole, covers=covers)
    return found


def complements(
    market: Market, *, period: DatePeriod, known_at: datetime | None = None
) -> dict[str, str]:
    """Return the shapes that deliver in all hours but another one's: OFFPEAK → PEAK."""
    rows = LoadShape.objects.filter(
        calendar_id=market.shape_calendar_id,
        complement_of__isnull=False,
        valid_from__lt=period.after,
        from_minute=0,
        to_minute=1440,
        weekdays="1234567",
        holiday_rule="IGNORE",
    )
    if known_at is not None:
        rows = rows.filter(recorded_at__lte=known_at)
    return dict(rows.order_by("valid_from").values_list("code", "complement_of__code"))


# A curve is built again and again over the same years; their days are walked once a process.
@lru_cache(maxsize=64)
def _delivered(calendar: Calendar, shape: deals.LoadShape, period: DatePeriod) -> IntervalSet:
    return deals.shape_delivery(calendar, shape, period)
