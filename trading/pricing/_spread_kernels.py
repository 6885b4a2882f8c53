"""
Kernels of options on the spread of two lognormal forwards: exact values by quadrature.

The second forward is fixed by a standard normal z; given z the first is lognormal, so what is left
is Black-76 with forward m(z), strike k(z) and deviation v. The integral over z is adaptive
(Gauss-Kronrod, 7 and 15 points); where v is zero it is closed between the roots of m = k.
"""

from __future__ import annotations

from math import erfc, exp, isfinite, log, sqrt

import numpy as np

from trading.pricing._compile import compiled
from trading.pricing._inputs import Floats

_ROOT_HALF = sqrt(0.5)
_DENSITY_AT_ZERO = 0.3989422804014327  # 1 / √(2π)
# QUADPACK's points in [0, 1], with the weights of Kronrod and, at every second, of Gauss.
_POINTS = np.array(
    [0.0, 0.207784955007898467600689403773245, 0.405845151377397166906606412076961,
     0.586087235467691130294144691693013, 0.741531185599394439863864773280788,
     0.864864423359769072789712788640926, 0.949107912342758524526189684047851,
     0.991455371120812639206854697526329]
)  # fmt: skip
_KRONROD = np.array(
    [0.209482141084727828012999174891714, 0.204432940075298892414161999234649,
     0.190350578064785409913256402421014, 0.169004726639267902826583426598550,
     0.140653259715525918745189590510238, 0.104790010322250183839876322541518,
     0.063092092629978553290700663189204, 0.022935322010529224963732008058970]
)  # fmt: skip
_GAUSS = np.array(
    [0.417959183673469387755102040816327, 0.0, 0.381830050505118944950369775488975, 0.0,
     0.279705391489276667901467771423780, 0.0, 0.129484966168869693270611432679082, 0.0]
)  # fmt: skip
_TERMS = 6
_DEEPEST = 200
Six = tuple[float, float, float, float, float, float]


@compiled
def cdf(x: float) -> float:
    """Return the normal distribution; kept here, because a cache follows its own file only."""
    return 0.5 * erfc(-x * _ROOT_HALF)


@compiled
def density(x: float) -> float:
    """Return the normal density."""
    return _DENSITY_AT_ZERO * exp(-0.5 * x * x)


@compiled
def given_second(z: float, F1: float, F2: float, K: float, a: float, b: float, v: float) -> Six:
    """
    Return the call given z times the density of z: value, its slopes in F1 and F2, and curvatures.

    a, b    deviations of ln F1 and of ln F2 that come with z
    v       the deviation of ln F1 that does not, > 0
    """
    m = exp(a * z - 0.5 * a * a)
    k = exp(b * z - 0.5 * b * b)
    f, strike = F1 * m, F2 * k + K
    weight = density(z)
    if strike <= 0:  # always exercised
        return weight * (f - strike), weight * m, -weight * k, 0.0, 0.0, 0.0
    if f == 0:
        return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    x = log(f / strike) / v
    N1, N2 = cdf(x + 0.5 * v), cdf(x - 0.5 * v)
    # ∂²c/∂f² = n(d1)/(f v) = h/f², ∂²c/∂f∂k = −h/(f k), ∂²c/∂k² = h/k² with h = f n(d1)/v
    h = weight * f * density(x + 0.5 * v) / v
    p, q = m / f, k / strike
    return (
        weight * (f * N1 - strike * N2),
        weight * m * N1,
        -weight * k * N2,
        h * p * p,
        -h * p * q,
        h * q * q,
    )


@compiled
def add_panel(
    left: float, right: float, F1: float, F2: float, K: float, a: float, b: float, v: float,
    sums: Floats, gaps: Floats,
) -> None:  # fmt: skip
    """Fill `sums` with Kronrod's integrals over a panel, and `gaps` with what Gauss's lack."""
    middle, half = 0.5 * (left + right), 0.5 * (right - left)
    sums[:] = 0.0
    gaps[:] = 0.0
    for i in range(8):
        for side in range(2 if i else 1):
            step = half * _POINTS[i]
            z = middle - step if side else middle + step
            terms = given_second(z, F1, F2, K, a, b, v)
            for j in range(_TERMS):
                sums[j] += half * _KRONROD[i] * terms[j]
                gaps[j] += half * (_KRONROD[i] - _GAUSS[i]) * terms[j]


