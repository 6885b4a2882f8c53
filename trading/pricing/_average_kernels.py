"""
Kernel of options on averages: the moments of a trade's open fixings, with derivatives.

`share` is a fixing's part of the mean, `by_price` that part per currency/MWh of its forward.
"""

from __future__ import annotations

from math import expm1, isfinite, log1p

import numpy as np

from trading.pricing._compile import compiled
from trading.pricing._inputs import Floats


@compiled
def average_moments_rows(
    forward: Floats,
    weight: Floats,
    variance: Floats,
    variance_by_volatility: Floats,
    out: Floats,
    slopes: Floats,
) -> int:
    """
    Fill the moments of each trade; return the first whose moments overflow, or −1.

    Fixings are (trade, fixing) in the order of their variance: each shares its own with all
    after it. In `out`, (6, trade): the mean, the variance u of its logarithm, the sum of
    weights, u' and u'' as all forwards move, and ∂u as all volatilities do. In `slopes`,
    (trade, fixing), ∂u by each forward. A trade without open fixings gets zeros.

    With E[A²] = M² (1 + x), u = ln(1 + x): the mean is left out of x, so that small variances
    keep their digits.
    """
    count = forward.shape[1]
    rise = np.empty(count)
    first = -1
    for r in range(forward.shape[0] - 1, -1, -1):
        mean = total = 0.0
        for i in range(count):
            mean += weight[r, i] * forward[r, i]
            total += weight[r, i]
        if mean <= 0.0:
            out[:, r] = 0.0
            slopes[r] = 0.0
            continue
        excess = bend = grows = later = later_by_price = 0.0
        for i in range(count - 1, -1, -1):
            by_price = weight[r, i] / mean
            share = by_price * forward[r, i]
            rise[i] = expm1(variance[r, i])
            slopes[r, i] = rise[i] * later
            pairs = share * (share + 2.0 * later)
            excess += pairs * rise[i]
            grows += pairs * (rise[i] + 1.0) * variance_by_volatility[r, i]
            bend += by_price * (by_price + 2.0 * later_by_price) * rise[i]
            later += share
            later_by_price += by_price
        slope = before = 0.0
        for i in range(count):
            by_price = weight[r, i] / mean
            before += by_price * forward[r, i] * rise[i]
            slopes[r, i] = 2.0 * by_price * (before + slopes[r, i] - excess) / (1.0 + excess)
            slope += slopes[r, i]
        per_mean = total / mean
        out[0, r] = mean
        out[1, r] = log1p(excess)
        out[2, r] = total
        out[3, r] = slope
        out[4, r] = (
            2.0 * (bend - excess * per_mean * per_mean) / (1.0 + excess)
            - 4.0 * per_mean * slope
            - slope * slope
        )
        out[5, r] = grows / (1.0 + excess)
        if not isfinite(out[:, r].sum()):
            first = r
    return first
