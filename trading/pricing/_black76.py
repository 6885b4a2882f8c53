"""The Black-76 formula for European options on forwards, with its derivatives side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from trading.pricing._inputs import (
    Floats,
    NonPositivePrice,
    OptionType,
    broadcast,
    check,
)

_INVERSE_ROOT_TWO_PI = 1.0 / np.sqrt(2.0 * np.pi)


@dataclass(frozen=True, slots=True, eq=False)
class Black76:
    """
    What an option is worth and how that moves; each of the broadcast shape, of a bought option.

    price       currency/MWh
    delta       per currency/MWh of the forward
    gamma       of delta, per currency/MWh of the forward
    vega        per 1.00 of volatility (100 points)
    vanna       of delta, per 1.00 of volatility
    """

    price: Floats
    delta: Floats
    gamma: Floats
    vega: Floats
    vanna: Floats


def black76(
    *,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    expiry: npt.ArrayLike,
    volatility: npt.ArrayLike,
    discount: npt.ArrayLike = 1.0,
    option: OptionType = OptionType.CALL,
) -> Black76:
    """
    Price European options on forwards with the Black-76 formula.

    All arguments broadcast; each result has the broadcast shape, in the currency per MWh of
    `forward`, positive for a bought option.

    forward, strike   currency/MWh, > 0; the formula takes their logarithm
    expiry            years to expiry (ACT/365), ≥ 0; 0 gives the discounted payoff
    volatility        lognormal, per √year (0.45 is 45 %), ≥ 0; 0 likewise
    discount          discount factor to the payment date, > 0

    Where time or volatility is zero, delta is the payoff's (one half at the strike), and gamma,
    vega and vanna are zero.

    :raises NonPositivePrice: naming the argument and first offending index.
    :raises PricingError: for a negative time or volatility, or what is not finite.
    Source: F. Black, J. Financial Economics 3 (1976) 167-179.
    """
    F, K, T, sigma, D = broadcast(forward, strike, expiry, volatility, discount)
    for name, row in (("forward", F), ("strike", K), ("discount", D)):
        check(name, row, row > 0, "must be above 0", NonPositivePrice)
    for name, row in (("expiry", T), ("volatility", sigma)):
        check(name, row, row >= 0, "must not be negative")
    sign = 1.0 if option is OptionType.CALL else -1.0
    root = np.sqrt(T)
    deviation = sigma * root
    moves = deviation > 0
    scale = np.where(moves, deviation, 1.0)
    moneyness = np.log(F / K)
    at_limit = np.select([moneyness > 0, moneyness < 0], [np.inf, -np.inf], 0.0)
    d1 = np.where(moves, moneyness / scale + 0.5 * deviation, at_limit)
    d2 = np.where(moves, d1 - deviation, at_limit)
    density = np.where(
        moves, _INVERSE_ROOT_TWO_PI * np.exp(-0.5 * np.where(moves, d1, 0.0) ** 2), 0
    )
    return Black76(
        price=D * sign * (F * ndtr(sign * d1) - K * ndtr(sign * d2)),
        delta=D * sign * ndtr(sign * d1),
        gamma=D * density / (F * scale),
        vega=D * F * density * root,
        # ∂²V/∂F∂σ = −D n(d1) d2 / σ
        vanna=-D * density * np.where(moves, d2, 0.0) * root / scale,
    )
