"""
Parametric runs: deltas by principal factor, found by revaluation, and normal moves of the factors.

Every part, option or not, is valued with each factor up and down by a quarter of its deviation;
half the difference is its delta. Options so enter by their deltas alone in a delta-normal run;
delta-gamma adds the curvature of the whole, with cross terms between the largest factors.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from .bases import Basis
from .holdings import value_holdings
from .moved_bases import nodes_of
from .run_holdings import RunHoldings
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
from .run_terms import RunTerms

if TYPE_CHECKING:
    from risk.engine import DeltaNormal, Factors

    from .bases import Floats
    from .moved_bases import Nodes

# Of a factor's standard deviation.
BUMP = 0.25
# Factors between which curvature is measured; each has its own all the same.
CROSSED = 20


def parametric_measures(
    holdings: RunHoldings, basis: Basis, terms: RunTerms, currency: str, progress: Progress
) -> Measures:
    """Calculate a parametric run; `measure` says the rest."""
    import numpy as np

    from risk.engine import delta_gamma, delta_normal

    nodes = nodes_of(basis)
    factors = nodes.factors()
    count = len(factors.loadings)
    bumps = np.concatenate([np.eye(count), -np.eye(count)]) * BUMP
    bumped = nodes.basis_of(bumps @ factors.loadings)
    valued = value_parts(holdings.parts, bumped, currency, progress)
    deltas = (valued.pnl[:, :count] - valued.pnl[:, count:]) / (2 * BUMP)
    whole, unit = deltas.sum(axis=0), np.eye(count)
    is_gamma = terms.method == terms.method.DELTA_GAMMA
    gamma = _gamma(holdings, nodes, factors, currency) if is_gamma else np.zeros((0, 0))
    findings = list(valued.findings)
    if any(part.holdings.choices for part in holdings.parts):
        findings.append(
            "Options and structures count by delta and gamma." if is_gamma
            else "Options and structures count by their deltas alone; their curvature is left out."
        )  # fmt: skip
    numbers = []
    found: dict[Decimal, DeltaNormal] = {}
    for confidence in terms.confidences:
        normal = found[confidence] = delta_normal(whole, unit, float(confidence))
        var, es = normal.var, normal.es
        if is_gamma:
            bent = delta_gamma(whole, gamma, unit, float(confidence))
            var, es = bent.var, bent.es
            if not bent.is_monotone:
                findings.append(
                    f"At {_percent(confidence)} the Cornish-Fisher expansion is not monotone: the"
                    " tail is too far from normal for it; ask for full revaluation."
                )
        numbers.append(
            Number(
                confidence, var + 0.0, es + 0.0, normal.var + 0.0, None, None, None,
                _convention(confidence, terms, basis, factors, is_gamma),
            )
        )  # fmt: skip

    def shares(rows: Floats) -> dict[Decimal, Shares]:
        return {
            confidence: _shares(rows, whole, normal, confidence)
            for confidence, normal in found.items()
        }

    groups = {}
    for dimension in DIMENSIONS:
        keys, place = grouped(holdings.parts, dimension)
        groups[dimension] = keys, shares(summed(deltas, place, len(keys)))
    return Measures(
        value=float(valued.values.sum()),
        valued_at=basis.valued_at,
        numbers=tuple(numbers),
        pnl=np.zeros(0),
        kept=None,
        trade_pnl=None,
        values=valued.values,
        groups=groups,
        parts=shares(deltas),
        unvalued=valued.unvalued,
        findings=tuple(dict.fromkeys(findings)),
    )


def _shares(rows: Floats, whole: Floats, normal: DeltaNormal, confidence: Decimal) -> Shares:
    import numpy as np

    from risk.engine import normal_tail

    one = normal_tail(0.0, 1.0, float(confidence))
    component = rows @ normal.marginal
    alone = np.sqrt((rows**2).sum(axis=1))
    without = np.sqrt(((whole - rows) ** 2).sum(axis=1))
    return Shares(
        component,
        component * (one.es / one.var),
        alone * one.var,
        alone * one.es,
        normal.var - without * one.var,
    )


def _gamma(holdings: RunHoldings, nodes: Nodes, factors: Factors, currency: str) -> Floats:
    """Return the second derivatives of the whole by factor, (factor, factor)."""
    import numpy as np

    count = len(factors.loadings)
    crossed = min(count, CROSSED)
    pairs = [(i, j) for i in range(crossed) for j in range(i)]
    eye = np.eye(count)
    both = np.array([eye[i] + eye[j] for i, j in pairs]).reshape(len(pairs), count)
    bumps = np.concatenate([eye, -eye, both, -both]) * BUMP
    together, basis = holdings.together, nodes.basis_of(bumps @ factors.loadings)
    pnl = value_holdings(together, basis, currency=currency).pnl
    up, down = pnl[:count], pnl[count : 2 * count]
    own = (up + down) / BUMP**2
    bent = (pnl[2 * count : 2 * count + len(pairs)] + pnl[2 * count + len(pairs) :]) / BUMP**2
    gamma: Floats = np.diag(own)
    for (i, j), second in zip(pairs, bent, strict=True):
        gamma[i, j] = gamma[j, i] = (second - own[i] - own[j]) / 2
    return gamma


def _convention(
    confidence: Decimal, terms: RunTerms, basis: Basis, factors: Factors, is_gamma: bool
) -> str:
    days = "1 day" if terms.horizon_days == 1 else f"{terms.horizon_days} days"
    rule = (
        "delta-gamma, Cornish-Fisher of the fourth order; ES = mean beyond; components of the"
        " delta-normal VaR"
        if is_gamma
        else "delta-normal, mean zero; ES = mean beyond the quantile"
    )
    return (
        f"{_percent(confidence)}, {days}, parametric: {len(factors.loadings)} principal factors of"
        f" {basis.scenario_count} moves ({basis.method}), jointly normal; {rule}; loss positive"
    )


def _percent(confidence: Decimal) -> str:
    return f"{(confidence * 100).normalize():f} %"
