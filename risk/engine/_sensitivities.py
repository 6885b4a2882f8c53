"""Delta, gamma, vega and theta of a portfolio by node, by the formulas' own derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.engine._errors import ScenarioError
from risk.engine._revaluation import Portfolio
from trading.pricing import price_option

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivities:
    """
    What a portfolio gains as its market moves, each node by itself.

    delta       (node,), discounted units: per currency/unit of the price
    gamma       (node,), of delta, per currency/unit
    vega        (volatility node,), currency per 1.00 of volatility, in the model's kind
    theta       (volatility node,), currency per year that passes, discount factors held
    """

    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats


def sensitivities(
    portfolio: Portfolio, prices: npt.ArrayLike, volatilities: npt.ArrayLike
) -> Sensitivities:
    """
    Return the sensitivities of a portfolio today.

    prices, volatilities    today, (node,) and (volatility node,)

    :raises ScenarioError: for a node that a forward or option stands on and that is none.
    :raises trading.pricing.PricingError: for what an option's formula cannot take.
    """
    F, sigma = np.asarray(prices, np.float64), np.asarray(volatilities, np.float64)
    held = portfolio.forwards
    positions = (
        ("node", F.size, (held.node, *(rows.node for rows in portfolio.options))),
        ("volatility_node", sigma.size, tuple(rows.volatility_node for rows in portfolio.options)),
    )
    for name, count, rows in positions:
        if any(len(row) and not 0 <= np.min(row) <= np.max(row) < count for row in rows):
            raise ScenarioError(f"{name}: must be positions of {count}.")
    delta = np.bincount(held.node, held.amount, F.size).astype(np.float64)
    gamma = np.zeros(F.size)
    vega, theta = np.zeros(sigma.size), np.zeros(sigma.size)
    for options in portfolio.options:
        worth = price_option(
            options.model, forward=F[options.node], strike=options.strike, expiry=options.years,
            volatility=sigma[options.volatility_node], option=options.option,
        )  # fmt: skip
        for total, node, term in (
            (delta, options.node, worth.delta), (gamma, options.node, worth.gamma),
            (vega, options.volatility_node, worth.vega),
            (theta, options.volatility_node, worth.theta),
        ):  # fmt: skip
            total += np.bincount(node, options.amount * term, total.size)
    return Sensitivities(delta, gamma, vega, theta)
