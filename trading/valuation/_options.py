"""Why an option's value changed in a day: by Greeks, and by full revaluation step by step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trading.pricing import OptionType, black76


@dataclass(frozen=True, slots=True)
class OptionState:
    """
    What an option's value depends on at one time.

    forward, strike     currency/MWh, > 0
    expiry              years to expiry (ACT/365), ≥ 0
    volatility          lognormal, per √year
    rate                continuous, per year; the payment is discounted over the time to expiry
    """

    option: OptionType
    forward: float
    strike: float
    expiry: float
    volatility: float
    rate: float


@dataclass(frozen=True, slots=True)
class OptionExplain:
    """
    The P&L of an option over a day in currency, twice.

    Taylor: theta is the full effect of time; delta, gamma, vega and vanna are taken after the
    time step; what they leave is `unexplained`. Steps: full revaluation, time → price → vol,
    which sum to `total` exactly.
    """

    theta: float
    delta: float
    gamma: float
    vega: float
    vanna: float
    total: float
    unexplained: float
    step_time: float
    step_price: float
    step_vol: float


def explain_option(
    before: OptionState, *, days: float, forward: float, volatility: float, quantity: float
) -> OptionExplain:
    """
    Attribute the change of an option's value to time, price and volatility.

    days        years that pass (ACT/365), at most the time to expiry
    forward, volatility     after the day
    quantity    MWh, bought +, sold −

    :raises PricingError: as `black76`, and for more time than there is left.
    """
    left = before.expiry - days

    def worth(price: float, sigma: float, years: float) -> float:
        return quantity * float(
            black76(
                forward=price,
                strike=before.strike,
                expiry=years,
                volatility=sigma,
                discount=float(np.exp(-before.rate * years)),
                option=before.option,
            ).price
        )

    greeks = black76(
        forward=before.forward,
        strike=before.strike,
        expiry=left,
        volatility=before.volatility,
        discount=float(np.exp(-before.rate * left)),
        option=before.option,
    )
    start = worth(before.forward, before.volatility, before.expiry)
    aged = worth(before.forward, before.volatility, left)
    moved = worth(forward, before.volatility, left)
    end = worth(forward, volatility, left)
    dF, dv = forward - before.forward, volatility - before.volatility
    theta = aged - start
    delta = quantity * float(greeks.delta) * dF
    gamma = quantity * float(greeks.gamma) * dF * dF / 2
    vega = quantity * float(greeks.vega) * dv
    vanna = quantity * float(greeks.vanna) * dF * dv
    total = end - start
    return OptionExplain(
        theta=theta,
        delta=delta,
        gamma=gamma,
        vega=vega,
        vanna=vanna,
        total=total,
        unexplained=total - theta - delta - gamma - vega - vanna,
        step_time=theta,
        step_price=moved - aged,
        step_vol=end - moved,
    )
