"""
Kernels of options on one forward, and of agreements full of them: prices and derivatives.

Letters are the field's: F, K, T, sigma, D, d1, d2; `s` is sigma √T, `sign` +1 for a call and −1
for a put. Values are of the option out of the money, to which parity adds the payoff: a price is
then never below its payoff, and small values keep their digits.
"""

from __future__ import annotations

from math import exp, inf, isfinite, log, log1p, sqrt

import numpy as np
import numpy.typing as npt

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
    zz = z * z
    even = 0.00020046364598674696
    even = even * zz + 0.03230525425602596
    even = even * zz + 0.7467064420835015
    even = even * zz + 4.636485619718367
    even = even * zz + 7.171732606395527
    even = even * zz + 1.0
    odd = 0.0036067839187853635
    odd = odd * zz + 0.18553116871661854
    odd = odd * zz + 2.1798158042724136
    odd = odd * zz + 7.031403090324956
    odd = odd * zz + 4.292012078840055
    above = odd * z + even
    even = 0.006392858046235064
    even = even * zz + 0.3320418634731021
    even = even * zz + 4.0248491944558715
    even = even * zz + 14.238213123691317
    even = even * zz + 12.287989165812709
    even = even * zz + 1.0
    odd = 0.00035531256129576983
    odd = odd * zz + 0.05743722859126459
    odd = odd * zz + 1.351954838927059
    odd = odd * zz + 8.85152274672355
    odd = odd * zz + 16.228775602722294
    odd = odd * zz + 5.420391245935631
    return _TAIL_AT_ZERO * above / (odd * z + even)


@compiled
def normal_cdf(x: float) -> float:
    """Return the standard normal distribution, with all digits in its lower tail."""
    tail = _DENSITY_AT_ZERO * exp(-0.5 * x * x) * tail_ratio(abs(x))
    return tail if x < 0 else 1.0 - tail


@compiled
def log_ratio(low: float, high: float) -> float:
    """Return ln(low / high); near 1 the difference is exact and the quotient is not."""
    ratio = low / high
    return log1p((low - high) / high) if ratio > 0.9 else log(ratio)


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
    x = log_ratio(low, high)
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
    tail = density * tail_ratio(abs(d))
    value = max(s * density - abs(F - K) * tail, 0.0)
    price = D * (max(sign * (F - K), 0.0) + value)
    delta = D * sign * (tail if sign * d < 0 else 1.0 - tail)
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
def above_terms(
    F: float, K: float, T: float, sigma: float, black: bool, displacement: float
) -> tuple[float, float, float, float, float, float]:
    """
    Return E[max(S − K, 0)] and P(S ≥ K) with their derivatives to F and to volatility.

    In order: mean, ∂/∂F, ∂/∂σ; probability, ∂/∂F, ∂/∂σ.
    """
    if black and K + displacement <= 0:  # below what spot can reach
        return F - K, 1.0, 0.0, 1.0, 0.0, 0.0
    if sigma * sqrt(T) == 0:
        sure = 1.0 if F >= K else 0.0
        return max(F - K, 0.0), sure, 0.0, sure, 0.0, 0.0
    if black:
        f, k = F + displacement, K + displacement
        C, delta, gamma, vega, vanna, _, _ = black76_terms(f, k, T, sigma, 1.0, 1.0)
        # P(S ≥ K) = N(d2), from C = f N(d1) − k N(d2)
        return C, delta, vega, (f * delta - C) / k, f * gamma / k, (f * vanna - vega) / k
    C, delta, gamma, vega, vanna, _, _ = bachelier_terms(F, K, T, sigma, 1.0, 1.0)
    return C, delta, vega, delta, gamma, vanna


@compiled
def ppa_terms(
    F: float,
    T: float,
    sigma: float,
    black: bool,
    displacement: float,
    m: float,
    price: float,
    floor: float,
    cap: float,
    free: bool,
    curtailed: bool,
) -> tuple[float, float, float, float, float, float]:
    """
    Return what a MWh bought is expected to bring at spot S less what is due for it, and P(taken).

    Due is m S + price within floor and cap (infinite where there is none): with a floor f,
    f + m max(S − a, 0) from its level a = (f − price) / m, and a cap takes off m max(S − b, 0)
    from b = (cap − price) / m. `free` has nothing due below zero, where `curtailed` has no
    volume either: max(S − a, 0) 1{S ≥ 0} = max(S − a⁺, 0) + (a⁺ − a) 1{S ≥ 0}.

    In order: flow, ∂/∂F, ∂/∂σ; share taken, ∂/∂F, ∂/∂σ.
    """
    flow, delta, vega = F, 1.0, 0.0
    taken, taken_delta, taken_vega = 1.0, 0.0, 0.0
    due = price if floor == -inf else floor  # where spot starts to be paid for, if it is
    if not free:
        flow -= due
        if floor == -inf:
            flow, delta = (1.0 - m) * F - price, 1.0 - m
    else:
        C, C1, Cs, P, P1, Ps = above_terms(F, 0.0, T, sigma, black, displacement)
        if curtailed:
            flow, delta, vega = C, C1, Cs
            taken, taken_delta, taken_vega = P, P1, Ps
        if floor == -inf:
            flow, delta, vega = flow - m * C, delta - m * C1, vega - m * Cs
    for weight, bound in ((-m, floor), (m, cap)):
        if not isfinite(bound):
            continue
        level = (bound - price) / m
        start = max(level, 0.0) if free else level
        A, A1, As, _, _, _ = above_terms(F, start, T, sigma, black, displacement)
        flow, delta, vega = flow + weight * A, delta + weight * A1, vega + weight * As
        if free:
            due -= weight * (start - level)
    if free:
        flow, delta, vega = flow - due * P, delta - due * P1, vega - due * Ps
    return flow, delta, vega, taken, taken_delta, taken_vega


