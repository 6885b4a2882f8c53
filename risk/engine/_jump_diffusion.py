"""
Factors that revert and jump: what a Monte Carlo draws beside Gaussian and Student's t.

The process of a factor is that of spot prices (`trading.pricing.processes`), with its calibration;
here several of them move over one horizon, exactly, in one step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from risk.engine._errors import ScenarioError
from trading.pricing.processes import MeanRevertingSpot, SpotFit

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class JumpDiffusion:
    """
    What factors do over a horizon, each about its own mean.

        move = deviation (e^{−κT} − 1) + ∫ e^{−κ(T−s)} (σ dW + dJ − λ μ_J ds)

    processes       (factor,): κ, σ and jumps by the year, in the unit of the factor
    correlation     (factor, factor), of the noises at each instant; jumps are each factor's own
    horizon_days    over which moves go, > 0
    days_a_year     of the histories that the processes are of: 365 of every day, some 252 of
                    trading days
    deviation       (factor,), today's from what the factor reverts to; zero by default

    A lognormal process moves logarithms, less what makes the mean of e^move one: today's price is
    what the market expects.

    :raises ScenarioError: naming the argument and the rule.
    """

    processes: tuple[MeanRevertingSpot, ...]
    correlation: Floats
    horizon_days: float = 1.0
    days_a_year: float = 365.0
    deviation: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        count = len(self.processes)
        if not count:
            raise ScenarioError("processes: at least one.")
        matrix = np.asarray(self.correlation, dtype=np.float64)
        if matrix.shape != (count, count) or not np.isfinite(matrix).all():
            raise ScenarioError(
                f"correlation: shape {matrix.shape} must be {(count, count)}, finite."
            )
        if not (np.array_equal(matrix, matrix.T) and (np.diag(matrix) == 1.0).all()):
            raise ScenarioError("correlation: must be symmetric with ones on the diagonal.")
        if np.linalg.eigvalsh(matrix)[0] < -1e-10:
            raise ScenarioError("correlation: has a negative eigenvalue; repair it first.")
        for name in ("horizon_days", "days_a_year"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ScenarioError(f"{name}: {value} must be above 0.")
        away = np.asarray(self.deviation, dtype=np.float64)
        away = away if away.size else np.zeros(count)
        if away.shape != (count,) or not np.isfinite(away).all():
            raise ScenarioError(f"deviation: must be one for each of {count} factors, finite.")
        object.__setattr__(self, "correlation", matrix)
        object.__setattr__(self, "deviation", away)

    @classmethod
    def of_fits(
        cls, fits: Sequence[SpotFit], correlation: npt.ArrayLike, *, horizon_days: float = 1.0,
        days_a_year: float = 365.0,
    ) -> JumpDiffusion:  # fmt: skip
        """Return calibrated processes from where their histories ended."""
        return cls(
            tuple(fit.process for fit in fits),
            np.asarray(correlation, dtype=np.float64),
            horizon_days,
            days_a_year,
            np.array([fit.latest_deviation for fit in fits]),
        )

    @property
    def has_jumps(self) -> bool:
        """Say whether any factor jumps."""
        return any(process.jump_intensity > 0 for process in self.processes)

    @property
    def years(self) -> float:
        """Return the horizon."""
        return self.horizon_days / self.days_a_year

    @property
    def mean(self) -> Floats:
        """Return the expected moves, (factor,)."""
        k = self._speeds()
        logs = [
            float(process.log_mean(self.years)) if process.is_lognormal else 0.0
            for process in self.processes
        ]
        found: Floats = self.deviation * np.expm1(-k * self.years) - np.array(logs)
        return found

    @property
    def covariance(self) -> Floats:
        """Return the covariance of the moves, (factor, factor), jumps included."""
        variance = np.array([float(p.variance(self.years)) for p in self.processes])
        noise = self._noise_covariance()
        found: Floats = noise + np.diag(variance - np.diag(noise))
        return found

    def moves(self, normals: Floats, generator: np.random.Generator, *, antithetic: bool) -> Floats:
        """
        Return moves from standard normals, both (path, factor); jumps are drawn.

        antithetic  whether path i + n/2 mirrors path i: its jumps come when its twin's do, of sizes
                    mirrored about their mean
        """
        paths, count = normals.shape
        if count != len(self.processes):
            raise ScenarioError(f"processes: {len(self.processes)} must be {count}, one a factor.")
        news = normals @ self._root()
        found = np.empty((paths, count))
        for n, process in enumerate(self.processes):
            simulated = process.simulate(
                times=[self.years], curve=1.0 if process.is_lognormal else 0.0, scenarios=paths,
                generator=generator, antithetic=antithetic, news=news[:, n : n + 1],
            )  # fmt: skip
            found[:, n] = simulated.factors[:, 0, 0]
        moved: Floats = found + self.mean
        return moved

    def _speeds(self) -> Floats:
        return np.array([process.mean_reversion for process in self.processes])

    def _noise_covariance(self) -> Floats:
        """Return the covariance of what the noises leave at the horizon."""
        sigma = np.array([process.volatility for process in self.processes])
        k = self._speeds()
        both = k[:, None] + k
        found: Floats = (
            self.correlation * np.outer(sigma, sigma) * -np.expm1(-both * self.years) / both
        )
        return found

    def _root(self) -> Floats:
        """Return what makes independent normals the noises' standard ones, (normal, factor)."""
        k = self._speeds()
        both = k[:, None] + k
        shared = self.correlation * -np.expm1(-both * self.years) / both
        scale = np.sqrt(np.diag(shared))
        values, vectors = np.linalg.eigh(shared / np.outer(scale, scale))
        root: Floats = (vectors * np.sqrt(np.maximum(values, 0.0))).T
        return root
