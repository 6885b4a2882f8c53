"""
Gas storage whose rates are steps, between whole multiples of one quantity: the best plan, proven.

Axis: interval; level. `_storage_grid` has levels that are close but prove nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trading.pricing._inputs import Floats
from trading.pricing.structures._programme import Indices
from trading.pricing.structures._storage import GasStorage, rate_at

# Quantities are told apart to a millionth of a MWh.
_PARTS = 1e6
_MOST_LEVELS = 20_001


@dataclass(frozen=True, slots=True, eq=False)
class Lattice:
    """
    Inventories that a store needs no others between.

    level           (level,), MWh, rising by one step
    low, high       (interval,), the least and the most level that a day may end with
    into, out       (interval, level), by how many levels a day may rise and fall
    start           level before the first day
    """

    level: Floats
    low: Indices
    high: Indices
    into: Indices
    out: Indices
    start: int


def lattice_of(storage: GasStorage) -> Lattice | None:
    """
    Return the levels of a store; None where rates slope, or too few quantities are multiples.

    Where rates, band edges, bounds and the start are multiples of one quantity, some best plan
    keeps to its multiples: between two of them the value is convex in inventory, and at them it is
    no lower than beside them, since the higher rate holds where bands meet.
    """
    if any(curve.segments[:, 3].any() for curve in (storage.injection, storage.withdrawal)):
        return None
    low, high = storage.bounds
    shares = np.asarray(storage.injection_available), np.asarray(storage.withdrawal_available)
    curves = storage.injection, storage.withdrawal
    said = [low, high, np.array([storage.start_inventory])]
    for curve, share in zip(curves, shares, strict=True):
        said += [
            np.asarray(curve.inventory),
            np.outer(np.unique(share), np.asarray(curve.rate)).ravel(),
        ]
    quantities = np.unique(np.concatenate(said)) * _PARTS
    whole = np.round(quantities)
    if (np.abs(quantities - whole) > 1e-3).any():
        return None
    step = float(np.gcd.reduce(whole.astype(np.int64))) / _PARTS
    least = min(float(low.min()), storage.start_inventory)
    most = max(float(high.max()), storage.start_inventory)
    if step == 0.0 or most - least > (_MOST_LEVELS - 1) * step:
        return None

    def steps(quantity: Floats | float) -> Indices:
        return np.rint(np.asarray(quantity) / step).astype(np.int64)

    first = int(steps(least))
    level: Floats = np.multiply(np.arange(first, int(steps(most)) + 1), step, dtype=np.float64)
    into, out = (
        steps(share[:, None] * rate_at(curve.segments, level))
        for curve, share in zip(curves, shares, strict=True)
    )
    start = int(steps(storage.start_inventory)) - first
    return Lattice(level, steps(low) - first, steps(high) - first, into, out, start)


def lattice_plan(
    lattice: Lattice, cost: Floats, gain: Floats, held: Floats, left: float
) -> Floats | None:
    """
    Return the inventories of the plan that earns most, (interval + 1,); None if there is none.

    cost, gain   (interval,), currency today for each MWh that enters or leaves
    held         (interval,), currency today for each MWh in store at a day's end
    left         currency today for each MWh after the last day
    """
    level, count = lattice.level, len(cost)
    at = np.arange(len(level))
    worth = np.empty((count + 1, len(level)))
    worth[count] = left * level
    for t in range(count - 1, -1, -1):
        after = worth[t + 1]
        after -= held[t] * level
        after[: lattice.low[t]] = -np.inf
        after[lattice.high[t] + 1 :] = -np.inf
        top = np.minimum(at + lattice.into[t], len(level) - 1)
        bottom = np.maximum(at - lattice.out[t], 0)
        worth[t] = np.maximum(
            _highest(after - cost[t] * level, at, top) + cost[t] * level,
            _highest(after - gain[t] * level, bottom, at) + gain[t] * level,
        )
    if worth[0, lattice.start] == -np.inf:
        return None
    visited = np.empty(count + 1, dtype=np.int64)
    visited[0] = now = lattice.start
    for t in range(count):
        bottom_now = max(now - int(lattice.out[t, now]), 0)
        ends = at[bottom_now : now + int(lattice.into[t, now]) + 1]
        change = level[ends] - level[now]
        earned = worth[t + 1, ends] - np.where(change > 0, cost[t], gain[t]) * change
        visited[t + 1] = now = int(ends[earned.argmax()])
    return level[visited]


def _highest(row: Floats, first: Indices, final: Indices) -> Floats:
    """Return the highest of a row between two places each, by highest of 1, 2, 4 … neighbours."""
    sizes = final - first + 1
    power = np.frexp(sizes)[1] - 1  # the largest with 2^power ≤ size
    found = np.empty(len(row))
    best = row
    for k in range(int(power.max()) + 1):
        if k:
            best = best.copy()
            half = 1 << (k - 1)
            best[:-half] = np.maximum(best[:-half], best[half:])
        chosen = np.flatnonzero(power == k)
        found[chosen] = np.maximum(best[first[chosen]], best[final[chosen] + 1 - (1 << k)])
    return found
