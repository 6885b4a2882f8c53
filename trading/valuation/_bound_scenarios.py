"""What the floors and caps of profiles gain in scenarios, by a grid of moves of their month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from trading.valuation._bounds import (
    BoundHoldings,
    BoundMarket,
    Bounds,
    bound_values,
)
from trading.valuation._market import Contract, Floats, MarketState

# All hours of a month move alike, so that a bound's value is a smooth curve of that one move.
NODES = 15
_CHECKS = 4


@dataclass(frozen=True, slots=True, eq=False)
class BoundScenarios:
    """
    What holdings of bounds are worth and gain; shape (holdings,), `change` (holdings, scenarios).

    value       as `bound_values` has it, realised and unrealised
    error       currency: the grid beside the full value half way between its nodes, at most
    missing     as `bound_values` has it, or where the grid reaches no price of the formula
    """

    value: Floats
    change: Floats
    error: Floats
    missing: np.ndarray


def bounds_in_scenarios(
    contracts: Sequence[Contract],
    bounds: Bounds,
    holdings: BoundHoldings,
    state: MarketState,
    market: BoundMarket,
    moves: Floats,
    volatility_moves: Floats | None = None,
) -> BoundScenarios:
    """
    Value holdings of bounds in every scenario, at the time of the state and today's volatility.

    moves               shape (contracts, scenarios): what scenarios add to all prices of each
    volatility_moves    shape (bounds, scenarios): added to volatilities, by vega; None: nothing
    """
    from scipy.interpolate import CubicSpline

    count, scenarios = holdings.line.size, moves.shape[1]
    base = bound_values(contracts, bounds, holdings, state, market)
    value, missing = base.realised + base.unrealised, base.missing.copy()
    change, error = np.zeros((count, scenarios)), np.zeros(count)
    if not count:
        return BoundScenarios(value, change, error, missing)
    held = bounds.contract[holdings.bound]
    low = np.minimum(moves[held].min(axis=1), 0.0)
    high = np.maximum(moves[held].max(axis=1), 0.0)
    nodes = np.linspace(0.0, 1.0, NODES)
    places = np.append(nodes, (nodes[1:] + nodes[:-1])[:: NODES // _CHECKS] / 2)
    grid = low[:, None] + places * (high - low)[:, None]
    worth = np.zeros(grid.shape)
    for n in range(places.size):
        shift = dict(zip(held.tolist(), grid[:, n].tolist(), strict=True))
        marks = state.marks.copy()
        for at, added in shift.items():
            marks[at] += added
        fine = {at: row + shift.get(at, 0.0) for at, row in state.fine.items()}
        found = bound_values(
            contracts, bounds, holdings, replace(state, marks=marks, fine=fine), market
        )
        worth[:, n] = np.where(found.missing, np.nan, found.realised + found.unrealised)
    for n in np.flatnonzero(~missing & (high > low)).tolist():
        known = np.isfinite(worth[n])
        at_nodes = np.flatnonzero(known[:NODES])
        if at_nodes.size < 2:
            missing[n] = True
            continue
        # Below the last price with a logarithm the curve goes on as it ends.
        curve = CubicSpline(grid[n, at_nodes], worth[n, at_nodes], bc_type="natural")
        change[n] = curve(moves[held[n]]) - curve(0.0)
        checked = NODES + np.flatnonzero(known[NODES:])
        apart = np.abs(curve(grid[n, checked]) - worth[n, checked])
        error[n] = float(apart.max(initial=0.0))
    if volatility_moves is not None:
        change += base.vega[:, None] * volatility_moves[holdings.bound]
    change[missing] = 0.0
    return BoundScenarios(value, change, error, missing)
