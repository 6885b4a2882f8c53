"""
VaR and ES of a P&L vector, with the convention stated on the number.

The product's rule: k = ceil(q·n) with q the exact decimal tail probability (the 5th worst of 500
at 99 %, where binary 1 − 0.99 would give the 6th); VaR is the k-th smallest P&L as a positive
loss, ES the mean of the k smallest, the VaR point included.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class TailError(ValueError):
    """Raised for a vector or a convention that has no tail; names the field and the rule."""


class QuantileRule(StrEnum):
    """How the quantile of n values is read."""

    ORDER_STATISTIC = "ORDER_STATISTIC"
    """The k-th smallest, k = ceil(q·n)."""
    LINEAR_TYPE7 = "LINEAR_TYPE7"
    """Interpolated between order statistics at (n−1)·q, as spreadsheets do."""


class ShortfallRule(StrEnum):
    """How the mean beyond the quantile is taken."""

    MEAN_OF_K_WORST = "MEAN_OF_K_WORST"
    """Mean of the k smallest, the VaR point included."""
    ACERBI = "ACERBI"
    """Mean of the q·n smallest, the last one counted by its fraction (Acerbi and Tasche 2002)."""


@dataclass(frozen=True, slots=True)
class Convention:
    """
    What makes a VaR number comparable with another.

    confidence      exact decimal in (0, 1): 0.99 is 99 %
    horizon_days    trading days that one scenario spans
    method          how the scenarios came about, in words

    :raises TailError: for a confidence outside (0, 1), or a horizon that is not positive.
    """

    confidence: Decimal = Decimal("0.99")
    horizon_days: int = 1
    method: str = "historical simulation"
    quantile_rule: QuantileRule = QuantileRule.ORDER_STATISTIC
    shortfall_rule: ShortfallRule = ShortfallRule.MEAN_OF_K_WORST

    def __post_init__(self) -> None:
        is_exact = isinstance(self.confidence, Decimal) and self.confidence.is_finite()
        if not (is_exact and 0 < self.confidence < 1):
            raise TailError(f"confidence: {self.confidence!r} must be a Decimal within (0, 1).")
        if self.horizon_days < 1:
            raise TailError(f"horizon_days: {self.horizon_days} must be 1 or more.")

    @property
    def tail(self) -> Decimal:
        """Return the tail probability q, exact."""
        return 1 - self.confidence

    def sentence(self) -> str:
        """Return the convention in words, as it stands beside every number."""
        rule = {
            QuantileRule.ORDER_STATISTIC: "k-th worst, k = ceil(q·n)",
            QuantileRule.LINEAR_TYPE7: "interpolated quantile (type 7)",
        }[self.quantile_rule]
        shortfall = {
            ShortfallRule.MEAN_OF_K_WORST: "ES = mean of the k worst, VaR point included",
            ShortfallRule.ACERBI: "ES by Acerbi and Tasche",
        }[self.shortfall_rule]
        days = "1 day" if self.horizon_days == 1 else f"{self.horizon_days} days"
        percent = f"{(self.confidence * 100).normalize():f} %"
        return f"{percent}, {days}, {self.method}; {rule}; {shortfall}; loss positive"


@dataclass(frozen=True, slots=True)
class TailRisk:
    """
    VaR and ES as positive losses, in the currency of the vector; negative if even the tail gains.

    scenario    index of the scenario that is the VaR point; None where it is interpolated
    worst       index of the worst scenario
    count       number of scenarios
    """

    var: float
    es: float
    scenario: int | None
    worst: int
    count: int
    convention: Convention


def tail_count(q: Decimal, n: int) -> int:
    """Return k = ceil(q·n), at least 1, exact in q."""
    if not (q.is_finite() and 0 < q < 1):
        raise TailError(f"q: {q} must lie within (0, 1).")
    return max(1, math.ceil(q * n))


def lower_tail(pnl: Floats, q: Decimal) -> tuple[float, float]:
    """
    Return the k-th smallest P&L, k = ceil(q·n), and the mean of the k smallest, with P&L's sign.

    pnl     shape (scenario,), finite

    :raises TailError: for an empty vector, one with NaN or infinity, or q outside (0, 1).
    """
    return tail_of_rank(pnl, tail_count(q, _checked(pnl).size))


def tail_of_rank(pnl: Floats, k: int) -> tuple[float, float]:
    """
    Return the k-th smallest P&L and the mean of the k smallest, with P&L's sign.

    pnl     shape (scenario,), finite

    :raises TailError: for an empty vector, one with NaN or infinity, or a rank that it lacks.
    """
    ordered = np.sort(_checked(pnl))
    if not 1 <= k <= ordered.size:
        raise TailError(f"k: {k} must be within 1 and {ordered.size}.")
    return float(ordered[k - 1]), float(ordered[:k].mean())


def tail_risk(pnl: Floats, convention: Convention) -> TailRisk:
    """
    Return VaR and ES of a P&L vector under a convention.

    pnl     shape (scenario,), finite, gains positive

    Of fewer scenarios than 1/q, as of a single one, the tail is the worst of them.

    :raises TailError: for an empty vector, or one with NaN or infinity.
    """
    values = _checked(pnl)
    order = np.argsort(values, kind="stable")
    ordered, n, q = values[order], values.size, convention.tail
    k = tail_count(q, n)
    scenario: int | None = int(order[k - 1])
    var = -float(ordered[k - 1])
    if convention.quantile_rule is QuantileRule.LINEAR_TYPE7:
        var, scenario = -float(np.quantile(ordered, float(q), method="linear")), None
    if convention.shortfall_rule is ShortfallRule.ACERBI:
        es = -_acerbi(ordered, q)
    else:
        es = -float(ordered[:k].mean())
    return TailRisk(var, es, scenario, int(order[0]), n, convention)


def _acerbi(ordered: Floats, q: Decimal) -> float:
    mass = q * ordered.size
    whole = math.floor(mass)
    rest = float(mass - whole)
    total = float(ordered[:whole].sum())
    # With a whole number of values there is no fraction to take of the next one.
    total += rest * float(ordered[whole]) if rest else 0.0
    return total / float(mass)


def _checked(pnl: Floats) -> Floats:
    values = np.asarray(pnl, dtype=np.float64)
    if values.ndim != 1 or not values.size:
        raise TailError(f"pnl: shape {values.shape} must be one axis with at least one scenario.")
    if not np.isfinite(values).all():
        index = int(np.flatnonzero(~np.isfinite(values))[0])
        raise TailError(f"pnl: scenario {index} is {values[index]}; every value must be finite.")
    return values
