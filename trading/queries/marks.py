"""What positions are valued at: the published curve of each market, by month and load."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from energyopti.foundation.calendars import Calendar, DatePeriod
from trading.models import CurvePoint, Market

from .curve_versions import stored_curve
from .curves import published_versions
from .quotes import BASE

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]


class NoMark(LookupError):
    """The curve has no price for all hours that were asked for."""


@dataclass(frozen=True, slots=True)
class MarketMarks:
    """
    A market's forward prices by delivery month and load, from one published curve.

    prices      first day of the month in the market's calendar → currency per price unit, the mean
                of the curve over its hours in that month
    by_shape    the same by code of the shape; BASE is `prices`
    hours       that the curve's points of a shape and month deliver in
    published_at  real time; None of marks that no version was published for
    """

    market_id: int
    market_code: str
    currency: str
    time_zone: str
    curve_snapshot_id: int
    as_of: datetime
    prices: Mapping[date, float]
    by_shape: Mapping[str, Mapping[date, float]] = field(default_factory=dict)
    hours: Mapping[str, Mapping[date, float]] = field(default_factory=dict)
    version: int = 0
    published_at: datetime | None = None
    price_unit: str = "MWh"
    content_hash: str = ""

    def price(self, month: date, shape_code: str = BASE) -> float | None:
        """Return the price of a load in a month, None where no quote of the curve speaks of it."""
        if shape_code == BASE:
            return self.prices.get(month)
        return self.by_shape.get(shape_code, {}).get(month)

    def shape_codes(self) -> tuple[str, ...]:
        """Return the loads that the curve prices in some month, BASE first."""
        return (BASE, *sorted(set(self.by_shape) - {BASE}))

    @property
    def _curve(self) -> tuple[int, str]:
        return self.curve_snapshot_id, self.content_hash

    def period_prices(self, period: DatePeriod, *, minutes: int) -> Floats:
        """
        Return the curve's price of each 15, 30 or 60 minutes of delivery days, shape (periods,).

        Read-only. The curve is built again from its version, once a process, and a month once.

        :raises NoMark: naming the days that the curve does not price in full.
        """
        import numpy as np

        parts, first = [], period.first
        while first < period.after:
            after = min(DatePeriod.months(first.year, first.month).after, period.after)
            whole = DatePeriod.months(first.year, first.month)
            if DatePeriod(first, after) == whole:
                parts.append(_month_prices(*self._curve, whole, minutes))
            else:
                parts.append(_fine(*self._curve, DatePeriod(first, after), minutes))
            first = after
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def profile_price(self, period: DatePeriod, weights: Floats, *, minutes: int) -> float:
        """
        Return the price of a profile: Σ price × weight / Σ weight over the periods of some days.

        weights     MW of each period of `minutes`, shape (periods,); signs may differ as long as
                    they do not sum to zero (use `profile_value` for such)

        :raises NoMark: for days that the curve does not price, or weights that sum to zero.
        """
        total = float(weights.sum())
        if total == 0.0:
            raise NoMark("weights: they sum to zero, so there is no mean price.")
        return self.profile_value(period, weights, minutes=minutes) / (total * minutes / 60)

    def profile_value(self, period: DatePeriod, megawatts: Floats, *, minutes: int) -> float:
        """
        Return Σ price × MW × hours over the periods of some days, currency.

        :raises NoMark: for days that the curve does not price in full.
        :raises ValueError: if there is not one number for each period.
        """
        prices = self.period_prices(period, minutes=minutes)
        if prices.shape != megawatts.shape:
            raise ValueError(
                f"megawatts: {len(megawatts):,} numbers for {len(prices):,} periods of {minutes}"
                f" minutes from {period.first}."
            )
        return float(prices @ megawatts) * minutes / 60


def month_marks(
    *,
    as_of: datetime,
    market_ids: Iterable[int] | None = None,
    known_at: datetime | None = None,
) -> dict[int, MarketMarks]:
    """
    Return the marks of each market with a published curve at `as_of`, by market id. Two queries.

    market_ids   None for all markets
    known_at     real time: no curve published later counts; None for all
    """
    versions = list(published_versions(as_of=as_of, known_at=known_at, market_ids=market_ids))
    points: dict[int, list[CurvePoint]] = defaultdict(list)
    ids = {version.snapshot_id for version in versions}
    for point in CurvePoint.objects.filter(snapshot_id__in=ids).order_by("start"):
        points[point.snapshot_id].append(point)
    found = {}
    for version in versions:
        snapshot, market = version.snapshot, version.definition.market
        prices, hours = _by_month(points[snapshot.pk], market)
        found[market.pk] = MarketMarks(
            market_id=market.pk,
            market_code=market.code,
            currency=market.currency,
            time_zone=market.time_zone,
            curve_snapshot_id=snapshot.pk,
            as_of=snapshot.as_of,
            prices=prices.get(BASE, {}),
            by_shape=prices,
            hours=hours,
            version=version.number,
            published_at=version.published_at,
            price_unit=market.price_unit,
            content_hash=snapshot.content_hash,
        )
    return found


def _by_month(
    points: list[CurvePoint], market: Market
) -> tuple[dict[str, dict[date, float]], dict[str, dict[date, float]]]:
    """Return the mean price and the hours by load and month; points lie within one month each."""
    calendar = market.calendar
    weighted: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    hours: dict[str, dict[date, float]] = defaultdict(lambda: defaultdict(float))
    for point in points:
        # Curves built before this rule have points of several months: each counts in its own.
        for month, share in _months(calendar, point):
            weighted[point.load][month] += point.price * point.hours * share
            hours[point.load][month] += point.hours * share
    prices = {
        load: {month: weighted[load][month] / hours[load][month] for month in hours[load]}
        for load in hours
    }
    return prices, {load: dict(found) for load, found in hours.items()}


def _months(calendar: Calendar, point: CurvePoint) -> Iterable[tuple[date, float]]:
    start = point.start
    while start < point.end:
        month = calendar.date_of(start).replace(day=1)
        end = min(point.end, calendar.month(month.year, month.month).end)
        yield month, (end - start) / (point.end - point.start)
        start = end


# A desk values on few curves at a time, each with some hundred months.
@lru_cache(maxsize=4096)
def _month_prices(snapshot_id: int, content_hash: str, period: DatePeriod, minutes: int) -> Floats:
    prices = _fine(snapshot_id, content_hash, period, minutes)
    prices.flags.writeable = False
    return prices


def _fine(snapshot_id: int, content_hash: str, period: DatePeriod, minutes: int) -> Floats:
    from trading.curves import CurveDoesNotCover

    try:
        return stored_curve(snapshot_id, content_hash).fine(period, minutes=minutes)[1]
    except CurveDoesNotCover as error:
        raise NoMark(str(error)) from error
