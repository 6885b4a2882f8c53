"""Gas storage on today's forward curve: the plan that earns most. Last axis: interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats
from trading.pricing.structures._intervals import InfeasibleContract, series
from trading.pricing.structures._programme import Indices, NoSolution, Programme
from trading.pricing.structures._results import Hedge, Method, monthly_hedge
from trading.pricing.structures._storage import (
    EPSILON,
    GasStorage,
    RateCurve,
    StorageFlows,
    rate_at,
    storage_flows,
)
from trading.pricing.structures._storage_grid import levels_plan
from trading.pricing.structures._storage_lattice import lattice_of, lattice_plan

# Levels of the plan that a search over steps begins with.
_LEVELS = 401


@dataclass(frozen=True, slots=True, eq=False)
class StorageIntrinsic:
    """
    The plan that earns most on the forward curve.

    value        currency today
    injected, withdrawn    (interval,), MWh that enter or leave the store, ≥ 0, never both
    inventory    (interval + 1,), MWh, from before the first day
    cash_flow    (interval,), currency today; the terminal value is the last day's
    hedge        delta of the plan: MWh sold + and bought −, discounted, by delivery month
    gap          how much more a plan could be worth; 0 where the optimum is proven
    """

    value: float
    injected: Floats
    withdrawn: Floats
    inventory: Floats
    cash_flow: Floats
    hedge: Hedge
    method: Method
    gap: float


def storage_intrinsic(
    storage: GasStorage,
    curve: npt.ArrayLike,
    *,
    discount: npt.ArrayLike = 1.0,
    cost_discount: npt.ArrayLike | None = None,
    time_limit_seconds: float = 60.0,
) -> StorageIntrinsic:
    """
    Find the injections and withdrawals that earn most at today's forward prices.

    Maximises Σ_t d_t p_t ((1 − f_w) w_t − (1 + f_i) i_t) − e_t (c_w w_t + c_i i_t + h s_t)
    + d_T v s_T with s_t = s_{t−1} + i_t − w_t within the bounds and the rates that s_{t−1} allows.
    A linear programme where rates are concave in inventory; a dynamic programme, exact as well,
    where they are steps and all quantities multiples of one, at most 20,000 of them. Other steps
    and convex rates take one binary a band and day (the search begins with a plan between levels,
    and `gap` says what is left to prove when its time is up). So does a day whose price pays for
    burning gas both ways.

    curve            (interval,), currency/MWh, any sign
    discount         factor from today to the payment of each day's gas, one or (interval,)
    cost_discount    of each day's costs of injecting, withdrawing, holding; None: as the gas

    :raises PricingError: naming the argument and index.
    :raises InfeasibleContract: if steps leave no plan, or none was found in the time.
    """
    days = np.asarray(storage.dates)
    count = len(days)
    price = series("curve", curve, count)
    flows = storage_flows(storage, discount, cost_discount)
    cost = price * flows.bought + flows.cost_in
    gain = price * flows.sold - flows.cost_out
    is_concave = storage.injection.is_concave and storage.withdrawal.is_concave
    if not is_concave and (lattice := lattice_of(storage)) is not None:
        levels = lattice_plan(lattice, cost, gain, flows.held, flows.left)
        if levels is None:
            raise InfeasibleContract(
                "min_inventory, max_inventory: no plan keeps them at these rates"
            )
        change = np.diff(levels)
        injected, withdrawn = np.maximum(change, 0.0), np.maximum(-change, 0.0)
        return _plan(storage, flows, cost, gain, injected, withdrawn, Method.DYNAMIC_PROGRAMME, 0.0)
    programme = Programme()
    low, high = storage.bounds
    stored = programme.columns(
        count, lower=low, upper=high,
        cost=np.where(np.arange(count) == count - 1, flows.left, 0.0) - flows.held,
    )  # fmt: skip
    near = None
    if not is_concave:
        near = _near(storage, flows, price)
    into = _flow(
        programme, storage.injection, storage.injection_available, storage, stored, -cost, near
    )
    out = _flow(
        programme, storage.withdrawal, storage.withdrawal_available, storage, stored, gain, near
    )
    # stored_t − stored_{t−1} − in_t + out_t = 0; before the first day, the start is on the right.
    first, later = np.array([0]), np.arange(1, count)
    for at, before, right in (
        (first, (), storage.start_inventory),
        (later, ((stored[:-1], -1.0),), 0.0),
    ):
        programme.rows(
            (stored[at], 1.0), (into[at], -1.0), (out[at], 1.0), *before, lower=right, upper=right
        )
    _exclude_both(programme, storage, into, out, np.flatnonzero(gain > cost))
    try:
        found = programme.solve(time_limit_seconds=time_limit_seconds)
    except NoSolution as error:
        raise InfeasibleContract(
            f"min_inventory, max_inventory: no plan keeps them at these rates ({error})"
        ) from error
    injected, withdrawn = np.maximum(found.values[into], 0.0), np.maximum(found.values[out], 0.0)
    both = np.minimum(injected, withdrawn)
    method = Method.MIXED_INTEGER_PROGRAMME if programme.is_mixed else Method.LINEAR_PROGRAMME
    return _plan(storage, flows, cost, gain, injected - both, withdrawn - both, method, found.gap)


def _plan(
    storage: GasStorage,
    flows: StorageFlows,
    cost: Floats,
    gain: Floats,
    injected: Floats,
    withdrawn: Floats,
    method: Method,
    gap: float,
) -> StorageIntrinsic:
    """Add up what is injected and withdrawn, (interval,)."""
    inventory = storage.start_inventory + np.cumsum(injected - withdrawn)
    cash_flow = gain * withdrawn - cost * injected - flows.held * inventory
    cash_flow[-1] += flows.left * inventory[-1]
    sold = flows.sold * withdrawn - flows.bought * injected
    return StorageIntrinsic(
        value=float(cash_flow.sum()),
        injected=injected,
        withdrawn=withdrawn,
        inventory=np.concatenate([[storage.start_inventory], inventory]),
        cash_flow=cash_flow,
        hedge=monthly_hedge(np.asarray(storage.dates), sold[None], ("gas",)),
        method=method,
        gap=gap,
    )


def _flow(
    programme: Programme,
    curve: RateCurve,
    available: npt.ArrayLike,
    storage: GasStorage,
    stored: Indices,
    worth: Floats,
    near: Floats | None,
) -> Indices:
    """
    Add the flow of each day, bounded by what the inventory before it allows.

    near   inventories of a good plan, (interval + 1,), whose bands the search begins with
    """
    share = np.asarray(available, dtype=np.float64)
    segments = curve.segments
    start = np.array([storage.start_inventory])
    upper = share * np.asarray(curve.rate).max()
    upper[0] = share[0] * rate_at(segments, start)[0]
    flow = programme.columns(len(share), cost=worth, upper=upper)
    later, before, part = flow[1:], stored[:-1], share[1:]
    if curve.is_concave:
        for _, _, base, slope in segments if np.ptp(np.asarray(curve.rate)) else ():
            programme.rows((later, 1.0), (before, -slope * part), upper=base * part)
        return flow
    # One band holds the inventory; its line bounds the rate. Exact, and tight band by band.
    bands = [
        (programme.columns(len(later), upper=1.0, whole=True), programme.columns(len(later)), line)
        for line in segments
    ]
    one = [(chosen, 1.0) for chosen, _, _ in bands]
    programme.rows(*one, lower=1.0, upper=1.0)
    programme.rows((before, -1.0), *[(held, 1.0) for _, held, _ in bands], lower=0.0, upper=0.0)
    if near is not None:
        x = near[1:-1, None]
        inside = (segments[:, 0] <= x + EPSILON) & (x - EPSILON <= segments[:, 1])
        rates = np.where(inside, segments[:, 2] + segments[:, 3] * x, -1.0)
        for k, (chosen, _, _) in enumerate(bands):
            programme.begin(chosen, rates.argmax(axis=1) == k)
    rate: list[tuple[Indices, npt.ArrayLike]] = [(later, 1.0)]
    for chosen, held, (least, most, base, slope) in bands:
        programme.rows((held, 1.0), (chosen, -least), lower=0.0)
        programme.rows((held, 1.0), (chosen, -most), upper=0.0)
        rate += [(chosen, -base * part), (held, -slope * part)]
    programme.rows(*rate, upper=0.0)
    return flow


def _exclude_both(
    programme: Programme, storage: GasStorage, into: Indices, out: Indices, pays: Indices
) -> None:
    """Let gas go one way only on the days that would pay for burning it both ways."""
    if not pays.size:
        return
    most_in = float(np.asarray(storage.injection.rate).max())
    most_out = float(np.asarray(storage.withdrawal.rate).max())
    injects = programme.columns(len(pays), upper=1.0, whole=True)
    programme.rows((into[pays], 1.0), (injects, -most_in), upper=0.0)
    programme.rows((out[pays], 1.0), (injects, most_out), upper=most_out)


def _near(storage: GasStorage, flows: StorageFlows, price: Floats) -> Floats | None:
    """Return the inventories of a plan by dynamic programming between levels, if it finds one."""
    try:
        injected, withdrawn = levels_plan(storage, flows, price, levels=_LEVELS)
    except InfeasibleContract:
        return None
    return storage.start_inventory + np.concatenate([[0.0], np.cumsum(injected - withdrawn)])
