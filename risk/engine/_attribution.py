"""
Whose VaR it is: components, marginals and increments of a P&L by scenario.

An order statistic rests on one scenario, so its derivative jumps from one to the next. Components
are those of a smoothed quantile, Harrell and Davis' (1982): a mean of all ordered losses with
weights of a beta distribution around the quantile. It is linear in P&L while the order holds, so
components sum to it and marginals are its exact derivatives. Both totals are given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.engine._tail import (
    Convention,
    QuantileRule,
    ShortfallRule,
    TailError,
    tail_count,
    tail_risk,
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """
    VaR and ES of a whole, and of its parts; losses positive, currency.

    var, es         of the sum, by the convention
    kernel_var      the smoothed quantile; `component` sums to it
    component       (part,), part's share of `kernel_var`; also its derivative by the part's size
    incremental     (part,), what `var` falls by without the part
    es_component    (part,), part's mean over the scenarios of `es`; they sum to it
    """

    var: float
    es: float
    kernel_var: float
    component: Floats
    incremental: Floats
    es_component: Floats


def kernel_weights(count: int, tail: float) -> Floats:
    """
    Return the weights of ordered values, the smallest first, for their quantile; they sum to 1.

    :raises TailError: for no values, or a tail outside (0, 1).
    """
    from scipy.special import betainc

    if count < 1:
        raise TailError(f"count: {count} must be 1 or more.")
    if not 0.0 < tail < 1.0:
        raise TailError(f"tail: {tail} must lie within (0, 1).")
    edges = betainc((count + 1) * tail, (count + 1) * (1 - tail), np.arange(count + 1) / count)
    weights: Floats = np.diff(edges)
    return weights


def attribute(parts: npt.ArrayLike, convention: Convention) -> Attribution:
    """
    Split VaR and ES of a sum over its parts.

    parts   (part, scenario), P&L of each, gains positive, finite: trades, books or nodes

    Components are of scenarios in the order of the sum's P&L; of equal ones the earlier first.

    :raises TailError: for no part or scenario, or a value that is not finite.
    """
    pnl = np.asarray(parts, dtype=np.float64)
    if pnl.ndim != 2 or not pnl.size:
        raise TailError(f"parts: shape {pnl.shape} must be (part, scenario), with one of each.")
    if not np.isfinite(pnl).all():
        where = [int(n) for n in np.argwhere(~np.isfinite(pnl))[0]]
        raise TailError(f"parts: {pnl[tuple(where)]} at {where} must be finite.")
    whole = pnl.sum(axis=0)
    tail = tail_risk(whole, convention)
    order = np.argsort(whole, kind="stable")
    weights = np.empty_like(whole)
    weights[order] = kernel_weights(whole.size, float(convention.tail))
    component = -(pnl @ weights)
    return Attribution(
        var=tail.var,
        es=tail.es,
        kernel_var=-float(whole @ weights),
        component=component,
        incremental=tail.var - _without(pnl, whole, convention),
        es_component=-pnl @ shortfall_weights(order, convention),
    )


def _without(pnl: Floats, whole: Floats, convention: Convention) -> Floats:
    """Return the VaR of the sum without each part, some parts at a time to bound memory."""
    found = np.empty(len(pnl))
    rows = max(1, 4_000_000 // whole.size)
    for start in range(0, len(pnl), rows):
        left = whole - pnl[start : start + rows]
        found[start : start + rows] = _quantiles(left, convention)
    return found


def _quantiles(pnl: Floats, convention: Convention) -> Floats:
    if convention.quantile_rule is QuantileRule.LINEAR_TYPE7:
        interpolated: Floats = -np.quantile(pnl, float(convention.tail), axis=1, method="linear")
        return interpolated
    k = tail_count(convention.tail, pnl.shape[1])
    ordered: Floats = -np.partition(pnl, k - 1, axis=1)[:, k - 1]
    return ordered


def shortfall_weights(order: npt.NDArray[np.int64], convention: Convention) -> Floats:
    """Return each scenario's weight in the expected shortfall; they sum to 1."""
    weights = np.zeros(order.size)
    if convention.shortfall_rule is ShortfallRule.ACERBI:
        mass = float(convention.tail * order.size)
        ranks = np.clip(mass - np.arange(order.size), 0.0, 1.0) / mass
        weights[order] = ranks
    else:
        k = tail_count(convention.tail, order.size)
        weights[order[:k]] = 1.0 / k
    return weights
