"""
Stress: one stated move of the market, revalued in full, and what each part of it does.

A stress is a list of shocks. They work one after the other, each on the level that those before it
left, and so do their effects: they sum to the whole exactly, whatever options make of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.engine._errors import ScenarioError
from risk.engine._revaluation import Portfolio, revalue
from risk.engine._shocks import ShockRule, Shocks

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class StressShock:
    """
    One move of some prices, or of some volatilities.

    name            what it is called where its effect is shown
    nodes           positions of the nodes that move
    moves           one for all of them or one each, by the rule: 0.3 is +30 % if RELATIVE
    of_volatility   whether they are volatilities; else prices
    displacement    of DISPLACED
    """

    name: str
    nodes: npt.NDArray[np.int64]
    moves: npt.ArrayLike
    rule: ShockRule = ShockRule.RELATIVE
    of_volatility: bool = False
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
    portfolio: Portfolio, prices: npt.ArrayLike, volatilities: npt.ArrayLike,
    shocks: Sequence[StressShock],
) -> StressResult:  # fmt: skip
    """
    Put a portfolio under stress.

    prices, volatilities    today, (node,) and (volatility node,)

    A volatility that a shock would take below zero is zero.

    :raises ScenarioError: naming the shock whose nodes, moves or rule do not fit the market.
    :raises trading.pricing.PricingError: for a price that an option's formula cannot take.
    """
    today, vols = np.asarray(prices, np.float64), np.asarray(volatilities, np.float64)
    if not shocks:
        raise ScenarioError("shocks: at least one.")
    levels, sigmas = [today], [vols]
    for shock in shocks:
        levels.append(levels[-1] if shock.of_volatility else _moved(levels[-1], shock))
        sigmas.append(np.maximum(_moved(sigmas[-1], shock), 0.0) if shock.of_volatility
                      else sigmas[-1])  # fmt: skip
    found = revalue(
        portfolio, today, vols, np.stack(levels[1:], axis=1), np.stack(sigmas[1:], axis=1),
        each=True,
    )  # fmt: skip
    effects = np.diff(found.pnl, prepend=0.0).tolist()
    names = [shock.name for shock in shocks]
    by_trade = found.weighted(np.eye(len(shocks))[-1])
    return StressResult(
        float(found.pnl[-1]), tuple(zip(names, effects, strict=True)), by_trade
    )  # fmt: skip


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
    return found
