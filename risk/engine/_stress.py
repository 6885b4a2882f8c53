"""
Stress: one stated move of the market, revalued in full, and what each part of it does.

A stress is a list of shocks. They work one after the other, each on the level that those before it
left, and so do their effects: they sum to the whole exactly, whatever options make of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from risk.engine._errors import ScenarioError
from risk.engine._payments import PaidPortfolio, PaidRevaluation, PaymentMarket, revalue_paid
from risk.engine._revaluation import Portfolio, Revaluation, revalue
from risk.engine._shocks import ShockRule, Shocks

Floats = npt.NDArray[np.float64]


class StressTarget(StrEnum):
    """What a shock moves, and so what its nodes are positions of."""

    PRICE = "PRICE"
    VOLATILITY = "VOLATILITY"
    """Never below zero: what would take it there leaves it at zero."""
    RATE = "RATE"
    """Exchange rates, by currency of the payment market."""
    DISCOUNT = "DISCOUNT"
    """Discount factors, by payment."""
    VOLUME = "VOLUME"
    """What is delivered, by trade, at the prices that the trade has; 1 is as contracted."""


@dataclass(frozen=True, slots=True, eq=False)
class StressShock:
    """
    One move of some prices, volatilities, rates or volumes.

    name            what it is called where its effect is shown
    nodes           positions of what moves, by the target
    moves           one for all of them or one each, by the rule: 0.3 is +30 % if RELATIVE
    displacement    of DISPLACED
    """

    name: str
    nodes: npt.NDArray[np.int64]
    moves: npt.ArrayLike
    rule: ShockRule = ShockRule.RELATIVE
    target: StressTarget = StressTarget.PRICE
    displacement: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class StressResult:
    """
    What a stress does to a portfolio; currency, gains positive.

    steps       P&L that each shock adds, in their order; they sum to `pnl`
    by_trade    (trade,), of the whole stress; likewise
    """

    pnl: float
    steps: tuple[tuple[str, float], ...]
    by_trade: Floats


def stress(
    portfolio: Portfolio | PaidPortfolio, prices: npt.ArrayLike, volatilities: npt.ArrayLike,
    shocks: Sequence[StressShock], *, payments: PaymentMarket | None = None,
) -> StressResult:  # fmt: skip
    """
    Put a portfolio under stress.

    prices, volatilities    today, (node,) and (volatility node,)
    payments                today, of a portfolio whose rows say where they are paid

    :raises ScenarioError: naming the shock whose nodes, moves or rule do not fit the market, or a
        portfolio whose payments have no market.
    :raises trading.pricing.PricingError: for a price that an option's formula cannot take.
    """
    if not shocks:
        raise ScenarioError("shocks: at least one.")
    if isinstance(portfolio, PaidPortfolio) != (payments is not None):
        raise ScenarioError("payments: must be given for a portfolio that says where it is paid.")
    held = portfolio.held if isinstance(portfolio, PaidPortfolio) else portfolio
    states = _states(held.trades, prices, volatilities, payments, shocks)
    found = _revalued(portfolio, payments, states)
    volumes = states[StressTarget.VOLUME]
    if (volumes == 1.0).all():
        totals = found.pnl[1:]
        by_trade = found.weighted(np.eye(len(found.pnl))[-1])
    else:
        # A trade's value goes with its volume, so what it gains is known without its rows.
        worth = volumes * (found.trade_value[:, None] + found.trade_pnl(np.arange(held.trades)))
        gained = worth - found.trade_value[:, None]
        totals, by_trade = gained.sum(axis=0)[1:], gained[:, -1]
    effects = np.diff(totals, prepend=0.0).tolist()
    names = [shock.name for shock in shocks]
    return StressResult(float(totals[-1]), tuple(zip(names, effects, strict=True)), by_trade)


def _states(
    trades: int, prices: npt.ArrayLike, volatilities: npt.ArrayLike,
    payments: PaymentMarket | None, shocks: Sequence[StressShock],
) -> dict[StressTarget, Floats]:  # fmt: skip
    """Return the levels of each target, (node, 1 + shock), today's first."""
    nothing = np.zeros(0)
    levels = {
        StressTarget.PRICE: [np.asarray(prices, np.float64)],
        StressTarget.VOLATILITY: [np.asarray(volatilities, np.float64)],
        StressTarget.RATE: [nothing if payments is None else payments.rate],
        StressTarget.DISCOUNT: [nothing if payments is None else payments.discount],
        StressTarget.VOLUME: [np.ones(trades)],
    }
    for shock in shocks:
        for target, rows in levels.items():
            rows.append(_moved(rows[-1], shock) if shock.target is target else rows[-1])
    return {target: np.stack(rows, axis=1) for target, rows in levels.items()}


def _revalued(
    portfolio: Portfolio | PaidPortfolio, payments: PaymentMarket | None,
    states: dict[StressTarget, Floats],
) -> Revaluation | PaidRevaluation:  # fmt: skip
    prices, vols = states[StressTarget.PRICE], states[StressTarget.VOLATILITY]
    market = prices[:, 0], vols[:, 0], prices, vols
    if isinstance(portfolio, Portfolio):
        return revalue(portfolio, *market, each=True)
    assert payments is not None
    moved = PaymentMarket(
        payments.discount, payments.currency, payments.rate, states[StressTarget.DISCOUNT],
        states[StressTarget.RATE],
    )  # fmt: skip
    return revalue_paid(portfolio, moved, *market, each=True)


def _moved(levels: Floats, shock: StressShock) -> Floats:
    nodes = np.asarray(shock.nodes)
    if nodes.size and not 0 <= nodes.min() <= nodes.max() < levels.size:
        raise ScenarioError(f"{shock.name}: nodes must be positions of {levels.size}.")
    try:
        moves = np.broadcast_to(np.asarray(shock.moves, np.float64), nodes.shape)
    except ValueError as error:
        raise ScenarioError(f"{shock.name}: moves must be one, or one for each node.") from error
    rules = Shocks.all(nodes.size, shock.rule, shock.displacement)
    found = levels.copy()
    try:
        found[nodes] = rules.applied(levels[nodes], moves)
    except ScenarioError as error:
        raise ScenarioError(f"{shock.name}: {error}") from error
    if shock.target is StressTarget.VOLATILITY:
        return np.maximum(found, 0.0)
    if shock.target is StressTarget.VOLUME and (found < 0).any():
        raise ScenarioError(f"{shock.name}: a volume must not fall below zero.")
    if shock.target in (StressTarget.RATE, StressTarget.DISCOUNT) and (found <= 0).any():
        raise ScenarioError(f"{shock.name}: rates and discount factors must stay above zero.")
    return found
