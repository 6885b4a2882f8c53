"""Positions as sums of deltas, read from their running totals."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Sum

from energyopti.foundation.intervals import Interval
from trading.deals import LoadType, power_area, shape_hours
from trading.models import PositionDelta, PositionTotal


@dataclass(frozen=True, slots=True)
class Position:
    """
    What some books hold of one market, shape and delivery interval.

    mw          bought +, sold −
    mw_price    Σ mw × contract price
    """

    market_id: int
    market_code: str
    currency: str
    load_type: LoadType
    month: date
    start: datetime
    end: datetime
    zone_key: str
    mw: Decimal
    mw_price: Decimal

    def hours_from(self, instant: datetime) -> float:
        """Return the shape's hours of the interval that come after an instant."""
        if instant >= self.end:
            return 0.0
        left = Interval(max(self.start, instant), self.end)
        area = power_area(self.market_code, self.zone_key, self.currency)
        return float(shape_hours(area, self.load_type, left))


_KEYS = (
    "market_id",
    "market__code",
    "currency",
    "load_type",
    "month",
    "start",
    "end",
    "calendar_zone",
)


def positions_of(book_ids: Iterable[UUID]) -> list[Position]:
    """Return the positions of some books together, by market, month and shape. One query."""
    return _positions(PositionTotal.objects.filter(book_id__in=list(book_ids)))


def positions_by_deltas(book_ids: Iterable[UUID]) -> list[Position]:
    """Return the same from the deltas themselves, to prove the totals."""
    return _positions(PositionDelta.objects.filter(book_id__in=list(book_ids)))


def positions_of_version(trade_version_id: int) -> list[Position]:
    """Return what one trade version added."""
    return _positions(PositionDelta.objects.filter(trade_version_id=trade_version_id))


def _positions(rows: "QuerySet[Any]") -> list[Position]:
    summed = (
        rows.values_list(*_KEYS)
        .annotate(Sum("mw"), Sum("mw_price"))
        .order_by("market__code", "month", "start", "load_type", "currency")
    )
    return [
        Position(
            market_id=market_id,
            market_code=code,
            currency=currency,
            load_type=LoadType(load_type),
            month=month,
            start=start,
            end=end,
            zone_key=zone_key,
            mw=mw,
            mw_price=mw_price,
        )
        for market_id, code, currency, load_type, month, start, end, zone_key, mw, mw_price in (
            summed
        )
    ]
