"""The prices that positions are valued at: the latest curve of each market, by delivery month."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from energyopti.foundation.calendars import Calendar
from trading.models import CurvePoint, CurveSnapshot, Market


@dataclass(frozen=True, slots=True)
class MarketMarks:
    """
    A market's forward prices by delivery month, from one curve.

    prices      first day of the month in the market's calendar → currency/MWh, the mean of the
                curve over its hours in that month
    """

    market_id: int
    market_code: str
    currency: str
    time_zone: str
    curve_snapshot_id: int
    as_of: datetime
    prices: Mapping[date, float]


def month_marks(
    *, as_of: datetime, market_ids: Iterable[int] | None = None
) -> dict[int, MarketMarks]:
    """
    Return the marks of each market that has a curve at `as_of`, by market id. Two queries.

    market_ids   None for all markets
    """
    curves = CurveSnapshot.objects.filter(as_of__lte=as_of).select_related("market")
    if market_ids is not None:
        curves = curves.filter(market_id__in=list(market_ids))
    latest = {
        curve.pk: curve
        for curve in curves.order_by("market_id", "-as_of", "-id").distinct("market_id")
    }
    points: dict[int, list[CurvePoint]] = defaultdict(list)
    for point in CurvePoint.objects.filter(snapshot_id__in=latest).order_by("start"):
        points[point.snapshot_id].append(point)
    return {
        curve.market_id: MarketMarks(
            market_id=curve.market_id,
            market_code=curve.market.code,
            currency=curve.market.currency,
            time_zone=curve.market.time_zone,
            curve_snapshot_id=curve.pk,
            as_of=curve.as_of,
            prices=_by_month(points[curve.pk], curve.market),
        )
        for curve in latest.values()
    }


def _by_month(points: list[CurvePoint], market: Market) -> dict[date, float]:
    """Return the mean price by month, weighted by the hours of each point within the month."""
    calendar = market.calendar
    weighted: dict[date, float] = defaultdict(float)
    hours: dict[date, float] = defaultdict(float)
    for point in points:
        start = point.start
        while start < point.end:
            month = calendar.date_of(start).replace(day=1)
            end = min(point.end, _month_end(calendar, month))
            length = (end - start).total_seconds() / 3600
            weighted[month] += point.price * length
            hours[month] += length
            start = end
    return {month: weighted[month] / hours[month] for month in hours}


def _month_end(calendar: Calendar, month: date) -> datetime:
    return calendar.month(month.year, month.month).end
