"""How the markets move together in the scenarios that books are valued on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from energyopti.accounts.actors import Actor
from trading.queries.markets import market_codes

from .bases import latest_basis

VIEW = "risk.view_risk"
# Months to delivery that stand for a curve: the next, the quarter after, the season, the year.
TENORS = (1, 3, 6, 12)


@dataclass(frozen=True, slots=True)
class Correlations:
    """
    Pearson's correlations of the changes of forward prices in the scenarios.

    names       (node,), market and months to delivery
    values      (node, node); None where one of the two does not move in any scenario
    method      of the scenarios, in words
    """

    names: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    scenarios: int
    method: str
    valued_at: datetime | None
    problem: str = ""


def correlations(actor: Actor, *, tenors: Sequence[int] = TENORS) -> Correlations:
    """
    Return the correlations between all markets of the latest scenarios at some months to delivery.

    :raises PermissionMissing: without `risk.view_risk`.
    """
    import numpy as np

    actor.require(VIEW)
    on = latest_basis()
    if on is None:
        why = "There is no curve with a quote history to make scenarios of yet."
        return Correlations((), (), 0, "", None, why)
    codes = market_codes(on.markets)
    nodes = [
        (code, tenor)
        for code in sorted(codes.values())
        for tenor in sorted(set(tenors))
        if tenor < on.tenors
    ]
    ids = {code: market_id for market_id, code in codes.items()}
    moves = np.stack([on.markets[ids[code]].shocks[:, tenor] for code, tenor in nodes])
    moves = moves - moves.mean(axis=1, keepdims=True)
    lengths = np.sqrt((moves**2).sum(axis=1))
    still = lengths <= 1e-12 * max(1.0, float(lengths.max()))
    directions = moves / np.where(still, 1.0, lengths)[:, None]
    products = np.clip(directions @ directions.T, -1.0, 1.0)
    return Correlations(
        names=tuple(f"{code} +{tenor}" for code, tenor in nodes),
        values=tuple(
            tuple(
                None if still[i] or still[j] else float(products[i, j]) for j in range(len(nodes))
            )
            for i in range(len(nodes))
        ),
        scenarios=on.scenario_count,
        method=on.method,
        valued_at=on.valued_at,
    )
