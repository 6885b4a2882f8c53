"""Options on the difference of two averages of fixings, by the law of each model; one trade."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from trading.pricing._average_moments import LARGEST
from trading.pricing._bachelier import bachelier
from trading.pricing._inputs import (
    Floats,
    NonPositivePrice,
    OptionType,
    PricingError,
    check,
    finite,
    not_negative,
    together,
)
from trading.pricing._model import PriceModel
from trading.pricing._spread import spread_option

# What a side is worth of which nothing is open: nothing that could move a price.
_NOTHING = 1e-12
# Share of a side's lowest forward by which gammas move it.
_STEP = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class OpenAverage:
    """
    The open fixings of an average; each row (fixing,), a volatility may be one for all.

    forward     currency/unit; lognormal > 0
    weight      ≥ 0: what each adds to the average
    times       years to the fixing, ≥ 0
    volatility  of the model's kind, per √year, ≥ 0
    """

    forward: npt.ArrayLike
    weight: npt.ArrayLike
    times: npt.ArrayLike
    volatility: npt.ArrayLike


@dataclass(frozen=True, slots=True, eq=False)
class AverageSpreadValue:
    """
    What an option on the difference of two averages is worth, bought, and how that moves.

    price           currency/unit
    delta1, delta2  (fixing,), per currency/unit of each open forward of a side
    gamma1, gamma2  of the sums of these, where all open forwards of the side move by one
    vega1, vega2    per 1.00 on every volatility of a side
    """

    price: float
    delta1: Floats
    delta2: Floats
    gamma1: float
    gamma2: float
    vega1: float
    vega2: float


def average_spread_option(
    model: PriceModel,
    *,
    first: OpenAverage,
    second: OpenAverage,
    strike: float,
    correlation: float,
    fixed: float = 0.0,
    option: OptionType = OptionType.CALL,
) -> AverageSpreadValue:
    """
    Price an option on the difference of two arithmetic averages, undiscounted.

    Each side is driven by one Brownian motion, the two with one correlation, so that fixings i
    and j of different sides share ρ σ_i σ_j min(t_i, t_j). BACHELIER: exact, the difference is
    normal. BLACK76: an approximation, each average as the lognormal of its mean and variance, the
    two with the covariance that they have (three second moments); their spread is then exact by
    quadrature. Gammas are central differences of the deltas.

    strike      currency/unit, any sign
    correlation of the two, −1 to 1
    fixed       what realised fixings add to the first average less that of the second

    :raises NonPositivePrice: for a lognormal forward that is not above zero.
    :raises PricingError: naming the argument; a displaced formula has no spread.
    """
    rho = finite("correlation", correlation)
    check("correlation", rho, np.abs(rho) <= 1, "must be from −1 to 1")
    left = float(finite("strike", strike)) - float(finite("fixed", fixed))
    if model is PriceModel.DISPLACED_BLACK:
        raise PricingError("model: spreads are priced by BLACK76 or BACHELIER.")
    one, two = _Side.of(first), _Side.of(second)
    if model is PriceModel.BACHELIER:
        return _normal(one, two, left, float(rho), option)
    for name, side in (("first", one), ("second", two)):
        check(name, side.F, side.F > 0, "must be above 0", NonPositivePrice)
        total = side.sigma * side.sigma * side.t
        check("volatility", total, total <= LARGEST, "is a total variance too large to be priced")
    found = _lognormal(one, two, left, float(rho), option)

    def bend(n: int) -> float:
        sides = [one, two]
        if not sides[n].w.sum():
            return 0.0
        h = _STEP * float(sides[n].F.min())
        slopes = []
        for way in (h, -h):
            sides[n] = replace((one, two)[n], F=(one, two)[n].F + way)
            moved = _lognormal(sides[0], sides[1], left, float(rho), option)
            slopes.append(float((moved.delta1, moved.delta2)[n].sum()))
        return (slopes[0] - slopes[1]) / (2 * h)

    return replace(found, gamma1=bend(0), gamma2=bend(1))


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    F: Floats
    w: Floats
    t: Floats
    sigma: Floats

    @classmethod
    def of(cls, average: OpenAverage) -> _Side:
        F, w, t, sigma = together(
            forward=finite("forward", average.forward),
            weight=not_negative("weight", average.weight),
            times=not_negative("times", average.times),
            volatility=not_negative("volatility", average.volatility),
        )
        if F.ndim != 1:
            raise PricingError(f"forward: {F.ndim} axes; the fixings of a side are one row.")
        sigma = np.broadcast_to(sigma, F.shape)
        return cls(F, np.broadcast_to(w, F.shape), np.broadcast_to(t, F.shape), sigma)

    @property
    def mean(self) -> float:
        return float(self.w @ self.F)

    def shared(self, other: _Side, rho: float) -> Floats:
        """Return the covariance of the Brownian parts of each pair of fixings."""
        until = np.minimum(self.t[:, None], other.t)
        found: Floats = rho * np.outer(self.sigma, other.sigma) * until
        return found


def _normal(
    one: _Side, two: _Side, left: float, rho: float, option: OptionType
) -> AverageSpreadValue:
    own = [float(side.w @ side.shared(side, 1.0) @ side.w) for side in (one, two)]
    both = float(one.w @ one.shared(two, rho) @ two.w)
    deviation = float(np.sqrt(max(own[0] + own[1] - 2.0 * both, 0.0)))
    value = bachelier(
        forward=one.mean - two.mean, strike=left, expiry=1.0, volatility=deviation, option=option
    )
    delta, gamma, vega = float(value.delta), float(value.gamma), float(value.vega)
    vegas = []
    for side, other, square in ((one, two, own[0]), (two, one, own[1])):
        # The variance by a relative move of a side's volatilities, and that per 1.00 of each.
        by_level = _by_volatility(side, side, 1.0) - 2.0 * _by_volatility(side, other, rho)
        moves = deviation > 0 and (square > 0 or by_level != 0)
        vegas.append(vega * by_level / (2.0 * deviation) if moves else 0.0)
    return AverageSpreadValue(
        float(value.price), delta * one.w, -delta * two.w,
        gamma * float(one.w.sum()) ** 2, gamma * float(two.w.sum()) ** 2, vegas[0], vegas[1],
    )  # fmt: skip


def _by_volatility(side: _Side, other: _Side, rho: float) -> float:
    """Return the change of w'Cv per 1.00 on a side's volatilities; twice that with itself."""
    until = np.minimum(side.t[:, None], other.t)
    found = float(side.w @ (rho * until * other.sigma) @ other.w)
    return 2.0 * found if side is other else found


@dataclass(frozen=True, slots=True, eq=False)
class _Moment:
    """
    ln E[AB] / (E[A] E[B]) of two averages, and how it moves.

    by_first, by_second     (fixing,), per currency/unit of their forwards
    by_vol1, by_vol2        per 1.00 on the volatilities of either
    """

    value: float
    by_first: Floats
    by_second: Floats
    by_vol1: float
    by_vol2: float

    @classmethod
    def of(cls, one: _Side, two: _Side, rho: float) -> _Moment:
        M, N = one.mean, two.mean
        if M <= 0 or N <= 0:
            return cls(0.0, np.zeros_like(one.F), np.zeros_like(two.F), 0.0, 0.0)
        a, b = one.w * one.F / M, two.w * two.F / N
        grown = np.exp(one.shared(two, rho))
        rows, columns = grown @ b, a @ grown
        S = float(a @ rows)
        until = np.minimum(one.t[:, None], two.t) * rho
        return cls(
            float(np.log1p(a @ np.expm1(one.shared(two, rho)) @ b)),
            one.w / M * (rows / S - 1.0), two.w / N * (columns / S - 1.0),
            float(a @ (grown * until * two.sigma) @ b) / S,
            float((a * one.sigma) @ (grown * until) @ b) / S,
        )  # fmt: skip


def _lognormal(
    one: _Side, two: _Side, left: float, rho: float, option: OptionType
) -> AverageSpreadValue:
    u1, u2 = _Moment.of(one, one, 1.0), _Moment.of(two, two, 1.0)
    c = _Moment.of(one, two, rho)
    s1, s2 = (float(np.sqrt(max(u.value, 0.0))) for u in (u1, u2))
    moving = s1 > 0 and s2 > 0
    # Two lognormals of these moments cannot share more than all of their variance.
    r = min(max(c.value / (s1 * s2), -1.0), 1.0) if moving else 0.0
    value = spread_option(
        first=max(one.mean, _NOTHING), second=max(two.mean, _NOTHING), strike=left, expiry=1.0,
        volatility1=s1, volatility2=s2, correlation=r, option=option,
    )  # fmt: skip
    risk = float(value.correlation_risk)
    by_u1 = (float(value.vega1) - risk * r / s1) / (2.0 * s1) if s1 > 0 else 0.0
    by_u2 = (float(value.vega2) - risk * r / s2) / (2.0 * s2) if s2 > 0 else 0.0
    by_c = risk / (s1 * s2) if moving else 0.0
    # A side with itself moves twice: as the first and as the second of the pair.
    return AverageSpreadValue(
        float(value.price),
        float(value.delta1) * one.w + 2.0 * by_u1 * u1.by_first + by_c * c.by_first,
        float(value.delta2) * two.w + 2.0 * by_u2 * u2.by_first + by_c * c.by_second,
        0.0, 0.0,
        2.0 * by_u1 * u1.by_vol1 + by_c * c.by_vol1,
        2.0 * by_u2 * u2.by_vol1 + by_c * c.by_vol2,
    )  # fmt: skip
