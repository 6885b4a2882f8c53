"""
What Monte Carlo draws: factors that move nodes together, and standard numbers for them.

Paths come in batches that are drawn apart from each other: what VaR differs by between batches is
its standard error, for pseudo-random, antithetic and quasi-random numbers alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

import numpy as np
import numpy.typing as npt

from risk.engine._errors import ScenarioError
from risk.engine._jump_diffusion import JumpDiffusion

Floats = npt.NDArray[np.float64]
_RARE = 1e-5
_FARTHEST = 10.0


class Draw(StrEnum):
    """How numbers are drawn."""

    PSEUDO = "PSEUDO"
    """Independent (PCG64)."""
    ANTITHETIC = "ANTITHETIC"
    """Each path beside its mirror image."""
    QUASI = "QUASI"
    """Sobol points, scrambled anew for each batch."""


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """
    What moves nodes together: move = z @ loadings, z independent with variance one.

    loadings    (factor, node)
    explained   share of the total variance that the factors kept have
    """

    loadings: Floats
    explained: float

    @property
    def covariance(self) -> Floats:
        found: Floats = self.loadings.T @ self.loadings
        return found


def factors_of_history(moves: npt.ArrayLike, *, explained: float = 0.999999) -> Factors:
    """
    Return principal factors of past moves, about their mean.

    With fewer days than nodes the sample covariance is singular; its factors are as many as the
    days tell apart, and nothing has to be repaired.

    moves       (day, node), two days or more, finite
    explained   share of the total variance to keep, (0, 1]

    :raises ScenarioError: naming the argument and the rule.
    """
    past = np.asarray(moves, dtype=np.float64)
    if past.ndim != 2 or len(past) < 2 or not past.shape[1]:
        raise ScenarioError(f"moves: shape {past.shape} must be (day, node), with two days.")
    if not np.isfinite(past).all():
        where = np.argwhere(~np.isfinite(past))[0].tolist()
        raise ScenarioError(f"moves{where}: {past[tuple(where)]} must be finite.")
    _, sizes, vectors = np.linalg.svd(past - past.mean(axis=0), full_matrices=False)
    return _kept(sizes / sqrt(len(past) - 1), vectors, explained)


def factors_of_covariance(covariance: npt.ArrayLike, *, explained: float = 1.0) -> Factors:
    """
    Return principal factors of a covariance; repair it first where it is none.

    :raises ScenarioError: for what is not square, symmetric and finite, or has an eigenvalue
        below zero beyond rounding.
    """
    given = np.asarray(covariance, dtype=np.float64)
    if given.ndim != 2 or given.shape[0] != given.shape[1] or not given.size:
        raise ScenarioError(f"covariance: shape {given.shape} must be a square.")
    largest = np.abs(given).max()
    if not np.isfinite(largest) or not np.allclose(given, given.T, rtol=0, atol=1e-12 * largest):
        raise ScenarioError("covariance: must be finite and symmetric.")
    values, vectors = np.linalg.eigh(given)
    if values[0] < -1e-10 * max(values[-1], 0.0):
        raise ScenarioError(f"covariance: has the eigenvalue {values[0]:.3g}; repair it first.")
    order = slice(None, None, -1)
    return _kept(np.sqrt(np.maximum(values[order], 0.0)), vectors.T[order], explained)


def _kept(sizes: Floats, vectors: Floats, explained: float) -> Factors:
    if not 0.0 < explained <= 1.0:
        raise ScenarioError(f"explained: {explained} must be above 0 and at most 1.")
    shares = np.cumsum(sizes**2)
    if not shares[-1]:
        return Factors(np.zeros((0, vectors.shape[1])), 1.0)
    shares = shares / shares[-1]
    count = min(int(np.searchsorted(shares, explained)) + 1, len(sizes))
    return Factors(sizes[:count, None] * vectors[:count], float(shares[count - 1]))


@dataclass(frozen=True, slots=True)
class Simulation:
    """
    How paths are drawn.

    paths       of all batches; batches, 2 or more, must part them evenly
    degrees     of freedom of Student's t, > 2, with the covariance of the factors; None is Gaussian
    jumps       what factors do instead, in their own units; its moves go on the loadings
    draw        quasi-random paths are a power of two in each batch

    :raises ScenarioError: naming the field and the rule.
    """

    paths: int = 10_240
    batches: int = 10
    seed: int = 0
    degrees: float | None = None
    draw: Draw = Draw.ANTITHETIC
    jumps: JumpDiffusion | None = None

    def __post_init__(self) -> None:
        if self.batches < 2:
            raise ScenarioError(f"batches: {self.batches} must be 2 or more.")
        if self.paths < 2 * self.batches or self.paths % self.batches:
            raise ScenarioError(
                f"paths: {self.paths} must be even batches of {self.batches}, two paths or more in"
                " each."
            )
        size = self.size
        if self.draw is Draw.ANTITHETIC and size % 2:
            raise ScenarioError(f"paths: {size} a batch must be an even number of mirror images.")
        if self.draw is Draw.QUASI and size & (size - 1):
            raise ScenarioError(f"paths: {size} a batch must be a power of two for Sobol points.")
        if self.degrees is not None and not 2 < self.degrees < np.inf:
            raise ScenarioError(f"degrees: {self.degrees} must be above 2, for a variance.")
        if self.jumps is not None and self.degrees is not None:
            raise ScenarioError("degrees: must be None for factors that revert and jump.")
        if self.jumps is not None and self.jumps.has_jumps and self.draw is Draw.QUASI:
            raise ScenarioError(
                "draw: must not be QUASI for jumps: their number is random, and Sobol points have"
                " a fixed number of dimensions."
            )
        if self.seed < 0:
            raise ScenarioError(f"seed: {self.seed} must not be negative.")

    @property
    def size(self) -> int:
        """Return the paths of a batch."""
        return self.paths // self.batches

    def reach(self, loadings: Floats) -> Floats:
        """
        Return how far moves go but for one in 100,000, or ten of their deviations, (node,).

        loadings    (factor, node)
        """
        if self.jumps is not None:
            if len(self.jumps.processes) != len(loadings):
                raise ScenarioError(
                    f"processes: {len(self.jumps.processes)} must be {len(loadings)}, one a factor."
                )
            variance = np.einsum("fn,fg,gn->n", loadings, self.jumps.covariance, loadings)
            found: Floats = np.abs(self.jumps.mean @ loadings) + _FARTHEST * np.sqrt(variance)
            return found
        deviation: Floats = np.sqrt((loadings**2).sum(axis=0))
        return self._deviations * deviation

    @property
    def _deviations(self) -> float:
        from scipy.special import ndtri, stdtrit

        if self.degrees is None:
            return float(-ndtri(_RARE / 2))
        found = float(-stdtrit(self.degrees, _RARE / 2)) * sqrt((self.degrees - 2) / self.degrees)
        return min(found, _FARTHEST)

    def normals(self, batch: int, factors: int) -> Floats:
        """Return the factors' draws of a batch, (path, factor); the same for the same seed."""
        rng = np.random.Generator(np.random.PCG64([self.seed, batch]))
        # A column more for the mixing of Student's t, so that laws share their normals.
        if self.draw is Draw.QUASI:
            from scipy.special import ndtri
            from scipy.stats import qmc

            sobol = qmc.Sobol(factors + 1, scramble=True, rng=rng)
            uniform = sobol.random(self.size)
            found = ndtri(np.clip(uniform, 1e-16, 1 - 1e-16))
        elif self.draw is Draw.ANTITHETIC:
            half = rng.standard_normal((self.size // 2, factors + 1))
            found = np.concatenate([half, -half])
            # The mirror image keeps its mixing: mirrored, it would be another law's.
            found[self.size // 2 :, -1] = half[:, -1]
        else:
            found = rng.standard_normal((self.size, factors + 1))
        z: Floats = found[:, :-1]
        if self.jumps is not None:
            return self.jumps.moves(z, rng, antithetic=self.draw is Draw.ANTITHETIC)
        return z if self.degrees is None else z * self._mixing(found[:, -1:])

    def _mixing(self, normal: Floats) -> Floats:
        """Return what makes normals Student's t of variance one: √((ν − 2) / χ²)."""
        from scipy.special import chdtri, ndtr

        assert self.degrees is not None
        chi_squared = chdtri(self.degrees, ndtr(-normal))
        found: Floats = np.sqrt((self.degrees - 2) / np.maximum(chi_squared, 1e-12))
        return found
