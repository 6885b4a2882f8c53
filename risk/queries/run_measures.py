"""
Calculate a run: VaR, ES and value of the whole, and of its parts by every dimension.

Each method is a basis of its own (`moved_bases`): history as it is or scaled, simulated paths, or
a bump a factor. Parts are valued one by one on it, by the one valuation that the desk has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from .bases import Basis
from .holdings import value_holdings
from .moved_bases import nodes_of, scaled_basis
from .run_holdings import RunHoldings
from .run_parametric import parametric_measures
from .run_results import (
    DIMENSIONS,
    Measures,
    Number,
    Progress,
    Shares,
    grouped,
    summed,
    value_parts,
)
from .run_terms import BATCHES, LAWS, RunTerms
from .scopes import rule_of

if TYPE_CHECKING:
    from risk.engine import Convention

    from .bases import Floats

# Kernel weights that move no digit of a sum of one.
_NO_WEIGHT = 1e-17


def measure(
    holdings: RunHoldings, basis: Basis, terms: RunTerms, currency: str, progress: Progress
) -> Measures:
    """
    Calculate a run.

    progress    told after each part: parts done, of how many, what is being done; may raise

    :raises ScenarioError, TailError: for what the engine cannot take.
    """
    on = scaled_basis(basis, terms.horizon_days)
    if terms.method.is_parametric:
        return parametric_measures(holdings, on, terms, currency, progress)
    if terms.method == terms.method.MONTE_CARLO:
        return _monte_carlo(holdings, on, terms, currency, progress)
    return _historical(holdings, on, terms, currency, progress)


def _historical(
    holdings: RunHoldings, basis: Basis, terms: RunTerms, currency: str, progress: Progress
) -> Measures:
    import numpy as np

    from risk.engine import attribute, tail_risk

    parts = holdings.parts
    valued = value_parts(parts, basis, currency, progress)
    whole = valued.pnl.sum(axis=0)
    rules = _rules(terms, basis.scenario_count, basis.method)
    weights = {rule.confidence: _weights(whole, rule) for rule in rules}
    numbers = []
    for rule in rules:
        tail, (of_var, _) = tail_risk(whole, rule), weights[rule.confidence]
        numbers.append(
            Number(
                rule.confidence, tail.var + 0.0, tail.es + 0.0, -float(whole @ of_var) + 0.0,
                tail.scenario, None, None, rule.sentence(),
            )
        )  # fmt: skip
    groups = {}
    trade_pnl = np.zeros((0, basis.scenario_count))
    for dimension in DIMENSIONS:
        progress(len(parts), len(parts), f"Attributing by {dimension.lower()}")
        keys, place = grouped(parts, dimension)
        rows = summed(valued.pnl, place, len(keys))
        shares = {}
        for rule in rules:
            of_var, of_es = weights[rule.confidence]
            own = [tail_risk(row, rule) for row in rows]
            shares[rule.confidence] = Shares(
                -(rows @ of_var),
                -(rows @ of_es),
                np.array([tail.var for tail in own]),
                np.array([tail.es for tail in own]),
                attribute(rows, rule).incremental if len(rows) else np.zeros(0),
            )
        groups[dimension] = keys, shares
        if dimension == "TRADE":
            trade_pnl = rows
    return Measures(
        value=float(valued.values.sum()),
        valued_at=basis.valued_at,
        numbers=tuple(numbers),
        pnl=whole,
        kept=None,
        trade_pnl=trade_pnl,
        values=valued.values,
        groups=groups,
        parts={
            confidence: Shares(-(valued.pnl @ of_var), -(valued.pnl @ of_es))
            for confidence, (of_var, of_es) in weights.items()
        },
        unvalued=valued.unvalued,
        findings=valued.findings,
    )


def _monte_carlo(
    holdings: RunHoldings, basis: Basis, terms: RunTerms, currency: str, progress: Progress
) -> Measures:
    """Find the tail of all paths on the holdings together, then value its paths trade by trade."""
    import numpy as np

    from risk.engine import tail_risk

    nodes, simulation = nodes_of(basis), terms.simulation
    factors, together = nodes.factors(), holdings.together
    batches = []
    for batch in range(BATCHES):
        progress(batch, BATCHES, "Simulating paths")
        moves = simulation.normals(batch, len(factors.loadings)) @ factors.loadings
        found = value_holdings(together, nodes.basis_of(moves), currency=currency)
        batches.append(found.pnl)
    whole = np.concatenate(batches)
    method = (
        f"principal factors of {basis.scenario_count} moves ({basis.method}), "
        f"{LAWS[terms.law]}"
        + (f" with {terms.degrees:g} degrees of freedom" if terms.degrees else "")
        + f", antithetic, seed {terms.seed}"
    )
    rules = [
        replace(rule, method=f"Monte Carlo, {terms.paths:,} paths, {method}")
        for rule in _rules(terms, terms.paths, method)
    ]
    weights = {rule.confidence: _weights(whole, rule) for rule in rules}
    used = sum(np.abs(w) for pair in weights.values() for w in pair)
    kept = np.flatnonzero(used > _NO_WEIGHT)
    size = terms.paths // BATCHES
    moves = (
        np.concatenate(
            [
                simulation.normals(batch, len(factors.loadings))[kept[kept // size == batch] % size]
                for batch in range(BATCHES)
            ]
        )
        @ factors.loadings
    )
    valued = value_parts(holdings.parts, nodes.basis_of(moves), currency, progress)
    numbers = []
    for rule in rules:
        tail = tail_risk(whole, rule)
        each = [tail_risk(batch, rule) for batch in batches]
        numbers.append(
            Number(
                rule.confidence, tail.var + 0.0, tail.es + 0.0,
                -float(whole @ weights[rule.confidence][0]) + 0.0, tail.scenario,
                _error([one.var for one in each]), _error([one.es for one in each]),
                rule.sentence(),
            )
        )  # fmt: skip
    tails = {c: (of_var[kept], of_es[kept]) for c, (of_var, of_es) in weights.items()}

    def shares(rows: Floats) -> dict[Decimal, Shares]:
        return {
            c: Shares(-(rows @ of_var), -(rows @ of_es)) for c, (of_var, of_es) in tails.items()
        }

    groups, trade_pnl = {}, np.zeros((0, kept.size))
    for dimension in DIMENSIONS:
        keys, place = grouped(holdings.parts, dimension)
        rows = summed(valued.pnl, place, len(keys))
        groups[dimension] = keys, shares(rows)
        if dimension == "TRADE":
            trade_pnl = rows
    return Measures(
        value=float(valued.values.sum()),
        valued_at=basis.valued_at,
        numbers=tuple(numbers),
        pnl=whole,
        kept=kept,
        trade_pnl=trade_pnl,
        values=valued.values,
        groups=groups,
        parts=shares(valued.pnl),
        unvalued=valued.unvalued,
        findings=(
            *valued.findings,
            f"{kept.size:,} of {terms.paths:,} paths are kept of parts; none has a VaR of its own.",
        ),
    )


def _rules(terms: RunTerms, scenarios: int, method: str) -> list[Convention]:
    return [
        rule_of(c, scenarios=scenarios, method=method, horizon_days=terms.horizon_days)
        for c in terms.confidences
    ]


def _weights(whole: Floats, rule: Convention) -> tuple[Floats, Floats]:
    """Return each scenario's weight in kernel VaR and in expected shortfall."""
    import numpy as np

    from risk.engine import kernel_weights, shortfall_weights

    order = np.argsort(whole, kind="stable")
    weights = np.empty_like(whole)
    weights[order] = kernel_weights(whole.size, float(rule.tail))
    weights[weights < _NO_WEIGHT] = 0.0
    return weights, shortfall_weights(order, rule)


def _error(values: Sequence[float]) -> float:
    import numpy as np

    return float(np.std(values, ddof=1)) / len(values) ** 0.5
