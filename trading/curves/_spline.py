"""Maximum smoothness: the quartic spline of least curvature with given weighted means.

The spline is written in B-splines, quartic with every inner knot double: that is exactly the
space of one quartic for each contract, joined with two continuous derivatives.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_DEGREE = 4
_ORDER = _DEGREE + 1


class SplineEnd(StrEnum):
    """
    How the curve arrives at its last delivery.

    FREE    as least curvature takes it: on a straight line, which may run off steeply
    FLAT    without slope, f'(t_n) = 0, as nothing is known of what comes after
    """

    FREE = "FREE"
    FLAT = "FLAT"


def smoothest_spline(
    x: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    segment: npt.NDArray[np.int64],
    bounds: npt.NDArray[np.float64],
    end: SplineEnd = SplineEnd.FREE,
) -> tuple[csr_array, npt.NDArray[np.float64]]:
    """
    Return the spline of least ∫ f″² whose weighted means over segments are given numbers.

    x          where f is looked at, shape (points,), ascending, within the hull of `bounds`
    weights    of each point in its segment's mean, shape (points,)
    segment    of each point, 0 … segments − 1; −1 for points in no mean
    bounds     start and end of each segment, shape (segments, 2), ascending, without overlap;
               a gap between two has a quartic of its own
    end        condition at the end of the last segment; the start is free

    Returns the B-splines at the points, shape (points, K), and the map from means to their
    coefficients, shape (K, segments): ``f = design @ (map @ means)``. One segment alone gives a
    constant, as nothing says how it should slope.

    Source: F. Benth, S. Koekebakker and F. Ollmar, J. Derivatives 15 (2007) 52-66, whose long end
    is FLAT; means as sums over points, and the FREE end, as in the published `curves` package.
    """
    from scipy.interpolate import BSpline
    from scipy.sparse import csr_array

    knots = np.unique(bounds)
    scale = knots[-1] - knots[0]
    unit = (knots - knots[0]) / scale
    full = np.concatenate([[0.0] * _ORDER, np.repeat(unit[1:-1], 2), [1.0] * _ORDER])
    at = np.clip((x - knots[0]) / scale, 0.0, 1.0)
    design = csr_array(BSpline.design_matrix(at, full, _DEGREE))
    counted = segment >= 0
    means = csr_array(
        (weights[counted], (segment[counted], np.flatnonzero(counted))),
        shape=(len(bounds), len(x)),
    )
    rows = (means @ design).toarray()
    # A B-spline basis sums to 1, so equal coefficients are a constant.
    if len(bounds) == 1:
        return design, np.full((design.shape[1], 1), 1.0 / rows.sum())
    curvature = _curvature(full, unit)
    if end is SplineEnd.FREE:
        return design, _constrained_minimum(curvature, rows)
    # The slope at a clamped end is the difference of the last two coefficients.
    slope = np.zeros((1, rows.shape[1]))
    slope[0, -2:] = -1.0, 1.0
    coefficients = _constrained_minimum(curvature, np.vstack([rows, slope]))
    return design, coefficients[:, : len(bounds)]


def _curvature(
    knots: npt.NDArray[np.float64], breaks: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return G with ∫ f″² = cᵀ G c; three Gauss points are exact for its quartics."""
    from scipy.interpolate import BSpline

    count = len(knots) - _ORDER
    nodes, gauss = np.polynomial.legendre.leggauss(3)
    half = np.diff(breaks) / 2
    points = ((breaks[:-1] + breaks[1:]) / 2)[:, None] + half[:, None] * nodes
    second = BSpline(knots, np.eye(count), _DEGREE).derivative(2)(points.ravel())
    weights = (half[:, None] * gauss).ravel()
    curvature: npt.NDArray[np.float64] = second.T @ (weights[:, None] * second)
    return curvature


def _constrained_minimum(
    curvature: npt.NDArray[np.float64], rows: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """
    Return C that minimizes cᵀ G c subject to ``rows @ c = targets``: c = C @ targets.

    The Karush–Kuhn–Tucker system is put in the order of time, where it is a narrow band, and
    solved by sparse LU. Splines of short contracts bend steeply, so it is scaled first.
    """
    from scipy.sparse import csc_array
    from scipy.sparse.linalg import splu

    count, means = len(curvature), len(rows)
    stretch = 1.0 / np.sqrt(np.diag(curvature))
    scaled = stretch[:, None] * curvature * stretch
    constraints = rows * stretch
    norm = 1.0 / np.linalg.norm(constraints, axis=1)
    constraints *= norm[:, None]
    system = np.block([[scaled, constraints.T], [constraints, np.zeros((means, means))]])
    middle = (constraints**2) @ np.arange(count)
    order = np.argsort(np.concatenate([np.arange(count), middle]), kind="stable")
    banded = csc_array(system[np.ix_(order, order)])
    solver = splu(banded, permc_spec="NATURAL")
    target = np.vstack([np.zeros((count, means)), np.diag(norm)])[order]
    solution = solver.solve(target)
    for _ in range(2):
        solution += solver.solve(target - banded @ solution)
    unordered = np.empty_like(solution)
    unordered[order] = solution
    coefficients: npt.NDArray[np.float64] = unordered[:count] * stretch[:, None]
    return coefficients
