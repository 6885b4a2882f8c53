"""
Options on averages: by matching two moments, and by exact simulation with its error.

Axis order: `trade, fixing`; the last axis of what belongs to a fixing is the fixing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import exprel

from trading.pricing._black76 import black76
from trading.pricing._inputs import (
    Floats,
    NonPositivePrice,
    Options,
    OptionType,
    PricingError,
    broadcast,
    check,
    signs,
)
from trading.pricing._regression import Estimate, estimate, seed_of

# The integral of `levy_average_option` is smooth; 32 nodes leave rounding only.
_NODES, _WEIGHTS = (0.5 * (row + shift) for row, shift in
                    zip(np.polynomial.legendre.leggauss(32), (1.0, 0.0), strict=True))  # fmt: skip

# e^700 is about the largest number; a lognormal second moment of e^300 is nobody's price.
_LARGEST = 300.0
# A deviation of 1e-12 moves a price by its rounding.
_STILL = 1e-24


@dataclass(frozen=True, slots=True, eq=False)
class AverageOption:
    """
    What an average option is worth and how that moves; each of one value a trade, bought.

    price       currency/MWh
    delta       per currency/MWh of every open forward (or of spot)
    gamma       of delta, per the same
    vega        per 1.00 on every fixing's volatility
    mean        of the open part of the average, currency/MWh
    deviation   of the logarithm of the open part, as matched: σ√T of the lognormal
    """

    price: Floats
    delta: Floats
    gamma: Floats
    vega: Floats
    mean: Floats
    deviation: Floats


@dataclass(frozen=True, slots=True, eq=False)
class FixingAverageOption(AverageOption):
    """
    The same with what each fixing contributes.

    fixing_delta   (trade, fixing), per currency/MWh of that fixing's forward: the hedge
    """

    fixing_delta: Floats


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
    F, t, sigma = broadcast(forward=forward, times=times, volatility=volatility)
    if not F.ndim or not F.shape[-1]:
        raise PricingError("times: an average needs an axis of fixings, with at least one.")
    share = 1.0 / F.shape[-1] if weight is None else weight
    F, t, sigma, w = broadcast(forward=F, times=t, volatility=sigma, weight=share)
    check("forward", F, F > 0, "must be above 0", NonPositivePrice)
    for name, row in (("times", t), ("volatility", sigma), ("weight", w)):
        check(name, row, row >= 0, "must not be negative")
    K, known, D = _terms(strike, fixed, discount, F.shape[:-1])
    # Ordered by total variance, a fixing's covariance with any later one is its own variance.
    order = np.argsort(sigma * sigma * t, axis=-1, kind="stable")
    F, t, sigma, w = (np.take_along_axis(row, order, axis=-1) for row in (F, t, sigma, w))
    v = sigma * sigma * t
    check("volatility", v, v <= _LARGEST, "is a total variance (σ² t) too large to be priced")
    a = w * F
    later = _after(a)
    rise = np.expm1(v)
    mean = a.sum(axis=-1)
    total = w.sum(axis=-1)
    # Moments less those without volatility, which cancel: E[A²] − E[A]², half its slope in each
    # forward, half its curvature. A fixing shares its own variance with those after it.
    excess = (a * rise * (a + 2.0 * later)).sum(axis=-1)
    before = np.cumsum(a * rise, axis=-1) - a * rise
    excess_slope = w * (before + rise * (a + later))
    excess_curvature = (w * rise * (w + 2.0 * _after(w))).sum(axis=-1)
    open_mean = np.where(mean > 0, mean, 1.0)
    square = open_mean**2 + excess
    grows = 2.0 * sigma * t * (rise + 1.0) * a * (a + 2.0 * later)
    per_mean = total / open_mean
    each_slope = 2.0 * (excess_slope - w * (excess / open_mean)[..., None]) / square[..., None]
    slope = each_slope.sum(axis=-1)
    moments = _Moments(
        mean=mean,
        variance=np.log1p(excess / open_mean**2),
        mean_slope=total,
        variance_slope=slope,
        variance_curvature=2.0 * (excess_curvature - excess * per_mean**2) / square
        - 4.0 * per_mean * slope
        - slope**2,
        variance_by_volatility=grows.sum(axis=-1) / square,
    )
    value, by_mean, by_variance = _matched(moments, strike=K - known, discount=D, option=option)
    each = by_mean[..., None] * w + by_variance[..., None] * each_slope
    fixing_delta = np.empty_like(each)
    np.put_along_axis(fixing_delta, np.broadcast_to(order, each.shape), each, axis=-1)
    return FixingAverageOption(
        price=value.price,
        delta=value.delta,
        gamma=value.gamma,
        vega=value.vega,
        mean=value.mean,
        deviation=value.deviation,
        fixing_delta=fixing_delta,
    )


def levy_average_option(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    length: npt.ArrayLike,
    remaining: npt.ArrayLike,
    volatility: npt.ArrayLike,
    carry: npt.ArrayLike = 0.0,
    average: npt.ArrayLike = 0.0,
    discount: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> AverageOption:
    """
    Price options on a continuous arithmetic average by its first two moments (Levy).

    For comparison with published numbers: fixings are discrete, so trades take `average_option`.
    All broadcast; of a bought option, delta and gamma in spot.

    spot         currency/MWh, > 0
    strike       currency/MWh, any sign
    length       years over which the average is taken, from first to last, > 0
    remaining    years of it still to come, 0 to `length`; all has begun at the latest now
    volatility   lognormal, per √year, ≥ 0
    carry        growth of the forward a year: r − q on spot, 0 on a future
    average      currency/MWh, of the part that has passed; counts by its share of `length`
    discount     discount factor to the end of the average, > 0

    :raises NonPositivePrice: naming the argument and first offending index.
    :raises PricingError: for times outside their range, or what is not finite.
    Source: E. Levy, J. International Money and Finance 11 (1992) 474-491.
    """
    S, K, L, tau, sigma, b, known, D = broadcast(
        spot=spot, strike=strike, length=length, remaining=remaining, volatility=volatility,
        carry=carry, average=average, discount=discount,
    )  # fmt: skip
    check("spot", S, S > 0, "must be above 0", NonPositivePrice)
    check("strike", K, np.isfinite(K), "must be a number")
    check("length", L, L > 0, "must be above 0")
    check("remaining", tau, (tau >= 0) & (tau <= L), "must be from 0 to the length")
    check("volatility", sigma, sigma >= 0, "must not be negative")
    check("carry", b, np.isfinite(b), "must be a number")
    check("average", known, np.isfinite(known), "must be a number")
    check("discount", D, D > 0, "must be above 0", NonPositivePrice)
    check("volatility", sigma**2 * tau, sigma**2 * tau <= _LARGEST,
          "is a total variance (σ² t) too large to be priced")  # fmt: skip
    check("carry", b * tau, np.abs(b * tau) <= _LARGEST, "is a growth too large to be priced")
    # With the open part's share of the average taken out, and x of it passed at the earlier of a
    # pair's times, E[A²] − E[A]² is S² times
    # 2 ∫ e^{2bτx} (e^{σ²τx} − 1) (1−x) ∫ e^{bτ(1−x)y} dy dx, both from 0 to 1.
    u = tau[..., None] * _NODES
    drift, var = b[..., None], sigma[..., None] ** 2
    rest = tau[..., None] - u
    pairs = 2.0 * _WEIGHTS * (1.0 - _NODES) * np.exp(2.0 * drift * u) * exprel(drift * rest)
    growth = exprel(b * tau)
    excess = (pairs * np.expm1(var * u)).sum(axis=-1)
    by_volatility = (pairs * np.exp(var * u) * u).sum(axis=-1) * 2.0 * sigma
    zero = np.zeros_like(S)
    share = tau / L
    moments = _Moments(
        mean=S * growth * share,
        variance=np.log1p(excess / growth**2),
        mean_slope=growth * share,
        variance_slope=zero,
        variance_curvature=zero,
        variance_by_volatility=by_volatility / (growth**2 + excess),
    )
    left = K - known * (1.0 - share)
    return _matched(moments, strike=left, discount=D, option=option)[0]


def simulate_average_option(
    *,
    forward: npt.ArrayLike,
    strike: float,
    times: npt.ArrayLike,
    volatility: npt.ArrayLike,
    scenarios: int,
    generator: np.random.Generator,
    weight: npt.ArrayLike | None = None,
    fixed: float = 0.0,
    discount: float = 1.0,
    option: OptionType = OptionType.CALL,
) -> Estimate:
    """
    Price one option on an arithmetic average by exact simulation of its fixings.

    The arguments are those of `average_option` for one trade, forwards (fixing,). The law is the
    same and is drawn exactly, without time steps, in antithetic pairs; the option on the
    geometric average, whose value is known, is the control. Its factor for each half of the
    pairs comes from the other half, so that the estimate has no bias.

    scenarios   a multiple of 4, at least 8

    :raises PricingError: as `average_option`, and for scenarios that are no multiple of 4.
    Source: A. Kemna, A. Vorst, J. Banking and Finance 14 (1990) 113-129.
    """
    if scenarios < 8 or scenarios % 4:
        raise PricingError(f"scenarios: {scenarios} is no multiple of 4 from 8 on.")
    # The moments refuse what cannot be priced, by the same rules and words.
    matched = average_option(
        forward=forward, strike=strike, times=times, volatility=volatility, weight=weight,
        fixed=fixed, discount=discount, option=option,
    )  # fmt: skip
    if matched.fixing_delta.ndim != 1:
        raise PricingError(f"forward: {matched.fixing_delta.ndim} axes; one trade has one.")
    share = 1.0 / matched.fixing_delta.size if weight is None else weight
    F, t, sigma, w = broadcast(forward=forward, times=times, volatility=volatility, weight=share)
    F, t, sigma, w = np.broadcast_arrays(F, t, sigma, w, matched.fixing_delta)[:4]
    sign = 1.0 if option is OptionType.CALL else -1.0
    left = float(strike) - float(fixed)
    total = float(w.sum())
    if total == 0.0:
        payoff = discount * max(-sign * left, 0.0)
        return Estimate(payoff, 0.0, scenarios, seed_of(generator))
    order = np.argsort(sigma * sigma * t, kind="stable")
    F, v, w = F[order], (sigma * sigma * t)[order], w[order]
    half = generator.standard_normal((scenarios // 2, len(v))) * np.sqrt(np.diff(v, prepend=0.0))
    noise = np.cumsum(half, axis=1)
    noise = np.concatenate([noise, -noise])
    logs = np.log(F) - 0.5 * v + noise
    part = w / total
    arithmetic = discount * np.maximum(sign * (np.exp(logs) @ w - left), 0.0)
    geometric = discount * np.maximum(sign * (total * np.exp(logs @ part) - left), 0.0)
    log_mean = float(part @ (np.log(F) - 0.5 * v))
    log_variance = float((part * v * (part + 2.0 * _after(part))).sum())
    control = _Moments.lognormal(total * np.exp(log_mean + 0.5 * log_variance), log_variance)
    known = float(
        _matched(control, strike=np.asarray(left), discount=np.asarray(discount), option=option)[
            0
        ].price
    )
    pairs = np.stack([arithmetic, geometric]).reshape(2, 2, -1).mean(axis=1)
    first, second = np.split(pairs, 2, axis=1)
    controlled = [
        mine[0] - _factor(other) * (mine[1] - known)
        for mine, other in ((first, second), (second, first))
    ]
    found = estimate(np.concatenate(controlled), antithetic=False, seed=seed_of(generator))
    return Estimate(found.value, found.standard_error, scenarios, found.seed)


@dataclass(frozen=True, slots=True, eq=False)
class _Moments:
    """The mean of the open average and the variance of its logarithm, with derivatives."""

    mean: Floats
    variance: Floats
    mean_slope: Floats
    variance_slope: Floats
    variance_curvature: Floats
    variance_by_volatility: Floats

    @classmethod
    def lognormal(cls, mean: float, variance: float) -> _Moments:
        """Return moments that nothing is differentiated by."""
        zero = np.zeros(())
        return cls(np.asarray(mean), np.asarray(variance), zero, zero, zero, zero)


def _matched(
    moments: _Moments, *, strike: Floats, discount: Floats, option: Options
) -> tuple[AverageOption, Floats, Floats]:
    """Price by a lognormal of these moments; with the slopes in its mean and in its variance."""
    M, u, D = moments.mean, moments.variance, discount
    sign = signs(option)
    decided = (strike <= 0) | (M <= 0)
    K = np.where(decided, 1.0, strike)
    mean = np.where(decided, 1.0, M)
    s = np.sqrt(np.where(decided | (u < _STILL), 0.0, u))
    black = black76(forward=mean, strike=K, expiry=1.0, volatility=s, discount=D, option=option)
    moves = s > 0
    safe = np.where(moves, s, 1.0)
    d1 = np.where(moves, np.log(mean / K) / safe + 0.5 * safe, 0.0)
    by_variance = np.where(moves, black.vega / (2.0 * safe), 0.0)
    twice = by_variance * (d1 * (d1 - safe) - 1.0) / (2.0 * safe**2)
    cross = np.where(moves, black.vanna / (2.0 * safe), 0.0)
    forward_payoff = sign * (M - strike)
    by_mean = np.where(decided, D * np.where(forward_payoff > 0, sign, 0.0), black.delta)
    slope, bend = moments.mean_slope, moments.variance_slope
    shape = np.broadcast_shapes(M.shape, strike.shape, D.shape, sign.shape)
    gamma = (
        black.gamma * slope**2
        + 2.0 * cross * slope * bend
        + twice * bend**2
        + by_variance * moments.variance_curvature
    )
    option_value = AverageOption(
        price=np.where(decided, D * np.maximum(forward_payoff, 0.0), black.price),
        delta=by_mean * slope + by_variance * bend,
        gamma=np.where(decided, 0.0, gamma),
        vega=by_variance * moments.variance_by_volatility,
        mean=np.broadcast_to(M, shape),
        deviation=np.broadcast_to(np.sqrt(u), shape),
    )
    return option_value, by_mean, by_variance


def _terms(
    strike: npt.ArrayLike, fixed: npt.ArrayLike, discount: npt.ArrayLike, trades: tuple[int, ...]
) -> tuple[Floats, Floats, Floats]:
    """Return what a trade has once, of the trades' shape."""
    _, K, known, D = broadcast(
        forward=np.zeros(trades), strike=strike, fixed=fixed, discount=discount
    )
    check("strike", K, np.isfinite(K), "must be a number")
    check("fixed", known, np.isfinite(known), "must be a number")
    check("discount", D, D > 0, "must be above 0", NonPositivePrice)
    return K, known, D


def _after(row: Floats) -> Floats:
    """Return the sum of what follows each on the last axis."""
    found: Floats = np.flip(np.cumsum(np.flip(row, axis=-1), axis=-1), axis=-1) - row
    return found


def _factor(pairs: Floats) -> float:
    """Return the least-squares factor of the control, 0 where the control never pays or moves."""
    spread = pairs[1] - pairs[1].mean()
    scale = float(spread @ spread)
    return float(spread @ (pairs[0] - pairs[0].mean())) / scale if scale > 0 else 0.0
