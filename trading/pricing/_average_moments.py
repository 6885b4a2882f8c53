"""A lognormal of the average's first two moments, and what an average option gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trading.pricing._black76 import black76
from trading.pricing._inputs import Floats, Options, refuse_overflow, signs

# e^700 is about the largest number; a lognormal second moment of e^300 is nobody's price.
LARGEST = 300.0
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
    deviation   of the open part: of its logarithm, as matched (σ√T); of a normal, currency/MWh
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


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """The mean of the open average and the variance of its logarithm, with derivatives."""

    mean: Floats
    variance: Floats
    mean_slope: Floats
    variance_slope: Floats
    variance_curvature: Floats
    variance_by_volatility: Floats


def matched(
    moments: Moments, *, strike: Floats, discount: Floats, option: Options
) -> tuple[AverageOption, Floats, Floats]:
    """
    Price by a lognormal of these moments; with the slopes in its mean and in its variance.

    :raises PricingError: naming the first index that leads beyond 64-bit numbers.
    """
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
    gamma: Floats = (
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
    figures = (option_value.price, option_value.delta, option_value.gamma, option_value.vega)
    beyond = ~np.isfinite(np.broadcast_arrays(*figures)).all(axis=0)
    refuse_overflow(int(np.argmax(beyond)) if beyond.any() else -1, shape)
    return option_value, by_mean, by_variance


def after(row: Floats) -> Floats:
    """Return the sum of what follows each on the last axis."""
    found: Floats = np.flip(np.cumsum(np.flip(row, axis=-1), axis=-1), axis=-1) - row
    return found
