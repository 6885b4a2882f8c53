"""The Bachelier formula for European options on forwards that may be negative."""

from __future__ import annotations

import numpy.typing as npt

from trading.pricing._inputs import Options, OptionType, finite, not_negative, positive, signs
from trading.pricing._value import OptionValue, value_rows


def bachelier(
    *,
    forward: npt.ArrayLike,
    strike: npt.ArrayLike,
    expiry: npt.ArrayLike,
    volatility: npt.ArrayLike,
    discount: npt.ArrayLike = 1.0,
    option: Options = OptionType.CALL,
) -> OptionValue:
    """
    Price European options on forwards with the Bachelier (normal) formula.

    All arguments broadcast; each result has the broadcast shape, in the currency per MWh of
    `forward`, positive for a bought option.

    forward, strike   currency/MWh, of either sign
    expiry            years to expiry (ACT/365), ≥ 0; 0 gives the discounted payoff
    volatility        normal, currency/MWh per √year (12.5 is 12.5 EUR/MWh), ≥ 0; 0 likewise
    discount          discount factor to the payment date, > 0

    Where time or volatility is zero, delta is the payoff's (one half at the strike), and the
    other derivatives are zero.

    :raises PricingError: naming the argument and first offending index.
    Source: L. Bachelier, Ann. Sci. Éc. Norm. Supér. 17 (1900) 21-86, on a forward.
    """
    from trading.pricing._option_kernels import bachelier_rows

    return value_rows(
        bachelier_rows,
        signs(option),
        forward=(finite, forward),
        strike=(finite, strike),
        expiry=(not_negative, expiry),
        volatility=(not_negative, volatility),
        discount=(positive, discount),
    )