@compiled
def ppa_sums(
    arguments: tuple[Floats, ...],
    steps: npt.NDArray[np.int64],
    edges: npt.NDArray[np.int64],
    m: float,
    black: bool,
    displacement: float,
    free: bool,
    curtailed: bool,
    out: Floats,
) -> None:
    """
    Sum a PPA's intervals to months: `out` has the shape (term, scenario, month).

    arguments   flat, in order V, F, H, T, sigma, D, price, fees, floor, cap
    steps       of each argument to the next scenario and the next interval, shape (10, 2)
    edges       between which intervals each month lies

    In order: V, H, F H, V F, what is due without bounds, what bounds and clause add, balancing,
    expected cash flow, the same discounted, its ∂/∂F and ∂/∂σ.
    """
    V, F, H, T, sigma, D, price, fees, floor, cap = arguments
    at = np.zeros(10, dtype=np.int64)
    for s in range(out.shape[1]):
        for j in range(edges.size - 1):
            volume = hours = level = captured = due = options = 0.0
            balancing = expected = present = slope = bend = 0.0
            for i in range(edges[j], edges[j + 1]):
                for k in range(10):
                    at[k] = steps[k, 0] * s + steps[k, 1] * i
                v, f, h, d = V[at[0]], F[at[1]], H[at[2]], D[at[5]]
                p, fee = price[at[6]], fees[at[7]]
                flow, delta, vega, taken, taken_delta, taken_vega = ppa_terms(
                    f, T[at[3]], sigma[at[4]], black, displacement, m, p, floor[at[8]],
                    cap[at[9]], free, curtailed,
                )  # fmt: skip
                cost = -abs(v) * fee
                cash = v * flow + cost * taken
                volume += v
                hours += h
                level += f * h
                captured += v * f
                due += v * p
                options += v * (flow - ((1.0 - m) * f - p))
                balancing += cost * taken
                expected += cash
                present += d * cash
                slope += d * (v * delta + cost * taken_delta)
                bend += d * (v * vega + cost * taken_vega)
            out[0, s, j], out[1, s, j], out[2, s, j] = volume, hours, level
            out[3, s, j], out[4, s, j], out[5, s, j] = captured, due, options
            out[6, s, j], out[7, s, j], out[8, s, j] = balancing, expected, present
            out[9, s, j], out[10, s, j] = slope, bend


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


@compiled
def improved(s: float, miss: float, bend: float, turn: float) -> float:
    """
    Return a root's next estimate by Householder's method of the third order.

    miss        −g/g' of the objective g at s
    bend        g''/g'
    turn        the derivative of `bend`
    """
    return s + miss * (1 + 0.5 * bend * miss) / (
        1 + bend * miss + (bend * bend + turn) * miss * miss / 6
    )


@compiled
def far_guess(decades: float, falls: float, bends: float, s: float) -> float:
    """
    Return where a value has fallen to exp(−decades) of what it is at s.

    Values far out of the money fall as exp(−falls / s²) s^bends: in u = 1/s², Newton's method from
    the left of a concave increasing function.
    """
    start = 1.0 / (s * s)
    u = start
    for _ in range(2):
        u += (decades - falls * (u - start) - 0.5 * bends * log(u / start)) / (
            falls + 0.5 * bends / u
        )
    return sqrt(1.0 / u)


