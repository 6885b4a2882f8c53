"""
Gas storage beyond the curve: its flexibility by least-squares Monte Carlo.

Axis order: scenario, interval; scenario, level.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats, PricingError
from trading.pricing.processes import Paths
from trading.pricing.structures._intervals import series
from trading.pricing.structures._results import (
    SimulatedValue,
    SpotResponse,
    check_paths,
    controlled_estimate,
    sensitivity,
    simulated_hedge,
)
from trading.pricing.structures._storage import GasStorage, storage_flows
from trading.pricing.structures._storage_grid import follow_levels, levels_plan, levels_policy


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
    what the regression says, at any inventory. The gains of a forward hedge of the plan on today's
    curve, zero on average, are taken out with their least-squares weight: the error shrinks, the
    value stays.

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
    grid, policy = levels_policy(storage, flows, fit, levels=levels, degree=degree)
    planned_in, planned_out = levels_plan(storage, flows, price, levels=levels)
    payoffs, injected, withdrawn = follow_levels(storage, flows, grid, policy, paths)
    sold = flows.sold * withdrawn - flows.bought * injected
    hedged = flows.sold * planned_out - flows.bought * planned_in
    months, first = np.unique(np.asarray(storage.dates).astype("datetime64[M]"), return_index=True)
    delta = np.add.reduceat(sold * responses, first, axis=1).T[None]
    return SimulatedValue(
        estimate=controlled_estimate(
            payoffs, (paths.spot - price) @ hedged, antithetic=paths.antithetic, seed=seed
        ),
        in_sample=policy.in_sample,
        expected_volume=_burnt(storage, withdrawn, injected).mean(axis=0)[None],
        hedge=simulated_hedge(months, delta, ("gas",), antithetic=paths.antithetic),
    )


def _burnt(storage: GasStorage, withdrawn: Floats, injected: Floats) -> Floats:
    """Return the gas sold less the gas bought, MWh."""
    sold: Floats = (1.0 - storage.withdrawal_fuel) * withdrawn
    return sold - (1.0 + storage.injection_fuel) * injected
