"""
Options on a forward that may be exercised early: American and Bermudan, by every model.

A forward drifts nowhere, so its payoff is expected to grow by waiting; early exercise is worth
something only where the payment comes sooner and is therefore discounted less. What is paid on
fixed dates whenever the option is exercised, as a delivery is, makes it European.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trading.pricing._bachelier import bachelier
from trading.pricing._black76 import black76
from trading.pricing._inputs import (
    Floats,
    Options,
    OptionType,
    PricingError,
    broadcast,
    check,
    finite,
    not_negative,
    positive,
    refuse_overflow,
    signs,
    together,
)
from trading.pricing._model import ModelChoice, PriceModel, price_option
from trading.pricing._value import OptionValue

# Nodes on either side of the strike, and steps to expiry in the first of three refinements.
HALF, STEPS = 256, 32
# To hold an American option is not to exercise it within a day.
_DAY = 1.0 / 365.0
_FARTHEST = 7.0  # deviations from the strike within which the grid is read
_LARGEST = 100.0  # total variance; beyond it the grid's nodes are too far apart
_STILL = 1e-150
# What refinement does not show, as found beside QuantLib: of forward or strike, and of the premium.
_MISSED, _MISSED_OF_PREMIUM = 2e-6, 0.02
_PROBES = 24  # nodes around where exercise now begins to be worth more


@dataclass(frozen=True, slots=True)
class PremiumGrid:
    """
    What early exercise was computed on, the same for all options of a call.

    nodes       in the forward, around the strike, from −8 to 8 deviations to expiry
    steps       in time, of each of the refinements that were extrapolated to none
    """

    nodes: int
    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class EarlyExerciseValue:
    """
    What an option that may be exercised early is worth; each of the broadcast shape, bought.

    price       currency/MWh, discounted
    delta, gamma, vega      as `OptionValue`
    theta       per year of the option's own time, discount factors held: what discounting gives
                back is rate × price on top, unless it is best exercised now; that is worth no more
    european    the right to exercise at expiry alone, currency/MWh
    premium     price − european
    exercise    what exercise now pays, discounted; zero out of the money or where it is not allowed
    hold        worth if it is not exercised now, nor if American within a day
    boundary    forward at which exercise now is worth as much as to hold: beyond it, in the money,
                exercise; NaN where there is none, or exercise now is not allowed or never better
    error       estimate of what `price` may be wrong by, currency/MWh
    """

    price: Floats
    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats
    european: Floats
    premium: Floats
    exercise: Floats
    hold: Floats
    boundary: Floats
    error: Floats
    grid: PremiumGrid

    @property
    def is_best_now(self) -> npt.NDArray[np.bool_]:
        """Say where exercise now is worth more than to hold."""
        return np.asarray(self.exercise > self.hold)


def american_option(
    choice: ModelChoice,
    *,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    expiry: npt.ArrayLike,
    volatility: npt.ArrayLike,
    rate: npt.ArrayLike,
    discount: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> EarlyExerciseValue:
    """
    Price options on forwards that may be exercised at any time until they expire.

    Exercise in t years is worth discount × exp(rate (expiry − t)) × payoff today. All arguments
    broadcast; forward, strike, volatility and refusals are those of the model's own formula.

    expiry      years to expiry (ACT/365), ≥ 0; 0 gives the discounted payoff
    rate        continuous, per year: what an earlier exercise saves in discounting of its payment;
                0 where payment dates do not depend on exercise. At or below 0 it is European
    discount    discount factor to the payment of an exercise at expiry, > 0

    Without volatility the best of now and expiry, and the Greeks are the payoff's.

    :raises NonPositivePrice: naming the argument and first offending index.
    :raises PricingError: for a negative time or volatility, a total variance (σ² T) above 100 of a
        lognormal model, or what is not finite.
    Source: of the premium, implicit steps with the exercise rule of M. Brennan, E. Schwartz,
    J. Finance 32 (1977) 449-462, extrapolated in steps and mesh.
    """
    T = not_negative("expiry", expiry)
    D = positive("discount", discount, PricingError)
    T, D, r = broadcast(expiry=T, discount=D, rate=finite("rate", rate))
    wait = np.minimum(_DAY, T)
    with np.errstate(over="ignore"):
        now = D * np.exp(r * T)
    check("rate", now, now > 0, "is the discount of an exercise now, which must be above 0")
    plan = _Plan(
        expiry=T, discount=D, now=now,
        times=wait[None], log_gains=(r * (T - wait))[None], always=True,
        pieces=np.array([STEPS, 1]),
    )  # fmt: skip
    return _price(choice, plan, forward, strike, volatility, option)


def bermudan_option(
    choice: ModelChoice,
    *,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    times: npt.ArrayLike,
    volatility: npt.ArrayLike,
    discounts: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> EarlyExerciseValue:
    """
    Price options on forwards that may be exercised on some dates, the last of which is the expiry.

    The last axis of `times` and `discounts` is the date; the others broadcast with what is left.
    An option with fewer dates repeats one of them.

    times       years to each date (ACT/365), ≥ 0, in any order; 0 may be exercised now
    discounts   discount factor to the payment of an exercise on each date, > 0

    Other arguments, limits and refusals are those of `american_option`.
    """
    t = not_negative("times", times)
    if t.ndim == 0 or t.shape[-1] == 0:
        raise PricingError("times: must have dates of exercise, on the last axis.")
    t, D = together(times=t, discounts=positive("discounts", discounts, PricingError))
    if D.ndim and D.shape[-1] not in (1, t.shape[-1]):
        raise PricingError(f"discounts: has {D.shape[-1]} dates; must have {t.shape[-1]}.")
    t, D = broadcast(times=t, discounts=D)
    order = np.argsort(-t, axis=-1, kind="stable")
    t, D = (np.moveaxis(np.take_along_axis(row, order, axis=-1), -1, 0) for row in (t, D))
    # Now is weighed apart. What is now or repeats the expiry of all changes nothing here.
    is_now = t == 0
    times, gains = np.where(is_now, t[0], t), np.where(is_now, 0.0, np.log(D / D[0]))
    own = (times < t[0]).reshape(len(t), -1).any(axis=1)
    plan = _Plan(
        expiry=t[0], discount=D[0], now=np.where(is_now, D, 0.0).max(axis=0),
        times=times[own], log_gains=gains[own], always=False,
        pieces=np.full(own.sum() + 1, max(2, -(-STEPS // (own.sum() + 1)))),
    )  # fmt: skip
    return _price(choice, plan, forward, strike, volatility, option)


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """
    When exercise is allowed, and how its payment is discounted; the first axis is the date.

    discount    to the payment of an exercise at expiry
    now         to that of one now; 0 where it is not allowed
    times       years to the dates before expiry and after now; of `always` the first after now
    log_gains   of each, the logarithm of its payment's discount factor over `discount`
    pieces      steps of each interval: expiry to the first of `times` to the others to now
    """

    expiry: Floats
    discount: Floats
    now: Floats
    times: Floats
    log_gains: Floats
    always: bool
    pieces: npt.NDArray[np.int64]


def _price(
    choice: ModelChoice,
    plan: _Plan,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    volatility: npt.ArrayLike,
    option: Options,
) -> EarlyExerciseValue:
    european = price_option(
        choice, forward=forward, strike=strike, expiry=plan.expiry, volatility=volatility,
        discount=plan.discount, option=option,
    )  # fmt: skip
    F, K, sigma, sign, T, D, now = broadcast(
        forward=forward, strike=strike, volatility=volatility, option=signs(option),
        expiry=plan.expiry, discount=plan.discount, now=plan.now,
    )  # fmt: skip
    shift = choice.displacement
    black = choice.model is not PriceModel.BACHELIER
    F, K = F + shift, K + shift
    if black:
        v = sigma * sigma * T
        check("volatility", v, v <= _LARGEST, "is a total variance (σ² T) too large to be priced")
    times, log_gains = (
        np.broadcast_to(row.reshape(len(row), *(1,) * (F.ndim + 1 - row.ndim), *row.shape[1:]),
                        (len(row), *F.shape))
        for row in (plan.times, plan.log_gains)
    )  # fmt: skip
    payoff = np.maximum(sign * (F - K), 0.0)
    exercise = now * payoff
    # What waits without looking at the forward again: to the date that discounts least.
    sure = D * np.exp(np.maximum(log_gains.max(axis=0, initial=0.0), 0.0))
    added = _premium(european, black, plan, F, K, sigma, T, sign, D, now, times, log_gains)
    held = european.price + added.price
    hold = np.maximum(european.price + added.hold, sure * payoff)
    is_now, is_sure = exercise > hold, sure * payoff > held
    linear, paid = is_sure | is_now, np.where(is_now, now, sure)
    delta, gamma, vega = (
        np.where(linear, flat, getattr(european, name) + getattr(added, name))
        for name, flat in (("delta", paid * sign), ("gamma", 0.0), ("vega", 0.0))
    )
    moves = sigma * F if black else sigma
    missed = _MISSED * D * (np.maximum(F, K) if black else sigma * np.sqrt(T))
    missed = np.minimum(missed, _MISSED_OF_PREMIUM * added.price)
    price = np.where(is_now, exercise, np.maximum(held, hold))
    found = EarlyExerciseValue(
        price=price,
        delta=delta,
        gamma=gamma,
        vega=vega,
        theta=np.where(linear, 0.0, -0.5 * moves * moves * gamma),
        european=european.price,
        premium=price - european.price,
        exercise=exercise,
        hold=hold,
        boundary=added.boundary - shift,
        error=np.where(linear | (added.error == 0), 0.0, 2.0 * added.error + missed),
        grid=PremiumGrid(2 * HALF + 1, tuple(int(plan.pieces.sum()) * n for n in (1, 2, 4))),
    )
    ends = np.isfinite(price) & np.isfinite(delta) & np.isfinite(gamma) & np.isfinite(vega)
    refuse_overflow(-1 if ends.all() else int(np.argmin(ends)), F.shape)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Premium:
    """What early exercise adds to the European, and the forward from which on it is best now."""

    price: Floats
    delta: Floats
    gamma: Floats
    vega: Floats
    hold: Floats
    error: Floats
    boundary: Floats


def _premium(
    european: OptionValue, black: bool, plan: _Plan, F: Floats, K: Floats, sigma: Floats,
    T: Floats, sign: Floats, D: Floats, now: Floats, times: Floats, log_gains: Floats,
) -> _Premium:  # fmt: skip
    """Solve for those options whose payment gains by coming sooner; of all others it is zero."""
    from trading.pricing._early_exercise_kernels import premium_rows

    found = [np.zeros(F.shape) for _ in range(6)] + [np.full(F.shape, np.nan)]
    deviation = sigma * np.sqrt(T)
    moves = deviation > _STILL
    safe = np.where(moves, deviation, 1.0)
    distance = np.log(F / K) if black else F - K
    y = -sign * distance / safe
    gains = (log_gains > 0).any(axis=0) & moves & (T > 0)
    chosen = gains & (np.abs(y) < _FARTHEST)
    if not chosen.any():
        return _Premium(*found)
    f, k, s, t, d, z = (row[chosen] for row in (F, K, safe, T, D, y))
    way = -sign[chosen]
    S = s * s
    ends = np.concatenate((1.0 - times[:, chosen] / t, np.ones((1, f.size))))
    at_once = now[chosen] if plan.always else np.zeros(f.size)
    last = np.log(at_once / d) if plan.always else at_once
    rise = np.concatenate((log_gains[:, chosen], last[None]))
    out, probes = np.empty((6, f.size)), np.full((2, _PROBES, f.size), np.nan)
    premium_rows(
        S, z, at_once / d, ends, rise, plan.pieces.astype(np.int64), plan.always, black, HALF,
        out, probes,
    )  # fmt: skip
    W, W1, W2, W_S, kept, error = out
    if black:
        scale = d * np.sqrt(f * k) * np.exp(-S / 8.0)
        q = way / s
        first, second = scale * (W / 2.0 + W1 * q), scale * (W / 4.0 + W1 * q + W2 * q * q)
        by_variance = scale * (W_S - W / 8.0 - W1 * z / (2.0 * S))
        values = (
            scale * W, first / f, (second - first) / (f * f),
            by_variance * 2.0 * s * np.sqrt(t), scale * kept, scale * error,
        )  # fmt: skip
        probed = k * np.exp(way * probes[0] * s)
        scale = d * np.sqrt(probed * k) * np.exp(-S / 8.0)
    else:
        scale = d * s
        values = (
            scale * W, d * way * W1, d * W2 / s, d * np.sqrt(t) * (W - z * W1),
            scale * kept, scale * error,
        )  # fmt: skip
        probed = k + way * probes[0] * s
    found[6][chosen] = _crossing(
        black, probed, scale * probes[1], at_once, K=k, s=s, d=d, sign=sign[chosen]
    )
    for row, value in zip(found[:6], values, strict=True):
        row[chosen] = value
    found[0], found[4] = np.maximum(found[0], 0.0), np.maximum(found[4], 0.0)
    return _Premium(*found)


def _crossing(
    black: bool, forward: Floats, added: Floats, now: Floats, *, K: Floats, s: Floats, d: Floats,
    sign: Floats,
) -> Floats:  # fmt: skip
    """Return where exercise now equals to hold, between two of the forwards of each option."""
    found = np.full(K.shape, np.nan)
    some = np.isfinite(forward).all(axis=0)
    if not some.any():
        return found
    F, K, sign = forward[:, some], K[some], sign[some]
    euro = (black76 if black else bachelier)(
        forward=F, strike=K, expiry=1.0, volatility=s[some], discount=d[some],
        option=np.where(sign > 0, OptionType.CALL.value, OptionType.PUT.value),
    ).price  # fmt: skip
    gap = euro + added[:, some] - now[some] * np.maximum(sign * (F - K), 0.0)
    low = len(F) - 2 - np.argmax((gap[:-1] < 0)[::-1], axis=0)
    (left, right), (below, above) = (
        np.take_along_axis(row, np.stack((low, low + 1)), axis=0) for row in (F, gap)
    )
    crosses = (below < 0) & (above >= 0)
    share = np.divide(-below, above - below, out=np.zeros_like(below), where=crosses)
    found[some] = np.where(crosses, left + share * (right - left), np.nan)
    return found
