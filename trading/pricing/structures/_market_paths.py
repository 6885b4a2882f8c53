"""From contract to simulated value: stacks the paths of commodities, fits, follows, and hedges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trading.pricing._inputs import Floats, PricingError
from trading.pricing.processes import Paths
from trading.pricing.structures._intervals import Dates
from trading.pricing.structures._network import Moves, Network, fit_policy, follow
from trading.pricing.structures._results import (
    SimulatedValue,
    SpotResponse,
    check_paths,
    controlled_estimate,
    sensitivity,
    simulated_hedge,
)

# 0.8 GB an array, of which three are held.
_MOST_VALUES = 100_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """
    Prices of all commodities on the same scenarios.

    prices      (scenario, interval, commodity);  factors (scenario, interval, factor)
    """

    prices: Floats
    factors: Floats
    antithetic: bool


def market(name: str, paths: Sequence[Paths | None], curves: Floats) -> Market:
    """
    Stack the paths of commodities; one without keeps to its curve.

    curves   (interval, commodity)

    :raises PricingError: if none is simulated, or they differ in their scenarios.
    """
    moving = [given for given in paths if given is not None]
    if not moving:
        raise PricingError(f"{name}: at least one price must be simulated.")
    for given in moving:
        check_paths(name, given, len(curves))
    if len({(len(given.spot), given.antithetic) for given in moving}) > 1:
        raise PricingError(f"{name}: all prices must be simulated on the same scenarios.")
    shape = moving[0].spot.shape
    prices = [
        np.broadcast_to(curves[:, k], shape) if given is None else given.spot
        for k, given in enumerate(paths)
    ]
    return Market(
        prices=np.stack(prices, axis=-1),
        factors=np.concatenate([given.factors for given in moving], axis=-1),
        antithetic=moving[0].antithetic,
    )


def simulated_value(
    network: Network,
    *,
    dates: Dates,
    commodities: tuple[str, ...],
    curves: Floats,
    fit: Sequence[Paths | None],
    paths: Sequence[Paths | None],
    responses: Sequence[SpotResponse],
    discount: Floats,
    ends: Floats,
    hedged: Floats,
    degree: int,
    seed: int | None,
) -> SimulatedValue:
    """
    Fit a policy on `fit`, follow it on `paths`, and report value, volumes and hedge.

    curves      (interval, commodity);  the hedge names the first commodities, `commodities` many
    ends        (state,), what is left after the last interval is worth today
    hedged      (interval, commodity), MWh of the intrinsic plan, sold +: its forward hedge is the
                control that takes noise out

    :raises PricingError: naming the argument and index.
    """
    fitted, earned = market("fit", fit, curves), market("paths", paths, curves)
    scenarios = len(fitted.prices)
    if scenarios * network.states > _MOST_VALUES:
        raise PricingError(
            f"paths: {scenarios} scenarios of {network.states} states are more than "
            f"{_MOST_VALUES} values; take fewer paths, or a coarser lot or grid."
        )
    allowed = network.allowed()
    starts = [int(allowed[0][:s].sum()) for s in network.starts if allowed[0][s]]

    def moves_of(t: int) -> Moves:
        stage: Moves = network.stages[int(network.stage[t])]
        return stage.kept(allowed[t], allowed[t + 1])

    left = ends[allowed[-1]]
    policy = fit_policy(
        moves_of, len(network.stage), left, fitted.prices, fitted.factors, discount,
        starts=starts, degree=degree,
    )  # fmt: skip
    # What is not simulated still moves the value when its own curve moves.
    moved = [
        np.broadcast_to(1.0, earned.prices.shape[:2]) if given is None
        else sensitivity(responses[k], given.spot, curves[:, k])
        for k, given in enumerate(paths)
    ]  # fmt: skip
    months, month = np.unique(dates.astype("datetime64[M]"), return_inverse=True)
    found = follow(
        policy, left, earned.prices, earned.factors, np.stack(moved, axis=-1), discount, month
    )
    sold = discount[:, None] * hedged
    # Not of a difference of prices, which over a year of hours would be an array as large again.
    control = np.einsum("pik,ik->p", earned.prices, sold) - float((curves * sold).sum())
    named = len(commodities)
    return SimulatedValue(
        estimate=controlled_estimate(
            found.payoffs, control, antithetic=earned.antithetic, seed=seed
        ),
        in_sample=policy.in_sample,
        expected_volume=found.volume[:named],
        hedge=simulated_hedge(
            months, found.delta[:named], commodities, antithetic=earned.antithetic
        ),
    )
