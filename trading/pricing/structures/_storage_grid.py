"""
Gas storage between levels of inventory: what a day may lead to, and a policy on it followed.

Axis order: scenario, interval; interval, level.
"""

from __future__ import annotations

import numpy as np

from trading.pricing._inputs import Floats
from trading.pricing.processes import Paths
from trading.pricing.structures._intervals import InfeasibleContract
from trading.pricing.structures._network import Moves, Policy, fit_policy
from trading.pricing.structures._storage import GasStorage, StorageFlows, rate_at


def levels_policy(
    storage: GasStorage, flows: StorageFlows, fit: Paths, *, levels: int, degree: int
) -> tuple[Floats, Policy]:
    """
    Return the grid, (interval + 1, level), and a policy fitted on paths.

    :raises InfeasibleContract: if no inventory is sure to lead to the end.
    """
    low, high = safe_band(storage)
    grid = np.linspace(low, high, levels, axis=1)
    least, most = _ends(storage, grid)
    policy = fit_policy(
        lambda t: _moves(flows, grid, least[t], most[t], t), len(least), flows.left * grid[-1],
        fit.spot[..., None], fit.factors, np.ones(len(least)), starts=(0,), degree=degree,
    )  # fmt: skip
    return grid, policy


def levels_plan(
    storage: GasStorage, flows: StorageFlows, price: Floats, *, levels: int
) -> tuple[Floats, Floats]:
    """
    Return what a good plan at known prices injects and withdraws, (interval,): near the best.

    :raises InfeasibleContract: if no inventory is sure to lead to the end.
    """
    known = Paths(
        times=np.arange(len(price), dtype=np.float64),
        spot=np.stack([price, price]),  # two scenarios are the fewest to fit a mean
        factors=np.zeros((2, len(price), 1)),
        antithetic=False,
    )
    grid, policy = levels_policy(storage, flows, known, levels=levels, degree=0)
    _, injected, withdrawn = follow_levels(storage, flows, grid, policy, known)
    return injected[0], withdrawn[0]


def safe_band(storage: GasStorage) -> tuple[Floats, Floats]:
    """
    Return the inventories, (interval + 1,) least and most, from which the end can be reached.

    :raises InfeasibleContract: if there are none on a day, or the start is not among them.
    """
    days = np.asarray(storage.dates)
    floor, roof = storage.bounds
    low = np.concatenate([[storage.start_inventory], floor])
    high = np.concatenate([[storage.start_inventory], roof])
    into, out = np.asarray(storage.injection_available), np.asarray(storage.withdrawal_available)
    for t in range(len(days) - 1, -1, -1):
        needed = _least_before(storage.injection.segments, float(into[t]), low[t + 1])
        allowed = -_least_before(
            _mirrored(storage.withdrawal.segments), float(out[t]), -high[t + 1]
        )
        tolerance = 1e-9 * (1.0 + abs(high[t]))
        if (
            needed > high[t] + tolerance
            or allowed < low[t] - tolerance
            or needed > allowed + tolerance
        ):
            raise InfeasibleContract(
                f"min_inventory, max_inventory: no inventory before {days[t]} is sure to keep the "
                f"later bounds at these rates."
            )
        low[t], high[t] = max(low[t], min(needed, high[t])), min(high[t], max(allowed, low[t]))
    return low, high


def _least_before(segments: Floats, available: float, target: float) -> float:
    """Return the inventory from which on a day of injection leads to the target or above."""
    least = float(segments[0, 0])
    for start, end, base, slope in segments:
        at_start = start + available * (base + slope * start)
        at_end = end + available * (base + slope * end)
        if at_end < target:
            least = float(end)
        elif at_start < target:
            least = float(start + (target - at_start) * (end - start) / (at_end - at_start))
    return least


def _mirrored(segments: Floats) -> Floats:
    """Return the rates as a function of minus the inventory: withdrawing becomes injecting."""
    start, end, base, slope = segments[::-1].T
    return np.stack([-end, -start, base, -slope], axis=1)


def _ends(storage: GasStorage, grid: Floats) -> tuple[Floats, Floats]:
    """Return the least and the most inventory that a day may end with, (interval, level)."""
    before, low, high = grid[:-1], grid[1:, :1], grid[1:, -1:]
    into, out = (
        np.asarray(share)[:, None] * rate_at(rates.segments, before.ravel()).reshape(before.shape)
        for rates, share in (
            (storage.injection, storage.injection_available),
            (storage.withdrawal, storage.withdrawal_available),
        )
    )
    least = np.clip(before - out, low, high)
    return least, np.maximum(np.clip(before + into, low, high), least)


def _moves(flows: StorageFlows, grid: Floats, least: Floats, most: Floats, t: int) -> Moves:
    """Return what each level may do in a day: to a limit, stay, or to a level between."""
    before, after = grid[t], grid[t + 1]
    step = (after[-1] - after[0]) / (len(after) - 1)
    ends = [least, most, np.clip(before, least, most)]
    if step > 0:
        begin = np.ceil((least - after[0]) / step).astype(np.int64)
        between = int((np.floor((most - after[0]) / step) - begin).max()) + 1
        ends += [
            np.clip(after[np.minimum(begin + i, len(after) - 1)], least, most)
            for i in range(between)
        ]
    end = np.stack(ends, axis=1)
    change = end - before[:, None]
    injected, withdrawn = np.maximum(change, 0.0).ravel(), np.maximum(-change, 0.0).ravel()
    place = (end.ravel() - after[0]) / step if step > 0 else np.zeros(end.size)
    target = np.clip(place.astype(np.int64), 0, len(after) - 2)
    return Moves(
        source=np.repeat(np.arange(len(before)), end.shape[1]),
        target=target,
        weight=place - target,
        volume=(flows.sold[t] * withdrawn - flows.bought[t] * injected)[:, None],
        cash=-flows.cost_out[t] * withdrawn
        - flows.cost_in[t] * injected
        - flows.held[t] * end.ravel(),
    )


def follow_levels(
    storage: GasStorage, flows: StorageFlows, grid: Floats, policy: Policy, paths: Paths
) -> tuple[Floats, Floats, Floats]:
    """Return payoffs, (scenario,), and what was injected and withdrawn, (scenario, interval)."""
    from trading.pricing.structures._kernels import flow_gas

    scenarios, count = paths.spot.shape
    held = np.full(scenarios, storage.start_inventory)
    payoffs = np.zeros(scenarios)
    injected, withdrawn = np.empty((scenarios, count)), np.empty((scenarios, count))
    available = np.stack([storage.injection_available, storage.withdrawal_available], axis=1)
    rates = storage.injection.segments, storage.withdrawal.segments
    for t, after in enumerate(policy.after):
        price = np.ascontiguousarray(paths.spot[:, t])
        worth = np.array([flows.bought[t], flows.cost_in[t], flows.sold[t], -flows.cost_out[t]])
        change = flow_gas(
            price, held, worth, *rates, available[t], grid[t + 1, [0, -1]],
            after(paths.factors[:, t]) - flows.held[t] * grid[t + 1],
        )  # fmt: skip
        injected[:, t], withdrawn[:, t] = np.maximum(change, 0.0), np.maximum(-change, 0.0)
        payoffs += (worth[2] * price + worth[3]) * withdrawn[:, t]
        payoffs -= (worth[0] * price + worth[1]) * injected[:, t]
        held = held + change
        payoffs -= flows.held[t] * held
    return payoffs + flows.left * held, injected, withdrawn
