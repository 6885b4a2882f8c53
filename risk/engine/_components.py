"""Whose tail it is, from the tail's own scenarios: those alone are valued trade by trade."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.engine._attribution import kernel_weights, shortfall_weights
from risk.engine._revaluation import Portfolio, revalue
from risk.engine._tail import Convention, tail_count

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
# What the weights of the smoothed quantile leave out.
_NEGLIGIBLE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """
    What trades have of the tail; losses positive, currency.

    kernel_var      the smoothed quantile, as `Attribution` has it; `component` sums to it
    component       (trade,)
    es_component    (trade,); they sum to the ES
    """

    kernel_var: float
    component: Floats
    es_component: Floats


def tail_ranks(count: int, convention: Convention) -> int:
    """Return how many of the worst scenarios VaR, ES and their components rest on."""
    weights = kernel_weights(count, float(convention.tail))
    heavy = int(np.searchsorted(np.cumsum(weights), 1 - _NEGLIGIBLE)) + 1
    # An interpolated quantile asks for the value beside the k-th as well.
    return min(count, max(heavy, tail_count(convention.tail, count) + 1))


def tail_weights(pnl: Floats, convention: Convention) -> tuple[Indices, Floats]:
    """Return the tail's scenarios, ascending, and their weights in kernel VaR and in ES (2, …)."""
    worst = np.argsort(pnl, kind="stable")
    ranks = tail_ranks(pnl.size, convention)
    chosen = np.sort(worst[:ranks])
    place = np.searchsorted(chosen, worst[:ranks])
    weights = np.empty((2, ranks))
    weights[0, place] = kernel_weights(pnl.size, float(convention.tail))[:ranks]
    weights[1, place] = shortfall_weights(np.arange(pnl.size), convention)[:ranks]
    return chosen, weights


def tail_components(
    pnl: Floats, convention: Convention, portfolio: Portfolio, prices: npt.ArrayLike,
    volatilities: npt.ArrayLike, scenario_prices: npt.ArrayLike,
    scenario_volatilities: npt.ArrayLike, *, workers: int | None = None,
) -> Components:  # fmt: skip
    """
    Split the tail of a full revaluation among its trades.

    pnl     (scenario,), what `revalue` found with the same portfolio and market

    They are what `attribute` gives for the vectors of all trades, which nobody has to hold.

    :raises ScenarioError: as `revalue`.
    """
    chosen, weights = tail_weights(pnl, convention)
    found = revalue(
        portfolio, prices, volatilities,
        np.asarray(scenario_prices, np.float64)[:, chosen],
        np.asarray(scenario_volatilities, np.float64)[:, chosen], each=True, workers=workers,
    )  # fmt: skip
    component, es_component = (-found.weighted(row) for row in weights)
    return Components(float(component.sum()), component, es_component)