@compiled
def integrate(
    F1: float, F2: float, K: float, a: float, b: float, v: float, total: Floats, work: Floats
) -> None:
    """
    Fill `total` with the six integrals over z, each to 1e-13 of its scale or 50 halvings.

    work    at least 2 + 2 × 6 + 2 × 200 numbers to use
    """
    sums, gaps = work[:_TERMS], work[_TERMS : 2 * _TERMS]
    edges = work[2 * _TERMS :]
    left = min(0.0, min(a, b)) - 9.0
    right = max(0.0, max(a, b)) + 9.0
    scale = F1 + F2 + abs(K)
    # A curvature is of the scale of the density of the ratio at the money.
    curved = scale / max(v, 1e-3)
    total[:] = 0.0
    panels = 4
    for n in range(panels):
        edges[2 * n] = left + (right - left) * n / panels
        edges[2 * n + 1] = left + (right - left) * (n + 1) / panels
    waiting = panels
    smallest = (right - left) * 1e-13
    while waiting:
        waiting -= 1
        low, high = edges[2 * waiting], edges[2 * waiting + 1]
        add_panel(low, high, F1, F2, K, a, b, v, sums, gaps)
        wrong = max(
            max(abs(gaps[0]) / scale, max(abs(gaps[1]), abs(gaps[2]))),
            max(abs(gaps[3]) * F1 * F1, abs(gaps[5]) * F2 * F2) / curved,
        )
        if wrong > 1e-14 and high - low > smallest and waiting + 2 <= _DEEPEST:
            middle = 0.5 * (low + high)
            edges[2 * waiting], edges[2 * waiting + 1] = low, middle
            edges[2 * waiting + 2], edges[2 * waiting + 3] = middle, high
            waiting += 2
        else:
            for j in range(_TERMS):
                total[j] += sums[j]


@compiled
def excess(z: float, F1: float, F2: float, K: float, a: float, b: float) -> float:
    """Return m(z) − k(z)."""
    return F1 * exp(a * z - 0.5 * a * a) - F2 * exp(b * z - 0.5 * b * b) - K


@compiled
def one_factor(
    F1: float, F2: float, K: float, a: float, b: float, total: Floats, work: Floats
) -> None:
    """
    Fill `total` with the six terms where z alone moves both forwards.

    A sum of two exponentials and a constant has one turning point at most, so two roots: the
    call is exercised between neighbouring roots, where the excess is above zero.
    """
    total[:] = 0.0
    far = 38.0 + max(abs(a), abs(b))
    edges = work
    edges[0], edges[1], count = -far, far, 2
    if a * b > 0 and a != b:
        turn = (log(b / a) + log(F2 / F1) + 0.5 * (a * a - b * b)) / (a - b)
        if -far < turn < far:
            edges[1], edges[2], count = turn, far, 3
    start = -far
    for n in range(count - 1):
        low, high = edges[n], edges[n + 1]
        rises = excess(low, F1, F2, K, a, b) < 0
        if rises != (excess(high, F1, F2, K, a, b) < 0):
            for _ in range(200):
                middle = 0.5 * (low + high)
                if not low < middle < high:
                    break
                if (excess(middle, F1, F2, K, a, b) < 0) == rises:
                    low = middle
                else:
                    high = middle
            root = 0.5 * (low + high)
            m, k = exp(a * root - 0.5 * a * a), exp(b * root - 0.5 * b * b)
            slope = abs(a * F1 * m - b * F2 * k)
            if slope > 0:
                mass = density(root) / slope
                total[3] += mass * m * m
                total[4] -= mass * m * k
                total[5] += mass * k * k
            if not rises:
                add_exercised(start, root, F1, F2, K, a, b, total)
            start = root
    if excess(far, F1, F2, K, a, b) > 0:
        add_exercised(start, far, F1, F2, K, a, b, total)


@compiled
def add_exercised(
    low: float, high: float, F1: float, F2: float, K: float, a: float, b: float, total: Floats
) -> None:
    """Add value and slopes of exercise for z between two bounds."""
    first = cdf(high - a) - cdf(low - a)
    second = cdf(high - b) - cdf(low - b)
    total[0] += F1 * first - F2 * second - K * (cdf(high) - cdf(low))
    total[1] += first
    total[2] -= second


@compiled
def spread_rows(
    F1: Floats, F2: Floats, K: Floats, T: Floats, vol1: Floats, vol2: Floats, rho: Floats,
    D: Floats, sign: Floats, out: Floats,
) -> int:  # fmt: skip
    """Fill price, delta1, delta2, gamma11, gamma12, gamma22; return the first that overflows."""
    total, work = np.empty(_TERMS), np.empty(2 * _TERMS + 2 * _DEEPEST + 8)
    first = -1
    for i in range(F1.size - 1, -1, -1):
        s1, s2 = vol1[i] * sqrt(T[i]), vol2[i] * sqrt(T[i])
        G1, G2, strike = F1[i], F2[i], K[i]
        if sign[i] < 0:  # a put on F1 − F2 − K is a call on F2 − F1 + K
            G1, G2, strike, s1, s2 = G2, G1, -strike, s2, s1
        v = s1 * sqrt(max(1.0 - rho[i] * rho[i], 0.0))
        if s1 == 0 and s2 == 0:
            total[:] = 0.0
            payoff = G1 - G2 - strike
            if payoff > 0:
                total[0], total[1], total[2] = payoff, 1.0, -1.0
            elif payoff == 0:
                total[1], total[2] = 0.5, -0.5
        elif v > 1e-7:
            integrate(G1, G2, strike, rho[i] * s1, s2, v, total, work)
        else:
            one_factor(G1, G2, strike, rho[i] * s1, s2, total, work)
        if sign[i] < 0:
            total[1], total[2] = total[2], total[1]
            total[3], total[5] = total[5], total[3]
        out[0, i] = D[i] * max(total[0], 0.0)
        sum_ = out[0, i]
        for j in range(1, _TERMS):
            out[j, i] = D[i] * total[j]
            sum_ += out[j, i]
        if not isfinite(sum_):
            first = i
    return first
