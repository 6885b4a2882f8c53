"""
The nearest correlation matrix, for estimates that are none: from gaps, or set by hand.

Higham's projections (2002) find the one nearest in the Frobenius norm. Cutting negative eigenvalues
and scaling the diagonal back, the common shortcut, ends elsewhere and moves correlations more.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from risk.engine._tail import TailError

Floats = npt.NDArray[np.float64]


class NotNearest(TailError):
    """Raised when projections do not settle; says how far they were."""


def nearest_correlation(
    matrix: npt.ArrayLike, *, least_eigenvalue: float = 0.0, tolerance: float = 1e-10,
    iterations: int = 5000,
) -> Floats:  # fmt: skip
    """
    Return the correlation matrix nearest to a symmetric one with ones on its diagonal.

    matrix              (n, n), finite, symmetric to 1e-8; its diagonal is taken as 1
    least_eigenvalue    0 to below 1: above zero the result can be inverted and factorised
    tolerance           at which the largest change of an iteration is none

    :raises TailError: naming the argument and the rule.
    :raises NotNearest: if it has not settled after `iterations`.
    """
    given = np.asarray(matrix, dtype=np.float64)
    if given.ndim != 2 or given.shape[0] != given.shape[1] or not given.size:
        raise TailError(f"matrix: shape {given.shape} must be a square.")
    if not np.isfinite(given).all():
        where = [int(n) for n in np.argwhere(~np.isfinite(given))[0]]
        raise TailError(f"matrix: {given[tuple(where)]} at {where} must be finite.")
    if not np.allclose(given, given.T, rtol=0.0, atol=1e-8):
        raise TailError("matrix: must be symmetric.")
    if not 0.0 <= least_eigenvalue < 1.0:
        raise TailError(f"least_eigenvalue: {least_eigenvalue} must be within 0 and below 1.")
    found: Floats = (given + given.T) / 2
    np.fill_diagonal(found, 1.0)
    if np.linalg.eigvalsh(found)[0] >= least_eigenvalue - 1e-14:
        return found
    correction = np.zeros_like(found)
    change = np.inf
    for _ in range(iterations):
        # Dykstra's correction: without it the projections end in the set, but not at its nearest.
        moved = found - correction
        projected = _with_eigenvalues(moved, least_eigenvalue)
        correction = projected - moved
        after = projected.copy()
        np.fill_diagonal(after, 1.0)
        change = float(np.abs(after - found).max())
        found = after
        if change <= tolerance:
            return _inside(found, least_eigenvalue)
    raise NotNearest(f"matrix: after {iterations} projections they still moved by {change:.1e}.")


def repaired_covariance(covariance: npt.ArrayLike, *, least_eigenvalue: float = 1e-10) -> Floats:
    """
    Return a covariance with the variances given and the nearest correlations that fit them.

    covariance  (n, n), symmetric, variances ≥ 0; what does not vary is left without correlation

    :raises TailError: naming the argument and the rule.
    """
    given = np.asarray(covariance, dtype=np.float64)
    if given.ndim != 2 or given.shape[0] != given.shape[1] or not given.size:
        raise TailError(f"covariance: shape {given.shape} must be a square.")
    variances = np.diag(given)
    if not np.isfinite(given).all() or (variances < 0).any():
        raise TailError("covariance: must be finite, without a negative variance.")
    deviations = np.sqrt(variances)
    scale = np.outer(deviations, deviations)
    correlation = np.divide(given, scale, out=np.zeros_like(given), where=scale > 0)
    np.fill_diagonal(correlation, 1.0)
    repaired: Floats = nearest_correlation(correlation, least_eigenvalue=least_eigenvalue) * scale
    np.fill_diagonal(repaired, variances)
    return repaired


def stressed_covariance(covariance: npt.ArrayLike, towards: npt.ArrayLike, share: float) -> Floats:
    """
    Return a covariance whose correlations have gone part of the way to others; variances stay.

    A shock of correlation gains and loses nothing today; it changes VaR, so ask `delta_normal` or
    `monte_carlo` on `factors_of_covariance` before and after.

    covariance  (n, n), symmetric, variances ≥ 0
    towards     one correlation for every pair, or (n, n), within −1 and 1: 1 is all at once
    share       of the way, within 0 and 1

    What no prices can do (three that all move against each other) ends at the nearest that some
    can.

    :raises TailError: naming the argument and the rule.
    """
    given = repaired_covariance(covariance)
    aim = np.asarray(towards, dtype=np.float64)
    if aim.shape not in ((), given.shape) or not (np.abs(aim) <= 1.0).all():
        raise TailError("towards: must be one correlation or one for each pair, within -1 and 1.")
    if not 0.0 <= share <= 1.0:
        raise TailError(f"share: {share} must be within 0 and 1.")
    deviations = np.sqrt(np.diag(given))
    scale = np.outer(deviations, deviations)
    correlation = np.divide(given, scale, out=np.zeros_like(given), where=scale > 0)
    mixed = (1.0 - share) * correlation + share * aim
    np.fill_diagonal(mixed, 1.0)
    moved: Floats = nearest_correlation(mixed) * scale
    np.fill_diagonal(moved, np.diag(given))
    return moved


def _with_eigenvalues(matrix: Floats, least: float) -> Floats:
    """Project on the symmetric matrices without an eigenvalue below `least`."""
    values, vectors = np.linalg.eigh(matrix)
    found: Floats = (vectors * np.maximum(values, least)) @ vectors.T
    return (found + found.T) / 2


def _inside(matrix: Floats, least: float) -> Floats:
    """Move a matrix by what the tolerance left, so that no eigenvalue is below `least`."""
    lowest = float(np.linalg.eigvalsh(matrix)[0])
    if lowest >= least:
        return matrix
    # A mixture with the identity keeps the diagonal and lifts each eigenvalue towards 1.
    share = min(1.0, (least - lowest) / (1.0 - lowest) + 1e-15)
    found: Floats = (1.0 - share) * matrix
    np.fill_diagonal(found, 1.0)
    return found
