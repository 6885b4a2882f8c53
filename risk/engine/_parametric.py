"""
VaR and ES in closed form: normal and Student-t P&L, and positions on factors with a covariance.

Losses are positive; confidence is of the VaR, 0.99 for 99 %. Attribution follows Euler: VaR of
normal P&L is homogeneous in positions, so components (position × marginal) sum to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, isfinite, pi, sqrt

import numpy as np
import numpy.typing as npt

from risk.engine._tail import TailError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ClosedTail:
    """VaR and ES as positive losses, in the unit of the P&L."""

    var: float
    es: float


def normal_tail(mean: float, deviation: float, confidence: float) -> ClosedTail:
    """
    Return VaR and ES of normal P&L.

    :raises TailError: naming the argument that is no number, or breaks its rule.
    """
    from scipy.special import ndtri

    q = _checked_tail(confidence)
    _check("mean", mean)
    _check("deviation", deviation, least=0.0)
    z = float(ndtri(q))
    return ClosedTail(-mean - deviation * z, -mean + deviation * _density(z) / q)


def student_tail(
    degrees: float, confidence: float, *, location: float = 0.0, scale: float = 1.0
) -> ClosedTail:
    """
    Return VaR and ES of Student-t P&L (McNeil, Frey and Embrechts 2015, 2.2.3).

    degrees     of freedom, > 1: with one or fewer there is no expected shortfall
    scale       of the standard t; its deviation is scale √(ν/(ν − 2))

    :raises TailError: naming the argument that is no number, or breaks its rule.
    """
    from scipy.special import gammaln, stdtrit

    q = _checked_tail(confidence)
    _check("location", location)
    _check("scale", scale, least=0.0)
    if not degrees > 1 or not isfinite(degrees):
        raise TailError(f"degrees: {degrees} must be finite and above 1.")
    t = float(stdtrit(degrees, q))
    norm = exp(float(gammaln((degrees + 1) / 2) - gammaln(degrees / 2))) / sqrt(degrees * pi)
    density = norm * (1 + t * t / degrees) ** (-(degrees + 1) / 2)
    es = density / q * (degrees + t * t) / (degrees - 1)
    return ClosedTail(-location - scale * t, -location + scale * es)


@dataclass(frozen=True, slots=True, eq=False)
class DeltaNormal:
    """
    VaR of positions on factors whose moves are jointly normal with mean zero, and whose it is.

    marginal        (position,), dVaR per unit of the position
    component       (position,), position × marginal; they sum to `var`
    incremental     (position,), what `var` falls by without the position
    """

    var: float
    es: float
    marginal: Floats
    component: Floats
    incremental: Floats


def delta_normal(
    positions: npt.ArrayLike, covariance: npt.ArrayLike, confidence: float
) -> DeltaNormal:
    """
    Return delta-normal VaR with its attribution.

    positions   (factor,), currency per unit of the factor's move
    covariance  (factor, factor), of the moves over the horizon; symmetric, no negative variance

    Without any risk the marginals, which have no limit there, are zero.

    :raises TailError: naming the argument that is no number, has no fitting shape, is not
        symmetric, or gives these positions a negative variance.
    """
    from scipy.special import ndtri

    q = _checked_tail(confidence)
    held, moves = _rows("positions", positions, 1), _rows("covariance", covariance, 2)
    if moves.shape != (held.size, held.size):
        raise TailError(
            f"covariance: shape {moves.shape} must be {(held.size, held.size)}, by the positions."
        )
    largest = float(np.abs(moves).max(initial=0.0))
    if not np.allclose(moves, moves.T, rtol=0.0, atol=1e-12 * largest):
        raise TailError("covariance: must be symmetric.")
    z = -float(ndtri(q))
    with_others = moves @ held
    variance = _variance(float(held @ with_others), held, largest)
    deviation = sqrt(variance)
    marginal = z * with_others / deviation if deviation else np.zeros_like(held)
    without = variance - 2.0 * held * with_others + held**2 * np.diag(moves)
    var = z * deviation
    return DeltaNormal(
        var=var,
        es=deviation * _density(z) / q,
        marginal=marginal,
        component=held * marginal,
        incremental=var - z * np.sqrt(np.maximum(without, 0.0)),
    )


@dataclass(frozen=True, slots=True)
class DeltaGamma:
    """
    VaR of P&L that is quadratic in normal moves, by Cornish and Fisher's expansion.

    mean, deviation, skewness, kurtosis     of the P&L, exact; kurtosis is the excess
    is_monotone     whether the expansion rises over all quantiles; where it does not, the tail is
                    too far from normal for it and full revaluation should be asked
    """

    var: float
    es: float
    mean: float
    deviation: float
    skewness: float
    kurtosis: float
    is_monotone: bool


def delta_gamma(
    delta: npt.ArrayLike, gamma: npt.ArrayLike, covariance: npt.ArrayLike, confidence: float,
    *, theta: float = 0.0,
) -> DeltaGamma:  # fmt: skip
    """
    Return VaR and ES of P&L = θ + δ'x + ½ x'Γx, x normal with mean zero.

    The four cumulants are exact (Mina and Ulmer 1999), the quantile is Cornish and Fisher's of the
    fourth order, and ES its mean beyond.

    delta       (factor,), currency per unit of move
    gamma       (factor, factor), symmetric, of delta
    covariance  (factor, factor), of the moves over the horizon
    theta       currency, what the horizon itself earns

    :raises TailError: naming the argument that is no number or has no fitting shape.
    """
    from scipy.special import ndtri

    q = _checked_tail(confidence)
    _check("theta", theta)
    slope = _rows("delta", delta, 1)
    bend, moves = _rows("gamma", gamma, 2), _rows("covariance", covariance, 2)
    for name, matrix in (("gamma", bend), ("covariance", moves)):
        if matrix.shape != (slope.size, slope.size):
            raise TailError(f"{name}: shape {matrix.shape} must be {(slope.size, slope.size)}.")
        if not np.allclose(matrix, matrix.T, rtol=0.0, atol=1e-12 * np.abs(matrix).max(initial=0)):
            raise TailError(f"{name}: must be symmetric.")
    m1 = bend @ moves
    m2 = m1 @ m1
    linear = moves @ slope
    mean = theta + 0.5 * float(np.trace(m1))
    largest = float(np.abs(moves).max(initial=0.0))
    second = _variance(float(slope @ linear) + 0.5 * float(np.trace(m2)), slope, largest)
    if second == 0.0:
        return DeltaGamma(-mean, -mean, mean, 0.0, 0.0, 0.0, True)
    deviation = sqrt(second)
    third = 3.0 * float(linear @ bend @ linear) + float(np.trace(m2 @ m1))
    fourth = 12.0 * float(linear @ bend @ m1.T @ linear) + 3.0 * float(np.trace(m2 @ m2))
    skewness, kurtosis = third / deviation**3, fourth / second**2
    z = float(ndtri(q))
    # Means of z, z², z³ below the quantile, each over q.
    density = _density(z) / q
    powers = (1.0, -density, 1.0 - z * density, -density * (z * z + 2.0))
    return DeltaGamma(
        var=-mean - deviation * _expansion((1.0, z, z * z, z**3), skewness, kurtosis),
        es=-mean - deviation * _expansion(powers, skewness, kurtosis),
        mean=mean, deviation=deviation, skewness=skewness, kurtosis=kurtosis,
        is_monotone=_is_monotone(skewness, kurtosis),
    )  # fmt: skip


def _expansion(z: tuple[float, float, float, float], s: float, k: float) -> float:
    one, first, second, third = z
    return (
        first + (second - one) * s / 6 + (third - 3 * first) * k / 24
        - (2 * third - 5 * first) * s * s / 36
    )  # fmt: skip


def _is_monotone(s: float, k: float) -> bool:
    """Say whether the derivative a z² + b z + c of the expansion is nowhere negative."""
    a, b, c = k / 8 - s * s / 6, s / 3, 1 - k / 8 + 5 * s * s / 36
    return (a > 0 and b * b <= 4 * a * c) or (a == 0 and b == 0 and c >= 0)


def _variance(found: float, positions: Floats, largest: float) -> float:
    """Return a variance, zero where rounding left it just below."""
    if found < -1e-10 * largest * float(np.abs(positions).sum()) ** 2:
        raise TailError("covariance: gives these positions a negative variance; repair it first.")
    return max(found, 0.0)


def _density(z: float) -> float:
    return exp(-0.5 * z * z) / sqrt(2 * pi)


def _checked_tail(confidence: float) -> float:
    if not 0.0 < confidence < 1.0:
        raise TailError(f"confidence: {confidence} must lie within (0, 1).")
    return 1.0 - confidence


def _check(name: str, value: float, *, least: float | None = None) -> None:
    if not isfinite(value):
        raise TailError(f"{name}: {value} must be finite.")
    if least is not None and value < least:
        raise TailError(f"{name}: {value} must not be below {least:g}.")


def _rows(name: str, value: npt.ArrayLike, axes: int) -> Floats:
    found = np.asarray(value, dtype=np.float64)
    if found.ndim != axes or not found.size:
        raise TailError(f"{name}: shape {found.shape} must have {axes} axes, and a value.")
    if not np.isfinite(found).all():
        where = tuple(int(n) for n in np.argwhere(~np.isfinite(found))[0])
        raise TailError(f"{name}: {found[where]} at {list(where)} must be finite.")
    return found
