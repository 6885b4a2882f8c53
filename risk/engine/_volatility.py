"""
Volatility that moves: exponentially weighted and GARCH(1,1), and history rescaled to today's.

Variances are per step of the returns (a trading day); returns are net of their mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.engine._errors import ScenarioError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Garch:
    """
    GARCH(1,1): next variance = ω + α return² + β variance (Bollerslev 1986).

    EWMA with decay λ is ω = 0, α = 1 − λ, β = λ.

    :raises ScenarioError: for a negative parameter, or α + β above 1.
    """

    omega: float
    alpha: float
    beta: float

    def __post_init__(self) -> None:
        for name in ("omega", "alpha", "beta"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value >= 0):
                raise ScenarioError(f"{name}: {value} must be zero or above.")
        if self.persistence > 1:
            raise ScenarioError(f"alpha + beta: {self.persistence} must not be above 1.")

    @classmethod
    def ewma(cls, decay: float) -> Garch:
        """Return exponential weights; RiskMetrics takes 0.94 by the day."""
        return cls(0.0, 1.0 - decay, decay)

    @property
    def persistence(self) -> float:
        return self.alpha + self.beta

    @property
    def long_run_variance(self) -> float | None:
        """Return what variance returns to; None where it does not, at α + β = 1."""
        return self.omega / (1.0 - self.persistence) if self.persistence < 1 else None

    def next_variance(self, variance: float, last_return: float) -> float:
        """Return the variance of the next step from that of the last and its return."""
        return self.omega + self.alpha * last_return**2 + self.beta * variance

    def variances(self, returns: npt.ArrayLike, *, first: float | None = None) -> Floats:
        """
        Return the variance expected for each step, and for the one after the last.

        returns     (step,) or (step, series), the earliest first, finite
        first       variance of the first step; by default the mean square of the returns

        :raises ScenarioError: for fewer than two returns, one that is not finite, or a first
            variance that is negative.
        """
        values = checked_returns(returns)
        if first is not None and not (np.isfinite(first) and first >= 0):
            raise ScenarioError(f"first: {first} must be zero or above.")
        found = np.empty((values.shape[0] + 1, *values.shape[1:]))
        found[0] = np.mean(values**2, axis=0) if first is None else first
        for step, squares in enumerate(values**2):
            found[step + 1] = self.omega + self.alpha * squares + self.beta * found[step]
        return found


def filtered_returns(returns: npt.ArrayLike, model: Garch | Sequence[Garch]) -> Floats:
    """
    Return past returns as they would be at today's volatility (Barone-Adesi et al. 1999).

    Each is divided by the deviation expected for its own day and multiplied by that for tomorrow.
    A series that never moves stays at zero.

    returns     (step,) or (step, series), the earliest first, finite
    model       one for all, or one for each series: what `fit_garch` or `fit_ewma` found

    :raises ScenarioError: as `Garch.variances`, or for another number of models than series.
    """
    values = checked_returns(returns)
    if isinstance(model, Garch):
        deviations = np.sqrt(model.variances(values))
    else:
        series = values.reshape(len(values), -1)
        if len(model) != series.shape[1]:
            raise ScenarioError(f"model: {len(model)} must be one for each of {series.shape[1]}.")
        each = [own.variances(row) for own, row in zip(model, series.T, strict=True)]
        deviations = np.sqrt(np.stack(each, axis=1)).reshape(len(values) + 1, *values.shape[1:])
    own, today = deviations[:-1], deviations[-1]
    scaled: Floats = np.divide(values, own, out=np.zeros_like(values), where=own > 0) * today
    return scaled


def checked_returns(returns: npt.ArrayLike) -> Floats:
    """
    Return returns, (step,) or (step, series).

    :raises ScenarioError: for fewer than two steps, or one that is not finite.
    """
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim not in (1, 2) or values.shape[0] < 2:
        raise ScenarioError(f"returns: shape {values.shape} must have at least two steps.")
    if not np.isfinite(values).all():
        where = [int(n) for n in np.argwhere(~np.isfinite(values))[0]]
        raise ScenarioError(f"returns: {values[tuple(where)]} at {where} must be finite.")
    return values
