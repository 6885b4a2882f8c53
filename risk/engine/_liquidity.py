"""
What it costs to get out: VaR over the days that it takes, and the spread paid on the way.

A position is sold in even parts over its days of liquidation, so what is left at risk shrinks day
by day; the variance over n days is that of one day × n (1 + 1/n) (1 + 1/(2n)) / 3 (RiskMetrics
Technical Document, 1996). The spread is added as Bangia, Diebold, Schuermann and Stroughair (1999)
do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.engine._errors import ScenarioError
from risk.engine._tail import Convention, TailRisk, tail_risk

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LiquidityAdjusted:
    """
    VaR with the days and the cost of getting out; losses positive.

    tail        of P&L over each node's days of liquidation
    cost        half the stressed spread of all that is held, currency
    days        (node,), of liquidation
    """

    tail: TailRisk
    cost: float
    days: Floats

    @property
    def var(self) -> float:
        """Return the liquidity-adjusted VaR."""
        return self.tail.var + self.cost


def liquidation_days(
    held: npt.ArrayLike, daily_volume: npt.ArrayLike, *, participation: float = 0.25
) -> Floats:
    """
    Return the days that positions take to sell without being more than a share of the market.

    held            (node,), units, either sign
    daily_volume    (node,), units that the market trades a day, > 0
    participation   of that, within (0, 1]

    At least one day, so that liquidity never lowers a VaR.

    :raises ScenarioError: naming the argument and the rule.
    """
    units, volume = np.abs(np.asarray(held, np.float64)), np.asarray(daily_volume, np.float64)
    if units.shape != volume.shape or units.ndim != 1:
        raise ScenarioError("daily_volume: must be one for each position.")
    if not (np.isfinite(units).all() and np.isfinite(volume).all() and (volume > 0).all()):
        raise ScenarioError("daily_volume: must be above zero and finite, and positions finite.")
    if not 0.0 < participation <= 1.0:
        raise ScenarioError(f"participation: {participation} must be above 0 and at most 1.")
    days: Floats = np.maximum(np.ceil(units / (volume * participation) - 1e-9), 1.0)
    return days


def liquidity_adjusted(
    held: npt.ArrayLike, moves: npt.ArrayLike, days: npt.ArrayLike, spread: npt.ArrayLike,
    convention: Convention, *, stressed: float = 1.0,
) -> LiquidityAdjusted:  # fmt: skip
    """
    Return VaR adjusted for liquidity, from positions by node: it does not add over trades.

    held        (node,), units or deltas
    moves       (node, scenario), currency/unit over one day
    days        (node,), of liquidation, ≥ 1
    spread      (node,), currency/unit between bid and ask, ≥ 0
    stressed    how many times as wide it is when one has to sell, ≥ 1

    :raises ScenarioError: naming the argument and the rule.
    """
    units, step = np.asarray(held, np.float64), np.asarray(moves, np.float64)
    n, wide = np.asarray(days, np.float64), np.asarray(spread, np.float64)
    if units.ndim != 1 or step.ndim != 2 or len(step) != units.size:
        raise ScenarioError(f"moves: shape {step.shape} must be ({units.size}, scenario).")
    for name, row, least in (("days", n, 1.0), ("spread", wide, 0.0)):
        if row.shape != units.shape or not np.isfinite(row).all() or (row < least).any():
            raise ScenarioError(f"{name}: must be one for each node, {least:g} or above.")
    if not (np.isfinite(stressed) and stressed >= 1.0):
        raise ScenarioError(f"stressed: {stressed} must be 1 or above.")
    longer = np.sqrt(n * (1 + 1 / n) * (1 + 1 / (2 * n)) / 3)
    return LiquidityAdjusted(
        tail=tail_risk((units * longer) @ step, convention),
        cost=float(stressed * 0.5 * (np.abs(units) * wide).sum()),
        days=n,
    )
