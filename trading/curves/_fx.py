"""Forward exchange rates: from points or covered interest parity, inverted and crossed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
import numpy.typing as npt

from trading.curves._discount import Dates, DiscountCurve, Floats, days_from, log_linear
from trading.curves._quotes import CurveDoesNotCover, CurveError


@dataclass(frozen=True, eq=False)
class FxForwardCurve:
    """
    Hold what one unit of `base` costs in `quote`, by settlement date: EURUSD is base EUR.

    spot_date    when a spot deal settles; dates before it have no rate
    dates        nodes, datetime64[D]; the first is spot_date
    log_rates    natural logarithm of the forward at each node, linear between, and onwards

    :raises CurveError: for equal currencies, nodes out of order, or rates not above zero.
    """

    base: str
    quote: str
    spot_date: date
    dates: Dates
    log_rates: Floats

    def __post_init__(self) -> None:
        if self.base == self.quote:
            raise CurveError(f"quote: {self.quote} is the base currency too.")
        days = days_from(self.spot_date, self.dates)
        if not len(days) or days[0] != 0 or (np.diff(days) <= 0).any():
            raise CurveError(f"dates: must ascend from the spot date {self.spot_date}.")
        if self.log_rates.shape != days.shape or not np.isfinite(self.log_rates).all():
            raise CurveError("rates: give one rate above zero for each date.")

    @classmethod
    def from_points(
        cls,
        base: str,
        quote: str,
        *,
        spot: float,
        spot_date: date,
        points: Mapping[date, float],
        points_per_unit: float = 10_000.0,
    ) -> Self:
        """
        Return the curve of spot and forward points: forward = spot + points / points_per_unit.

        points_per_unit    10,000 where a point is the fourth decimal, 100 for yen

        :raises CurveError: for a forward that is not above zero, or a date not after spot.
        """
        ordered = sorted(points)
        rates = [spot, *(spot + points[day] / points_per_unit for day in ordered)]
        for day, rate in zip([spot_date, *ordered], rates, strict=True):
            if not (np.isfinite(rate) and rate > 0):
                raise CurveError(f"points: {base}{quote} at {day} is {rate:g}, not above zero.")
        dates = np.array([spot_date, *ordered], dtype="datetime64[D]")
        return cls(base, quote, spot_date, dates, np.log(rates))

    @classmethod
    def from_parity(
        cls, base: DiscountCurve, quote: DiscountCurve, *, spot: float, spot_date: date
    ) -> Self:
        """
        Return the curve of covered interest parity: F(T) = S × D_base(T) / D_quote(T), from spot.

        Exact at every date, as both logarithms are linear between the nodes of either.

        :raises CurveError: if spot is not above zero, or the curves' dates of valuation differ.
        """
        if base.valued_on != quote.valued_on:
            raise CurveError(
                f"valued_on: {base.currency} is of {base.valued_on}, {quote.currency} of"
                f" {quote.valued_on}."
            )
        if not (np.isfinite(spot) and spot > 0):
            raise CurveError(f"spot: {spot:g} is not above zero.")
        start = np.datetime64(spot_date, "D")
        nodes = np.union1d(base.dates, quote.dates)
        later = nodes[nodes > start]
        # One node past the last, so that the straight line goes on with the right slope.
        dates = np.concatenate([[start], later, [max(start, nodes[-1]) + 365]])
        ratio = base.log_factor(dates) - quote.log_factor(dates)
        log_rates = np.log(spot) + ratio - ratio[0]
        return cls(base.currency, quote.currency, spot_date, dates, log_rates)

    @property
    def spot(self) -> float:
        """Return the spot rate."""
        return float(np.exp(self.log_rates[0]))

    @property
    def pair(self) -> str:
        """Return the pair as it is written: EURUSD."""
        return f"{self.base}{self.quote}"

    def log_rate(self, dates: Dates) -> Floats:
        """
        Return the logarithm of the forward at settlement dates, same shape.

        :raises CurveDoesNotCover: for a date before spot.
        """
        days = days_from(self.spot_date, dates)
        if (days < 0).any():
            raise CurveDoesNotCover(
                f"dates: {dates[days < 0].flat[0]} is before the spot date {self.spot_date}."
            )
        return log_linear(days, days_from(self.spot_date, self.dates), self.log_rates)

    def rates(self, dates: Dates) -> Floats:
        """Return units of `quote` for one of `base` at settlement dates, same shape."""
        rates: Floats = np.exp(self.log_rate(dates))
        return rates

    def rate(self, on: date) -> float:
        """Return the forward of one settlement date."""
        return float(self.rates(np.array([on], dtype="datetime64[D]"))[0])

    def points(self, on: date, *, points_per_unit: float = 10_000.0) -> float:
        """Return forward minus spot in points."""
        return (self.rate(on) - self.spot) * points_per_unit

    def inverted(self) -> FxForwardCurve:
        """Return the same rates the other way round: USDEUR of EURUSD."""
        return FxForwardCurve(self.quote, self.base, self.spot_date, self.dates, -self.log_rates)


def cross(first: FxForwardCurve, second: FxForwardCurve, *, pivot: str) -> FxForwardCurve:
    """
    Return first's other currency in terms of second's other one, by the currency they share.

    ``cross(EURUSD, GBPUSD, pivot="USD")`` is EURGBP. Each may be written either way round.

    :raises CurveError: if one does not hold the pivot, or their spot dates differ.
    """
    into, out_of = _facing(first, pivot, is_quote=True), _facing(second, pivot, is_quote=False)
    if into.spot_date != out_of.spot_date:
        raise CurveError(
            f"spot_date: {first.pair} settles on {into.spot_date}, {second.pair} on"
            f" {out_of.spot_date}."
        )
    dates = np.union1d(into.dates, out_of.dates)
    # One node past the last, so that the straight lines of both go on.
    dates = np.append(dates, dates[-1] + 365)
    log_rates = into.log_rate(dates) + out_of.log_rate(dates)
    return FxForwardCurve(into.base, out_of.quote, into.spot_date, dates, log_rates)


def triangle_gap(
    direct: FxForwardCurve, first: FxForwardCurve, second: FxForwardCurve, dates: Dates
) -> Floats:
    """
    Return how much dearer a direct rate is than the way by a third currency, as a share.

    0.001 means that selling one unit of direct's base by `direct` and buying it back by the other
    two leaves 0.1 % of it. Shape as `dates`.

    :raises CurveError: if the three pairs are no triangle.
    """
    shared = {first.base, first.quote} & {second.base, second.quote}
    if len(shared) != 1:
        raise CurveError(f"pairs: {first.pair} and {second.pair} do not share one currency.")
    way = cross(first, second, pivot=shared.pop())
    if way.pair != direct.pair:
        way = way.inverted()
    if way.pair != direct.pair:
        raise CurveError(f"pairs: {way.pair} by the third currency is not {direct.pair}.")
    gap: npt.NDArray[np.float64] = np.expm1(direct.log_rate(dates) - way.log_rate(dates))
    return gap


def _facing(curve: FxForwardCurve, pivot: str, *, is_quote: bool) -> FxForwardCurve:
    if pivot not in (curve.base, curve.quote):
        raise CurveError(f"pivot: {curve.pair} does not hold {pivot}.")
    return curve if (curve.quote == pivot) == is_quote else curve.inverted()
