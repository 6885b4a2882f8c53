"""
Gas storage beyond the curve: its flexibility by least-squares Monte Carlo.

Axis order: scenario, interval; scenario, level.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats, PricingError
from trading.pricing.processes import Paths
from trading.pricing.structures._intervals import InfeasibleContract, series
from trading.pricing.structures._network import Moves, Policy, fit_policy
from trading.pricing.structures._results import (
    SimulatedValue,
    SpotResponse,
    check_paths,
    controlled_estimate,
    monthly_hedge,
    sensitivity,
)
from trading.pricing.structures._storage import (
    GasStorage,
    StorageFlows,
    rate_at,
    storage_flows,
    storage_intrinsic,
)


def storage_extrinsic(
    storage: GasStorage,
    curve: npt.ArrayLike,
    *,
    fit: Paths,
    paths: Paths,
    response: SpotResponse = SpotResponse.PROPORTIONAL,
    discount: npt.ArrayLike = 1.0,
    cost_discount: npt.ArrayLike | None = None,
    levels: int = 31,
    degree: int = 2,
    seed: int | None = None,
) -> SimulatedValue:
    """
    Value a store that decides day by day, seeing the spot price of the day.

    Backward over `fit`, the value of each of `levels` inventories is regressed on the day's
    factors; forward over `paths`, which must be independent, each scenario injects or withdraws
    what the regression says, at any inventory. The gains of the intrinsic plan's forward hedge,
    zero on average, are taken out with their least-squares weight: the error shrinks, the value
    stays.

    curve        (interval,), today's forward for each day, the mean of both sets of paths
    fit, paths   simulated spot and factors, one time a day
    response     what spot does when the forward moves: for the hedge
    discount     factor from today to each day's payment;  cost_discount  as in `storage_intrinsic`
    levels       inventories on the grid, ≥ 2;  degree  of the regression, 0 to 6
    seed         of the generator of `paths`, to be kept with the value

    :raises PricingError: naming the argument and index.
    :raises InfeasibleContract: if no inventory is sure to lead to the end.
    Source: A. Boogert, C. de Jong, Journal of Derivatives 15 (2008) 81-98.
    """
    count = len(np.asarray(storage.dates))
    for name, given in (("fit", fit), ("paths", paths)):
        check_paths(name, given, count)
    if levels < 2:
        raise PricingError(f"levels: {levels} must be 2 or more.")
    price = series("curve", curve, count)
    responses = sensitivity(response, paths.spot, price)
    flows = storage_flows(storage, discount, cost_discount)
    low, high = safe_band(storage)
    plan = storage_intrinsic(storage, price, discount=discount, cost_discount=cost_discount)
    grid = np.linspace(low, high, levels, axis=1)
    least, most = _ends(storage, grid)
    policy = fit_policy(
        lambda t: _moves(flows, grid, least[t], most[t], t), count, flows.left * grid[-1],
        fit.spot[..., None], fit.factors, np.ones(count), starts=(0,), degree=degree,
    )  # fmt: skip
    payoffs, injected, withdrawn = _follow(storage, flows, grid, policy, paths)
    sold = flows.sold * withdrawn - flows.bought * injected
    hedged = flows.sold * plan.withdrawn - flows.bought * plan.injected
    return SimulatedValue(
        estimate=controlled_estimate(
            payoffs, (paths.spot - price) @ hedged, antithetic=paths.antithetic, seed=seed
        ),
        in_sample=policy.in_sample,
        expected_volume=_burnt(storage, withdrawn, injected).mean(axis=0)[None],
        hedge=monthly_hedge(
            np.asarray(storage.dates), (sold * responses).mean(axis=0)[None], ("gas",)
        ),
    )


def _burnt(storage: GasStorage, withdrawn: Floats, injected: Floats) -> Floats:
    """Return the gas sold less the gas bought, MWh."""
    sold: Floats = (1.0 - storage.withdrawal_fuel) * withdrawn
    return sold - (1.0 + storage.injection_fuel) * injected


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
        cash=-flows.cost_out[t] * withdrawn - flows.cost_in[t] * injected,
    )


def _follow(
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
            after(paths.factors[:, t]),
        )  # fmt: skip
        injected[:, t], withdrawn[:, t] = np.maximum(change, 0.0), np.maximum(-change, 0.0)
        payoffs += (worth[2] * price + worth[3]) * withdrawn[:, t]
        payoffs -= (worth[0] * price + worth[1]) * injected[:, t]
        held = held + change
    return payoffs + flows.left * held, injected, withdrawn
