"""The Black-76 formula for European options on forwards, plain and displaced."""

from __future__ import annotations

import numpy.typing as npt

from trading.pricing._inputs import (
    Options,
    OptionType,
    finite,
    not_negative,
    positive,
    signs,
    together,
)
from trading.pricing._value import OptionValue, value_rows


def black76(
    *,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    expiry: npt.ArrayLike,
    volatility: npt.ArrayLike,
    discount: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> OptionValue:
    """
    Price European options on forwards with the Black-76 formula.

    All arguments broadcast; each result has the broadcast shape, in the currency per MWh of
    `forward`, positive for a bought option.

    forward, strike   currency/MWh, > 0; the formula takes their logarithm
    expiry            years to expiry (ACT/365), ≥ 0; 0 gives the discounted payoff
    volatility        lognormal, per √year (0.45 is 45 %), ≥ 0; 0 likewise
    discount          discount factor to the payment date, > 0

    Where time or volatility is zero, delta is the payoff's (one half at the strike), and the
    other derivatives are zero.

    :raises NonPositivePrice: naming the argument and first offending index.
    :raises PricingError: for a negative time or volatility, or what is not finite.
    Source: F. Black, J. Financial Economics 3 (1976) 167-179.
    """
    from trading.pricing._option_kernels import black76_rows

    return value_rows(
        black76_rows,
        signs(option),
        forward=(positive, forward),
        strike=(positive, strike),
        expiry=(not_negative, expiry),
        volatility=(not_negative, volatility),
        discount=(positive, discount),
    )


def displaced_black(
    *,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    displacement: npt.ArrayLike,
    expiry: npt.ArrayLike,
    volatility: npt.ArrayLike,
    discount: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> OptionValue:
    """
    Price European options on forwards whose sum with a displacement is lognormal.

    As `black76`, on `forward + displacement` and `strike + displacement`: prices may fall to
    minus the displacement and no further. A delta is still per currency/MWh of the forward, and
    the volatility is of the displaced forward.

    displacement      currency/MWh, larger than any loss of the forward and of the strike

    :raises NonPositivePrice: naming the sum and first offending index.
    :raises PricingError: for a negative time or volatility, or what is not finite.
    Source: M. Rubinstein, J. Finance 38 (1983) 213-217.
    """
    F, K, shift = together(forward=forward, strike=strike, displacement=displacement)
    return black76(
        forward=positive(
            "forward + displacement", finite("forward", F) + finite("displacement", shift)
        ),
        strike=positive("strike + displacement", finite("strike", K) + shift),
        expiry=expiry,
        volatility=volatility,
        discount=discount,
        option=option,
    )