@compiled
def black76_deviation(worth: float, x: float) -> float:
    """
    Return σ√T of the option out of the money by Black-76.

    worth       its undiscounted value over the lower of forward and strike, 0 < worth < 1
    x           ln(lower / higher), ≤ 0

    The value is convex in s below √(2|x|) and concave above. Each part is made nearly straight:
    1/ln of the value far below, ln of what lacks to 1 above.
    """
    if worth < 1e-8 and x > -1e-8:  # too near for digits of 1 − N; there it is Bachelier's
        return normal_deviation(worth, -x)
    turning = sqrt(-2.0 * x)
    at_turning = 0.5 - _DENSITY_AT_ZERO * tail_ratio(turning)
    below = worth < at_turning
    if below:
        steep = _DENSITY_AT_ZERO * turning / at_turning + x
        s = far_guess(log(at_turning / worth), 0.5 * x * x, max(steep, 0.0), turning)
        lowest, highest = 0.0, turning
    else:
        slope = _DENSITY_AT_ZERO / (1.0 - at_turning)
        s = turning + 4.0 * (
            sqrt(slope * slope + 0.5 * log((1.0 - at_turning) / (1.0 - worth))) - slope
        )
        lowest, highest = turning, turning + 60.0
    for _ in range(60):
        a = x / s + 0.5 * s
        b = x / s - 0.5 * s
        density = _DENSITY_AT_ZERO * exp(-0.5 * a * a)
        rest = density * tail_ratio(-b)
        tail = density * tail_ratio(abs(a))
        value = (tail if a < 0 else 1.0 - tail) - rest
        bend = a * b / s
        turn = -3.0 * x * x / (s * s * s * s) - 0.25
        if value < worth:
            lowest = s
        else:
            highest = s
        if below:
            height = log(value)
            pull = density / value
            miss = height * (1.0 - height / log(worth)) / pull
            turn -= pull * (bend - pull) * (1.0 + 2.0 / height) - 2.0 * (pull / height) ** 2
            bend -= pull * (1.0 + 2.0 / height)
        elif worth > 0.5:
            lack = (tail if a > 0 else 1.0 - tail) + rest
            pull = density / lack
            miss = log(lack / (1.0 - worth)) / pull
            turn += pull * (bend + pull)
            bend += pull
        else:
            miss = (worth - value) / density
        new = improved(s, miss, bend, turn)
        if abs(new - s) <= 1e-4 * s and abs(new - s) * abs(bend) <= 1e-3:
            return new  # of the fourth order: what is left is far below the last digit
        s = new if lowest < new < highest else 0.5 * (lowest + highest)
    return s


@compiled
def bachelier_deviation(worth: float) -> float:
    """
    Return σ√T of the option out of the money by Bachelier, both over |F − K|; worth > 0.

    The value s φ(1/s) − N(−1/s) is convex in s; below s = 1 its 1/ln is nearly straight.
    """
    at_one = 0.08331547058768629  # φ(1) − N(−1)
    below = worth < at_one
    if below:
        s = far_guess(log(at_one / worth), 0.5, 1.9, 1.0)
        lowest, highest = 0.0, 1.0
    else:
        lowest, highest = 1.0, (worth + 0.5) / _DENSITY_AT_ZERO
        s = highest
    for _ in range(60):
        density = _DENSITY_AT_ZERO * exp(-0.5 / (s * s))
        value = density * (s - tail_ratio(1.0 / s))
        bend = 1.0 / (s * s * s)
        turn = -3.0 * bend / s
        if value < worth:
            lowest = s
        else:
            highest = s
        if below:
            height = log(value)
            pull = density / value
            miss = height * (1.0 - height / log(worth)) / pull
            turn -= pull * (bend - pull) * (1.0 + 2.0 / height) - 2.0 * (pull / height) ** 2
            bend -= pull * (1.0 + 2.0 / height)
        else:
            miss = (worth - value) / density
        new = improved(s, miss, bend, turn)
        if abs(new - s) <= 1e-4 * s and abs(new - s) * abs(bend) <= 1e-3:
            return new
        s = new if lowest < new < highest else 0.5 * (lowest + highest)
    return s


@compiled
def normal_deviation(worth: float, distance: float) -> float:
    """Return σ√T by Bachelier of the option out of the money by a distance."""
    if worth * 1e-15 > distance:  # at the strike, as far as its digits say
        return worth / _DENSITY_AT_ZERO
    return distance * bachelier_deviation(worth / distance)


@compiled
def time_value(p: float, F: float, K: float, D: float, sign: float) -> float:
    """Return what a price is worth above its payoff, undiscounted."""
    return p / D - max(sign * (F - K), 0.0)


@compiled
def black76_volatilities(
    p: Floats, F: Floats, K: Floats, T: Floats, D: Floats, sign: Floats, out: Floats
) -> int:
    """Fill `out` with volatilities; return the first option that has none, or −1."""
    for i in range(p.size):
        low, high = min(F[i], K[i]), max(F[i], K[i])
        worth = time_value(p[i], F[i], K[i], D[i], sign[i])
        if not (0 < worth < low):
            return i
        out[i] = black76_deviation(worth / low, log_ratio(low, high)) / sqrt(T[i])
    return -1


@compiled
def bachelier_volatilities(
    p: Floats, F: Floats, K: Floats, T: Floats, D: Floats, sign: Floats, out: Floats
) -> int:
    """Fill `out` with volatilities; return the first option that has none, or −1."""
    for i in range(p.size):
        distance = abs(F[i] - K[i])
        worth = time_value(p[i], F[i], K[i], D[i], sign[i])
        if not (worth > 0):
            return i
        out[i] = normal_deviation(worth, distance) / sqrt(T[i])
    return -1
