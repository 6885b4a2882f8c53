"""Concentration: how much of a risk is whose, by counterparty, market or tenor."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.engine._errors import ScenarioError
from risk.engine._tail import Convention, tail_risk

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GroupShare:
    """
    What belongs to one group.

    amount      in the unit of the whole, ≥ 0
    share       of the whole, 0 to 1
    """

    group: Hashable
    amount: float
    share: float


@dataclass(frozen=True, slots=True)
class Concentration:
    """
    How a whole divides over groups.

    total       of all groups, ≥ 0
    largest     the groups by size, those of equal size in the order given; their shares sum to 1
    herfindahl  Σ share²: 1 over the number of groups where all are even, 1 where one has all

    Nothing has no shares: where `total` is zero they and `herfindahl` are zero.
    """

    total: float
    largest: tuple[GroupShare, ...]
    herfindahl: float

    @property
    def even_groups(self) -> float:
        """Return how many even groups would be as concentrated; 0 of nothing."""
        return 1.0 / self.herfindahl if self.herfindahl else 0.0

    def share_of_largest(self, count: int) -> float:
        """Return the share of the `count` largest groups together."""
        return sum(row.share for row in self.largest[:count])


def exposure_concentration(exposures: npt.ArrayLike, groups: Sequence[Hashable]) -> Concentration:
    """
    Return the shares of gross exposure: within a group nothing is netted.

    exposures   (position,), of either sign, finite, in one unit: currency, or MWh of one commodity
    groups      (position,), whose each is

    :raises ScenarioError: naming the argument and the rule.
    """
    held = np.asarray(exposures, dtype=np.float64)
    if held.ndim != 1 or not held.size or len(groups) != held.size:
        raise ScenarioError(
            f"exposures: shape {held.shape} must be one for each of {len(groups)} groups, and one"
            " at least."
        )
    if not np.isfinite(held).all():
        wrong = int(np.flatnonzero(~np.isfinite(held))[0])
        raise ScenarioError(f"exposures[{wrong}]: {held[wrong]} must be finite.")
    sums: dict[Hashable, float] = {}
    for group, amount in zip(groups, np.abs(held).tolist(), strict=True):
        sums[group] = sums.get(group, 0.0) + amount
    return _shares(sums)


def risk_concentration(
    vectors: Mapping[Hashable, npt.ArrayLike], convention: Convention
) -> Concentration:
    """
    Return the shares of standalone VaR: what each group would be at risk alone.

    vectors     by group, its P&L (scenario,), gains positive, of one currency and one basis

    A group whose tail gains has none. Standalone VaRs do not sum to that of all together, which
    netting and diversification lower; `attribute` divides that one.

    :raises ScenarioError: without a group, or for vectors of other lengths.
    :raises TailError: for a vector that is empty or not finite.
    """
    if not vectors:
        raise ScenarioError("vectors: at least one group.")
    rows = {group: np.asarray(row, dtype=np.float64) for group, row in vectors.items()}
    if len({row.shape for row in rows.values()}) > 1:
        raise ScenarioError("vectors: all groups must have the same scenarios.")
    return _shares({g: max(tail_risk(row, convention).var, 0.0) for g, row in rows.items()})


def _shares(amounts: Mapping[Hashable, float]) -> Concentration:
    total = float(sum(amounts.values()))
    rows = [
        GroupShare(group, amount, amount / total if total else 0.0)
        for group, amount in sorted(amounts.items(), key=lambda item: -item[1])
    ]
    return Concentration(total, tuple(rows), sum(row.share**2 for row in rows))
