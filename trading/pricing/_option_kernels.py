"""
Kernels of options on one forward: prices with their derivatives, and implied deviations.

Letters are the field's: F, K, T, sigma, D, d1, d2; `s` is sigma √T, `sign` +1 for a call and −1
for a put. Values are of the option out of the money, to which parity adds the payoff: a price is
then never below its payoff, and small values keep their digits.
"""

from __future__ import annotations

from math import exp, isfinite, log, log1p, sqrt

from trading.pricing._compile import compiled
from trading.pricing._inputs import Floats

_ROOT_HALF = sqrt(0.5)
_DENSITY_AT_ZERO = 0.3989422804014327  # 1 / √(2π)
_TAIL_AT_ZERO = 1.2533141373155003  # √(π/2)
Seven = tuple[float, float, float, float, float, float, float]


@compiled
def tail_ratio(x: float) -> float:
    """
    Return N(−x)/φ(x) for x ≥ 0, Mills' ratio, to 2e-15 of itself.

    One quotient without branches, so that a processor works on several options at a time. Its
    coefficients are a least-squares fit of our own to √(π/2) erfcx(x/√2) in
    (x/√2 − 2.5)/(x/√2 + 2.5); all are positive, so nothing cancels.
    """
    z = min(x, 1e20) * _ROOT_HALF
    above = 2.00463645986747e-4
    above = above * z + 3.6067839187853635e-3
    above = above * z + 3.230525425602596e-2
    above = above * z + 1.8553116871661854e-1
    above = above * z + 7.467064420835015e-1
    above = above * z + 2.1798158042724136
    above = above * z + 4.636485619718367
    above = above * z + 7.031403090324956
    above = above * z + 7.171732606395527
    above = above * z + 4.292012078840055
    above = above * z + 1.0
    below = 3.5531256129576983e-4
    below = below * z + 6.392858046235064e-3
    below = below * z + 5.743722859126459e-2
    below = below * z + 3.320418634731021e-1
    below = below * z + 1.351954838927059
    below = below * z + 4.0248491944558715
    below = below * z + 8.85152274672355
    below = below * z + 14.238213123691317
    below = below * z + 16.228775602722294
    below = below * z + 12.287989165812709
    below = below * z + 5.420391245935631
    below = below * z + 1.0
    return _TAIL_AT_ZERO * above / below


@compiled
def normal_cdf(x: float) -> float:
    """Return the standard normal distribution, with all digits in its lower tail."""
    tail = _DENSITY_AT_ZERO * exp(-0.5 * x * x) * tail_ratio(abs(x))
    return tail if x < 0 else 1.0 - tail


@compiled
def payoff_terms(F: float, K: float, D: float, sign: float) -> Seven:
    """Return what is left without time or volatility: the payoff, and its slope."""
    moneyness = sign * (F - K)
    slope = 1.0 if moneyness > 0 else (0.5 if moneyness == 0 else 0.0)
    return D * max(moneyness, 0.0), D * sign * slope, 0.0, 0.0, 0.0, 0.0, 0.0


@compiled
def black76_terms(F: float, K: float, T: float, sigma: float, D: float, sign: float) -> Seven:
    """Return price, delta, gamma, vega, vanna, volga and theta by Black-76."""
    root = sqrt(T)
    s = sigma * root
    if s == 0:
        return payoff_terms(F, K, D, sign)
    is_call_out = F <= K
    low, high = (F, K) if is_call_out else (K, F)
    ratio = low / high
    # Near the strike the difference is exact and the quotient is not.
    x = log1p((low - high) / high) if ratio > 0.9 else log(ratio)
    # The option out of the money is worth low N(a) − high N(b), and low φ(a) = high φ(b).
    a = x / s + 0.5 * s
    b = x / s - 0.5 * s
    density = _DENSITY_AT_ZERO * exp(-0.5 * a * a)
    tail = density * tail_ratio(abs(a))
    Na = tail if a < 0 else 1.0 - tail
    Nb = density * tail_ratio(-b)  # × high / low
    price = D * (max(sign * (F - K), 0.0) + low * max(Na - Nb, 0.0))
    call_delta = Na if is_call_out else 1.0 - Nb * ratio
    put_delta = Na - 1.0 if is_call_out else -Nb * ratio
    delta = D * (call_delta if sign > 0 else put_delta)
    if density == 0:
        return price, delta, 0.0, 0.0, 0.0, 0.0, 0.0
    d2 = b if is_call_out else -a
    sensed = D * low * density  # D F φ(d1)
    vega = sensed * root
    return (
        price,
        delta,
        sensed / (F * F * s),
        vega,
        -sensed * d2 / (F * sigma),  # ∂²V/∂F∂σ
        vega * a * b / sigma,  # ∂²V/∂σ², as d1 d2 = a b
        -0.5 * sensed * sigma / root,
    )


@compiled
def bachelier_terms(F: float, K: float, T: float, sigma: float, D: float, sign: float) -> Seven:
    """Return price, delta, gamma, vega, vanna, volga and theta by Bachelier."""
    root = sqrt(T)
    s = sigma * root
    if s == 0:
        return payoff_terms(F, K, D, sign)
    d = (F - K) / s
    density = _DENSITY_AT_ZERO * exp(-0.5 * d * d)
    value = max(s * density - abs(F - K) * normal_cdf(-abs(d)), 0.0)
    price = D * (max(sign * (F - K), 0.0) + value)
    delta = D * sign * normal_cdf(sign * d)
    if density == 0:
        return price, delta, 0.0, 0.0, 0.0, 0.0, 0.0
    vega = D * density * root
    return (
        price,
        delta,
        D * density / s,
        vega,
        -D * density * d / sigma,
        vega * d * d / sigma,
        -0.5 * D * density * sigma / root,
    )


@compiled
def black76_rows(
    F: Floats, K: Floats, T: Floats, sigma: Floats, D: Floats, sign: Floats, out: Floats
) -> int:
    """Fill a row of `out` for each term; return the first option that overflows, or −1."""
    first = -1
    for i in range(F.size - 1, -1, -1):
        terms = black76_terms(F[i], K[i], T[i], sigma[i], D[i], sign[i])
        total = 0.0
        for j in range(7):
            out[j, i] = terms[j]
            total += terms[j]
        if not isfinite(total):
            first = i
    return first


@compiled
def bachelier_rows(
    F: Floats, K: Floats, T: Floats, sigma: Floats, D: Floats, sign: Floats, out: Floats
) -> int:
    """Fill a row of `out` for each term; return the first option that overflows, or −1."""
    first = -1
    for i in range(F.size - 1, -1, -1):
        terms = bachelier_terms(F[i], K[i], T[i], sigma[i], D[i], sign[i])
        total = 0.0
        for j in range(7):
            out[j, i] = terms[j]
            total += terms[j]
        if not isfinite(total):
            first = i
    return first
