"""Maximum likelihood with standard errors, for the processes that are fitted to history."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from trading.pricing._inputs import Floats

# Of the parameters' transforms, which are of the order of 1.
_STEP = 1e-4


@dataclass(frozen=True, slots=True)
class Parameter:
    """
    A fitted parameter, in the unit that its process states.

    standard_error   one deviation; infinite where the observations do not tell the parameter
    """

    name: str
    value: float
    standard_error: float


@dataclass(frozen=True, slots=True, eq=False)
class Maximum:
    """
    Where a log-likelihood is greatest.

    at             the transformed parameters
    deviation      of each, from the curvature there
    has_settled    whether the search ended by its own rule and not for want of steps
    """

    at: Floats
    deviation: Floats
    log_likelihood: float
    has_settled: bool


def maximize(
    log_likelihood: Callable[[Floats], float],
    *,
    starts: Sequence[Sequence[float]],
    bounds: Sequence[tuple[float, float]],
    observations: int,
) -> Maximum:
    """
    Find the greatest likelihood within bounds from several starts.

    observations   scale the search, so that its tolerance means the same for any history
    """

    from scipy.optimize import minimize

    def loss(at: Floats) -> float:
        return -log_likelihood(at) / observations

    low, high = np.array(bounds).T
    tries = [
        minimize(loss, np.clip(start, low, high), method="L-BFGS-B", bounds=bounds)
        for start in starts
    ]
    best = min(tries, key=lambda found: float(found.fun))
    at = np.asarray(best.x, dtype=np.float64)
    return Maximum(
        at=at,
        deviation=_deviation(loss, np.clip(at, low + _STEP, high - _STEP)) / np.sqrt(observations),
        log_likelihood=-float(best.fun) * observations,
        has_settled=bool(best.success),
    )


def _deviation(loss: Callable[[Floats], float], at: Floats) -> Floats:
    """Return the roots of the inverse Hessian's diagonal, infinite in a flat direction."""
    count = len(at)
    steps = np.eye(count) * _STEP
    hessian = np.empty((count, count))
    for i in range(count):
        for j in range(i + 1):
            corners = (
                loss(at + steps[i] + steps[j]) - loss(at + steps[i] - steps[j])
                - loss(at - steps[i] + steps[j]) + loss(at - steps[i] - steps[j])
            )  # fmt: skip
            hessian[i, j] = hessian[j, i] = corners / (4.0 * _STEP**2)
    values, vectors = np.linalg.eigh(hessian)
    # Differences of a loss near 1 know its curvature to about 1e-8.
    flat = values <= 1e-7
    inverse = np.where(flat, 0.0, 1.0 / np.where(flat, 1.0, values))
    variance = (vectors**2) @ inverse
    unknown = (np.abs(vectors[:, flat]) > 1e-3).any(axis=1)
    return np.where(unknown, np.inf, np.sqrt(variance))
