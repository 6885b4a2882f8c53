"""
Options on the average of fixings, by the law of each model. Axis order: trade, fixing.

`_average_simulation` draws the same law without matching moments; `_levy_average` has the
continuous average of the published tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from trading.pricing._average_moments import (
    LARGEST,
    AverageOption,
    FixingAverageOption,
    Moments,
    after,
    matched,
)
from trading.pricing._bachelier import bachelier
from trading.pricing._inputs import (
    Floats,
    NonPositivePrice,
    Options,
    OptionType,
    PricingError,
    broadcast,
    check,
    finite,
    positive,
    refuse_overflow,
    rows,
    signs,
    together,
)
from trading.pricing._model import ModelChoice, PriceModel


def average_option(
    *,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    times: npt.ArrayLike,
    volatility: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    fixed: npt.ArrayLike = 0.0,
    discount: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> FixingAverageOption:
    """
    Price options on an arithmetic average by its first two moments (Turnbull-Wakeman).

    The average is `fixed` + Σ w_i F_i(t_i); the open part is taken as lognormal with its true
    mean and variance. The forwards are driven by one Brownian motion, so that two fixings share
    the smaller of their total variances σ² t. Of a bought option; all broadcast.

    forward      (…, fixing), currency/MWh, > 0, each for its fixing's time
    strike       (…), currency/MWh, any sign
    times        (…, fixing), years to the fixing, ≥ 0, in any order
    volatility   (…, fixing), lognormal, per √year, ≥ 0
    weight       (…, fixing), ≥ 0; by default the open fixings share the average equally. Zero
                 leaves a fixing out, so trades with fewer fixings stand in the same array
    fixed        (…), currency/MWh: what realised fixings add, Σ w_i P_i; with k of n equal ones
                 realised that is their sum over n, and each open one weighs 1/n
    discount     (…), discount factor to the payment date, > 0
    option       (…), one for all or one each

    Where the realised part alone is beyond the strike, a call is the forward less the strike,
    a put is nothing. Without open fixings, time or volatility it is the discounted payoff.

    :raises NonPositivePrice: naming the argument and first offending index.
    :raises PricingError: for a negative time, volatility or weight, or what is not finite.
    Source: S. Turnbull, L. Wakeman, J. Financial and Quantitative Analysis 26 (1991) 377-389,
    to two moments; on futures with a volatility per fixing as E. Haug, Option Pricing Formulas.
    """
    from trading.pricing._average_kernels import average_moments_rows

    fixings = _Fixings.of(forward, times, volatility, weight)
    check("forward", fixings.forward, fixings.forward > 0, "must be above 0", NonPositivePrice)
    terms = _Terms.of(strike, fixed, discount, option, fixings)
    row = fixings.by_variance()
    v = row.variance
    check("volatility", v, v <= LARGEST, "is a total variance (σ² t) too large to be priced")
    trades, count = v.shape[:-1], v.shape[-1]
    moments = np.empty((6, *trades))
    slopes = np.empty(v.shape)
    _, flat = rows(row.forward, row.weight, v, row.variance_by_volatility)
    F, w, u, du = (part.reshape(-1, count) for part in flat)
    refuse_overflow(
        average_moments_rows(F, w, u, du, moments.reshape(6, -1), slopes.reshape(-1, count)),
        trades,
    )
    value, by_mean, by_variance = matched(
        Moments(*moments), strike=terms.left, discount=terms.discount, option=option
    )
    each = by_mean[..., None] * row.weight + by_variance[..., None] * slopes
    return _with_fixings(value, row.in_order(each))


def normal_average_option(
    *,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    times: npt.ArrayLike,
    volatility: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    fixed: npt.ArrayLike = 0.0,
    discount: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> FixingAverageOption:
    """
    Price options on an arithmetic average of normal forwards, exactly.

    The arguments are those of `average_option`, but forwards may have either sign and the
    volatility is normal, currency/MWh per √year. An average of normals is normal, so nothing is
    approximated: Bachelier on its mean and variance Σ w_i w_j min(σ_i² t_i, σ_j² t_j).

    :raises PricingError: for a negative time, volatility or weight, or what is not finite.
    """
    fixings = _Fixings.of(forward, times, volatility, weight)
    check("forward", fixings.forward, np.isfinite(fixings.forward), "must be a number")
    terms = _Terms.of(strike, fixed, discount, option, fixings)
    row = fixings.by_variance()
    pairs = row.weight * (row.weight + 2.0 * after(row.weight))
    deviation = np.sqrt((pairs * row.variance).sum(axis=-1))
    mean = (row.weight * row.forward).sum(axis=-1)
    total = row.weight.sum(axis=-1)
    value = bachelier(
        forward=mean, strike=terms.left, expiry=1.0, volatility=deviation,
        discount=terms.discount, option=option,
    )  # fmt: skip
    moves = deviation > 0
    by_volatility = (pairs * row.variance_by_volatility).sum(axis=-1) / np.where(
        moves, 2.0 * deviation, 1.0
    )
    shape = value.price.shape
    return FixingAverageOption(
        price=value.price,
        delta=value.delta * total,
        gamma=value.gamma * total**2,
        vega=np.where(moves, value.vega * by_volatility, 0.0),
        mean=np.broadcast_to(mean, shape),
        deviation=np.broadcast_to(deviation, shape),
        fixing_delta=row.in_order(value.delta[..., None] * row.weight),
    )


def price_average_option(
    choice: ModelChoice,
    *,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    times: npt.ArrayLike,
    volatility: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    fixed: npt.ArrayLike = 0.0,
    discount: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> FixingAverageOption:
    """
    Price options on an arithmetic average by the model chosen for the curve.

    Arguments, results and refusals are those of `average_option` or `normal_average_option`;
    displaced, the forwards with the displacement are lognormal, and `mean` and `deviation` are
    of the open part with it.
    """
    terms: _Arguments = {
        "times": times, "volatility": volatility, "weight": weight, "fixed": fixed,
        "discount": discount, "option": option,
    }  # fmt: skip
    if choice.model is PriceModel.BACHELIER:
        return normal_average_option(forward=forward, strike=strike, **terms)
    if choice.model is PriceModel.BLACK76:
        return average_option(forward=forward, strike=strike, **terms)
    open_weight = _Fixings.of(forward, times, volatility, weight).weight.sum(axis=-1)
    moved, level = together(forward=open_weight, strike=finite("strike", strike))
    return average_option(
        forward=finite("forward", forward) + choice.displacement,
        strike=level + choice.displacement * moved,
        **terms,
    )


class _Arguments(TypedDict):
    """What every model of an average takes alike."""

    times: npt.ArrayLike
    volatility: npt.ArrayLike
    weight: npt.ArrayLike | None
    fixed: npt.ArrayLike
    discount: npt.ArrayLike
    option: Options


@dataclass(frozen=True, slots=True, eq=False)
class _Fixings:
    """What belongs to a fixing, (…, fixing), and how the rows stood before they were ordered."""

    forward: Floats
    weight: Floats
    variance: Floats  # σ² t
    variance_by_volatility: Floats  # 2 σ t
    order: npt.NDArray[np.intp] | None = None  # None: as they were given

    @classmethod
    def of(
        cls,
        forward: npt.ArrayLike,
        times: npt.ArrayLike,
        volatility: npt.ArrayLike,
        weight: npt.ArrayLike | None,
    ) -> _Fixings:
        """
        Return the fixings as they were given.

        :raises PricingError: naming the argument and index; forwards are the model's to check.
        """
        F, t, sigma = together(forward=forward, times=times, volatility=volatility)
        shape = np.broadcast_shapes(F.shape, t.shape, sigma.shape)
        if not shape or not shape[-1]:
            raise PricingError("times: an average needs an axis of fixings, with at least one.")
        share = 1.0 / shape[-1] if weight is None else weight
        F, t, sigma, w = together(forward=F, times=t, volatility=sigma, weight=share)
        for name, row in (("times", t), ("volatility", sigma), ("weight", w)):
            check(name, row, row >= 0, "must not be negative")
        spread = sigma * t
        shape = np.broadcast_shapes(shape, w.shape)
        return cls(
            forward=np.broadcast_to(F, shape),
            weight=np.broadcast_to(w, shape),
            variance=np.broadcast_to(sigma * spread, shape),
            variance_by_volatility=np.broadcast_to(2.0 * spread, shape),
        )

    def by_variance(self) -> _Fixings:
        """Return them in the order of total variance: each shares its own with those after it."""
        if np.all(self.variance[..., 1:] >= self.variance[..., :-1]):
            return self  # as fixings mostly stand
        order = np.argsort(self.variance, axis=-1, kind="stable")

        def sort(row: Floats) -> Floats:
            return np.take_along_axis(row, order, axis=-1)

        return _Fixings(
            forward=sort(self.forward),
            weight=sort(self.weight),
            variance=sort(self.variance),
            variance_by_volatility=sort(self.variance_by_volatility),
            order=order,
        )

    def in_order(self, figures: Floats) -> Floats:
        """Return (…, fixing) figures in the order in which the fixings were given."""
        if self.order is None:
            return figures
        found = np.empty_like(figures)
        np.put_along_axis(found, np.broadcast_to(self.order, figures.shape), figures, axis=-1)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _Terms:
    """What a trade has once: the strike less what is realised, and the discount factor."""

    left: Floats
    discount: Floats

    @classmethod
    def of(
        cls,
        strike: npt.ArrayLike,
        fixed: npt.ArrayLike,
        discount: npt.ArrayLike,
        option: Options,
        fixings: _Fixings,
    ) -> _Terms:
        """
        Return the terms in the shape of the trades.

        :raises PricingError: naming the argument and index.
        """
        _, K, known, D, _ = broadcast(
            forward=fixings.forward[..., 0], strike=finite("strike", strike),
            fixed=finite("fixed", fixed), discount=positive("discount", discount),
            option=signs(option),
        )  # fmt: skip
        return cls(left=K - known, discount=D)


def _with_fixings(value: AverageOption, fixing_delta: Floats) -> FixingAverageOption:
    return FixingAverageOption(
        price=value.price,
        delta=value.delta,
        gamma=value.gamma,
        vega=value.vega,
        mean=value.mean,
        deviation=value.deviation,
        fixing_delta=fixing_delta,
    )
