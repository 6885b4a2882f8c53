"""Implied volatilities: what a model must be told to give an option's price."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import (
    Floats,
    Options,
    OptionType,
    PricingError,
    finite,
    positive,
    rows,
    signs,
)
from trading.pricing._model import ModelChoice, PriceModel


class NoImpliedVolatility(PricingError):
    """A price at or below the payoff's, or at or above the most that an option can be worth."""


def black76_implied_volatility(
    *,
    price: npt.ArrayLike,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    expiry: npt.ArrayLike,
    discount: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> Floats:
    """
    Return the volatility with which `black76` gives each price.

    All arguments broadcast; lognormal, per √year. The volatility is as exact as the price's time
    value: deep in the money that has lost the digits that the payoff takes.

    price             currency/MWh, discounted
    forward, strike   currency/MWh, > 0
    expiry            years to expiry (ACT/365), > 0
    discount          discount factor to the payment date, > 0

    :raises NoImpliedVolatility: naming the first index whose price no volatility gives.
    :raises PricingError: as `black76`, and for no time to expiry.
    Source: after P. Jäckel, Wilmott (2015) 40-53: the option out of the money, objectives by
    region, Householder's third order; initial guesses and code are our own.
    """
    from trading.pricing._option_kernels import black76_volatilities

    F, K = positive("forward", forward), positive("strike", strike)
    return _implied(black76_volatilities, price, F, K, expiry, discount, option)


def bachelier_implied_volatility(
    *,
    price: npt.ArrayLike,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    expiry: npt.ArrayLike,
    discount: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> Floats:
    """
    Return the volatility with which `bachelier` gives each price.

    All arguments broadcast; normal, in currency/MWh per √year. Arguments are those of
    `black76_implied_volatility`, but forward and strike may have either sign.

    :raises NoImpliedVolatility: naming the first index whose price no volatility gives.
    :raises PricingError: as `bachelier`, and for no time to expiry.
    Source: after P. Jäckel, "Implied Normal Volatility", Wilmott (2017) 52-54: one variable, the
    value over |F − K|; the iteration is our own.
    """
    from trading.pricing._option_kernels import bachelier_volatilities

    F, K = finite("forward", forward), finite("strike", strike)
    return _implied(bachelier_volatilities, price, F, K, expiry, discount, option)


def implied_volatility(
    choice: ModelChoice,
    *,
    price: npt.ArrayLike,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    expiry: npt.ArrayLike,
    discount: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> Floats:
    """
    Return the volatility with which the chosen model gives each price.

    Arguments and refusals are those of the model's own function; of displaced Black it is the
    volatility of the displaced forward.
    """
    if choice.model is PriceModel.BACHELIER:
        return bachelier_implied_volatility(
            price=price, forward=forward, strike=strike, expiry=expiry, discount=discount,
            option=option,
        )  # fmt: skip
    F, K = finite("forward", forward), finite("strike", strike)
    if choice.model is PriceModel.DISPLACED_BLACK:
        F = positive("forward + displacement", F + choice.displacement)
        K = positive("strike + displacement", K + choice.displacement)
    return black76_implied_volatility(
        price=price, forward=F, strike=K, expiry=expiry, discount=discount, option=option
    )


def _implied(
    kernel: Callable[..., int],
    price: npt.ArrayLike,
    F: Floats,
    K: Floats,
    expiry: npt.ArrayLike,
    discount: npt.ArrayLike,
    option: Options,
) -> Floats:
    """Run a kernel over the arguments, broadcast, and name the first price it refuses."""
    shape, flat = rows(
        finite("price", price),
        F,
        K,
        positive("expiry", expiry, PricingError),
        positive("discount", discount),
        signs(option),
    )
    found = np.empty(flat[0].size)
    i = kernel(*flat, found)
    if i >= 0:
        p, F, K, _, D, sign = (row[i] for row in flat)
        where = [int(n) for n in np.unravel_index(i, shape)]
        raise NoImpliedVolatility(
            f"price{where or ''}: {p} leaves {p / D - max(sign * (F - K), 0.0)} above the payoff; "
            "it must leave more than 0, and by Black less than the lower of forward and strike."
        )
    return found.reshape(shape)
