"""
Kernels of options on one forward, and of agreements full of them: prices and derivatives.

Letters are the field's: F, K, T, sigma, D, d1, d2; `s` is sigma √T, `sign` +1 for a call and −1
for a put. Values are of the option out of the money, to which parity adds the payoff: a price is
then never below its payoff, and small values keep their digits.
"""

from __future__ import annotations

from math import inf, isfinite, nan, sqrt

import numpy as np
import numpy.typing as npt

from trading.pricing._compile import bits_of, compiled, float_of, inlined, wide_vectors
from trading.pricing._inputs import Floats

_ROOT_HALF = sqrt(0.5)
_ROOT_TWO = sqrt(2.0)
_LN_DENSITY_AT_ZERO = -0.9189385332046727
_DENSITY_AT_ZERO = 0.3989422804014327  # 1 / √(2π)
_TAIL_AT_ZERO = 1.2533141373155003  # √(π/2)
# ln 2 in two parts: the first has few enough bits for an exact product with an exponent.
_LN2_HIGH = 0.6931471803691238
_LN2_LOW = 1.9082149292705877e-10
_STILL = 1e-300  # a deviation below is none: its inverse would be no number
_FAR = 1e100  # where a density is zero and a square is none too large
_DISTANT = 1e4  # likewise, and the product of two polynomials of degree 11
# Options that a kernel works on at a time: in one array at fixed distances, so that the compiler
# knows that rows do not overlap, and takes four or eight at once.
_BLOCK = 128
# Likewise scenarios of one option: fewer, as the tail of a run is often all there is.
_SCENARIOS = 64
Seven = tuple[float, float, float, float, float, float, float]


@compiled
def exponential(y: float) -> float:
    """
    Return e^y for y ≤ 700, zero below −708: to the last digit but one, and without branches.

    y = n ln 2 + r; adding 1.5 × 2^52 rounds y / ln 2 to the integer n in the lowest bits, which
    become the exponent, and e^r is Taylor's series to r^13.
    """
    bounded = max(y, -708.0)
    shifted = bounded * 1.4426950408889634 + 6755399441055744.0
    n = shifted - 6755399441055744.0
    r = bounded - n * _LN2_HIGH - n * _LN2_LOW
    rr = r * r
    even = 2.08767569878681e-09 * rr + 2.755731922398589e-07
    even = even * rr + 2.48015873015873e-05
    even = even * rr + 0.001388888888888889
    even = even * rr + 0.041666666666666664
    even = even * rr + 0.5
    even = even * rr + 1.0
    odd = 1.6059043836821613e-10 * rr + 2.505210838544172e-08
    odd = odd * rr + 2.7557319223985893e-06
    odd = odd * rr + 0.0001984126984126984
    odd = odd * rr + 0.008333333333333333
    odd = odd * rr + 0.16666666666666666
    odd = odd * rr + 1.0
    power = (odd * r + even) * float_of((bits_of(shifted) + 1023) << 52)
    return power if y > -708.0 else 0.0


@compiled
def log_quotient(a: float, b: float) -> float:
    """
    Return ln(a / b) of normal numbers above zero, without branches.

    The mantissas are brought within √2 of each other; then ln(m / k) = 2 artanh((m − k)/(m + k)) by
    its series to the power 19, and of numbers that are near the difference is exact.
    """
    a_bits, b_bits = bits_of(a), bits_of(b)
    m = float_of((a_bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000)
    k = float_of((b_bits & 0xFFFFFFFFFFFFF) | 0x3FF0000000000000)
    # The integer in the lowest bits of 2^52 + 2^12, which keeps it above zero.
    power = float_of(((a_bits >> 52) - (b_bits >> 52) + 4096) | 0x4330000000000000)
    power -= 4503599627374592.0
    above = m > _ROOT_TWO * k
    under = k > _ROOT_TWO * m
    k = 2.0 * k if above else k
    m = 2.0 * m if under else m
    power = power + 1.0 if above else power
    power = power - 1.0 if under else power
    f = (m - k) / (m + k)
    ff = f * f
    series = 0.05263157894736842 * ff + 0.058823529411764705
    series = series * ff + 0.06666666666666667
    series = series * ff + 0.07692307692307693
    series = series * ff + 0.09090909090909091
    series = series * ff + 0.1111111111111111
    series = series * ff + 0.14285714285714285
    series = series * ff + 0.2
    series = series * ff + 0.3333333333333333
    series = series * ff + 1.0
    return power * _LN2_LOW + 2.0 * f * series + power * _LN2_HIGH


@inlined
def tail_parts(x: float) -> tuple[float, float]:
    """
    Return what N(−x)/φ(x), Mills' ratio, is the quotient of, for x ≥ 0; to 2e-15 of itself.

    Without branches, so that a processor works on several options at a time. The coefficients are a
    least-squares fit of our own to √(π/2) erfcx(x/√2) in (x/√2 − 2.5)/(x/√2 + 2.5); all are
    positive, so nothing cancels.
    """
    z = x * _ROOT_HALF
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
    return _TAIL_AT_ZERO * above, odd * z + even


@compiled
def tail_ratio(x: float) -> float:
    """Return N(−x)/φ(x) for x ≥ 0, Mills' ratio, to 2e-15 of itself."""
    above, below = tail_parts(min(x, 1e20))
    return above / below


@compiled
def normal_cdf(x: float) -> float:
    """Return the standard normal distribution, with all digits in its lower tail."""
    tail = _DENSITY_AT_ZERO * exponential(-0.5 * x * x) * tail_ratio(abs(x))
    return tail if x < 0 else 1.0 - tail


@inlined
def black76_scores(F: float, K: float, T: float, sigma: float) -> tuple[float, float, float, float]:
    """
    Return a, b, √T and 1 / (F σ√T): the option out of the money is worth low N(a) − high N(b).

    a is √(variance) / 2 above ln(low / high) / √(variance) and b as much below, low being the lower
    of forward and strike; then low φ(a) = high φ(b). Without time or volatility both are far below.
    """
    root = sqrt(T)
    still = sigma * root < _STILL
    s = 1.0 if still else sigma * root
    per_Fs = 1.0 / (F * s)
    middle = log_quotient(min(F, K), max(F, K)) * (per_Fs * F)
    a = -_FAR if still else min(max(middle + 0.5 * s, -_FAR), _FAR)
    b = -_FAR if still else max(middle - 0.5 * s, -_FAR)
    return a, b, root, per_Fs


@inlined
def black76_shares(a: float, b: float) -> tuple[float, float, float]:
    """Return φ(a), N(a), and N(b) high / low; one division for two ratios."""
    density = _DENSITY_AT_ZERO * exponential(-0.5 * a * a)
    p, q = tail_parts(min(abs(a), _DISTANT))
    u, v = tail_parts(min(-b, _DISTANT))
    both = density / (q * v)
    tail = p * v * both
    return density, tail if a < 0 else 1.0 - tail, u * q * both


@inlined
def black76_parts(
    F: float, K: float, sigma: float, D: float, sign: float, a: float, b: float, root: float,
    per_Fs: float, density: float, Na: float, Nb: float,
) -> Seven:  # fmt: skip
    """Return the seven terms from an option's scores and shares."""
    is_call_out = F <= K
    low = F if is_call_out else K
    price = D * (max(sign * (F - K), 0.0) + low * max(Na - Nb, 0.0))
    per_s = per_Fs * F
    per_F = per_Fs * (1.0 if sigma * root < _STILL else sigma * root)
    put_delta = Na - 1.0 if is_call_out else -Nb * (K * per_F)
    delta = put_delta + 1.0 if sign > 0 else put_delta
    # At the strike a is above zero, unless nothing moves.
    delta = 0.5 * sign if (F == K) & (a < 0) else delta
    d2 = b if is_call_out else -a
    sensed = D * low * density  # D F φ(d1)
    vega = sensed * root
    per_sigma = root * per_s
    return (
        price,
        D * delta,
        sensed * per_F * per_Fs,
        vega,
        -sensed * d2 * per_sigma * per_F,  # ∂²V/∂F∂σ
        vega * a * b * per_sigma,  # ∂²V/∂σ², as d1 d2 = a b
        -0.5 * sensed * sigma * sigma * per_s,
    )


@inlined
def black76_terms(F: float, K: float, T: float, sigma: float, D: float, sign: float) -> Seven:
    """
    Return price, delta, gamma, vega, vanna, volga and theta by Black-76.

    Choices are between numbers, not between ways: see `exponential`.
    """
    a, b, root, per_Fs = black76_scores(F, K, T, sigma)
    density, Na, Nb = black76_shares(a, b)
    return black76_parts(F, K, sigma, D, sign, a, b, root, per_Fs, density, Na, Nb)


@inlined
def bachelier_terms(F: float, K: float, T: float, sigma: float, D: float, sign: float) -> Seven:
    """Return price, delta, gamma, vega, vanna, volga and theta by Bachelier; as for Black-76."""
    root = sqrt(T)
    still = sigma * root < _STILL
    s = 1.0 if still else sigma * root
    per_s = 1.0 / s
    distance = abs(F - K)
    away = _FAR if still else min(distance * per_s, _FAR)
    density = _DENSITY_AT_ZERO * exponential(-0.5 * away * away)
    tail = density * tail_ratio(away)
    value = 0.0 if still else max(s * density - distance * tail, 0.0)
    price = D * (max(sign * (F - K), 0.0) + value)
    in_money = sign * (F - K) > 0
    share = 1.0 - tail if in_money else tail
    share = 0.5 if still & (F == K) else share
    d = away if F > K else -away
    vega = D * density * root
    per_sigma = root * per_s
    return (
        price,
        D * sign * share,
        D * density * per_s,
        vega,
        -D * density * d * per_sigma,
        vega * d * d * per_sigma,
        -0.5 * D * density * sigma * sigma * per_s,
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


@inlined
def fill_row(start: int, count: int, row: Floats, work: Floats, at: int) -> None:
    """Copy a row's part from `start` on into a block; a row of one number holds for all."""
    # Slices, because an index that might be negative is looked up number by number.
    to = work[at * _BLOCK : at * _BLOCK + count]
    if row.size == 1:
        for i in range(to.size):
            to[i] = row[0]
    else:
        part = row[start : start + count]
        for i in range(to.size):
            to[i] = part[i]


@compiled
def fill_block(
    start: int, count: int, F: Floats, K: Floats, T: Floats, sigma: Floats, D: Floats,
    sign: Floats, work: Floats,
) -> None:  # fmt: skip
    """Copy the arguments of options from `start` on into the first six rows of a block."""
    fill_row(start, count, F, work, 0)
    fill_row(start, count, K, work, 1)
    fill_row(start, count, T, work, 2)
    fill_row(start, count, sigma, work, 3)
    fill_row(start, count, D, work, 4)
    fill_row(start, count, sign, work, 5)


@compiled
def empty_block(start: int, count: int, work: Floats, out: Floats) -> int:
    """Copy a block's seven terms out; return the first option refused, or −1."""
    for j in range(7):
        term = work[(6 + j) * _BLOCK : (7 + j) * _BLOCK]
        to = out[j, start : start + count]
        for i in range(to.size):
            to[i] = term[i]
    for i in range(count):
        if work[13 * _BLOCK + i] != 0:
            return start + i
    return -1


@inlined
def refused(sizes: float, T: float, sigma: float, D: float, terms: Seven) -> float:
    """
    Return zero, or NaN of an option whose arguments or terms are none.

    sizes   a sum that is finite where forward and strike can be taken, and NaN where not
    """
    known = (T >= 0) & (sigma >= 0) & (D > 0) & (sizes + T + sigma + D < inf)
    total = terms[0] + terms[1] + terms[2] + terms[3] + terms[4] + terms[5] + terms[6]
    return total - total if known else nan


@compiled
def black76_rows(
    F: Floats, K: Floats, T: Floats, sigma: Floats, D: Floats, sign: Floats, out: Floats
) -> int:
    """
    Fill a row of `out` for each term; return the first option refused, or −1.

    Refused is what the formula cannot take, or what leads beyond 64-bit numbers. Three short loops:
    in one long one each option would wait for its own logarithm and exponential.
    """
    wide_vectors()
    work = np.ones(21 * _BLOCK)
    first = -1
    for start in range(0, out.shape[1], _BLOCK):
        count = min(_BLOCK, out.shape[1] - start)
        fill_block(start, count, F, K, T, sigma, D, sign, work)
        for i in range(_BLOCK):
            a, b, root, per_Fs = black76_scores(
                work[i], work[_BLOCK + i], work[2 * _BLOCK + i], work[3 * _BLOCK + i]
            )
            work[20 * _BLOCK + i] = root
            work[19 * _BLOCK + i] = per_Fs
            work[14 * _BLOCK + i] = a
            work[15 * _BLOCK + i] = b
        for i in range(_BLOCK):
            density, Na, Nb = black76_shares(work[14 * _BLOCK + i], work[15 * _BLOCK + i])
            work[16 * _BLOCK + i] = density
            work[17 * _BLOCK + i] = Na
            work[18 * _BLOCK + i] = Nb
        for i in range(_BLOCK):
            f, k, t = work[i], work[_BLOCK + i], work[2 * _BLOCK + i]
            vol, d = work[3 * _BLOCK + i], work[4 * _BLOCK + i]
            terms = black76_parts(
                f, k, vol, d, work[5 * _BLOCK + i], work[14 * _BLOCK + i], work[15 * _BLOCK + i],
                work[20 * _BLOCK + i], work[19 * _BLOCK + i], work[16 * _BLOCK + i],
                work[17 * _BLOCK + i], work[18 * _BLOCK + i],
            )  # fmt: skip
            work[6 * _BLOCK + i] = terms[0]
            work[7 * _BLOCK + i] = terms[1]
            work[8 * _BLOCK + i] = terms[2]
            work[9 * _BLOCK + i] = terms[3]
            work[10 * _BLOCK + i] = terms[4]
            work[11 * _BLOCK + i] = terms[5]
            work[12 * _BLOCK + i] = terms[6]
            sizes = f + k if (f > 0) & (k > 0) else nan
            work[13 * _BLOCK + i] = refused(sizes, t, vol, d, terms)
        spoilt = empty_block(start, count, work, out)
        if first < 0 <= spoilt:
            first = spoilt
    return first


@compiled
def bachelier_rows(
    F: Floats, K: Floats, T: Floats, sigma: Floats, D: Floats, sign: Floats, out: Floats
) -> int:
    """Fill a row of `out` for each term; return the first option refused, or −1."""
    wide_vectors()
    work = np.ones(14 * _BLOCK)
    first = -1
    for start in range(0, out.shape[1], _BLOCK):
        count = min(_BLOCK, out.shape[1] - start)
        fill_block(start, count, F, K, T, sigma, D, sign, work)
        for i in range(_BLOCK):
            f, k, t = work[i], work[_BLOCK + i], work[2 * _BLOCK + i]
            vol, d = work[3 * _BLOCK + i], work[4 * _BLOCK + i]
            terms = bachelier_terms(f, k, t, vol, d, work[5 * _BLOCK + i])
            work[6 * _BLOCK + i] = terms[0]
            work[7 * _BLOCK + i] = terms[1]
            work[8 * _BLOCK + i] = terms[2]
            work[9 * _BLOCK + i] = terms[3]
            work[10 * _BLOCK + i] = terms[4]
            work[11 * _BLOCK + i] = terms[5]
            work[12 * _BLOCK + i] = terms[6]
            work[13 * _BLOCK + i] = refused(abs(f) + abs(k), t, vol, d, terms)
        spoilt = empty_block(start, count, work, out)
        if first < 0 <= spoilt:
            first = spoilt
    return first


@inlined
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


@inlined
def normal_guess(rise: float) -> float:
    """
    Return σ²T over the square of an option's distance from the money by Bachelier, to 0.05 %.

    rise    ln(1 + distance / value)

    A fit of our own: times the square of `rise` it is nearly straight.
    """
    above = ((0.00560155639 * rise + 0.130479306) * rise + 0.945648445) * rise + 6.2889046
    below = (0.0111530696 * rise + 0.154295017) * rise + 1.0
    return above / (below * rise * rise)


@inlined
def black76_guess(worth: float, x: float, root: float) -> float:
    """
    Return a first σ√T, within 1 % of it where |x| ≤ 4, and rougher beyond.

    root    e^{x/2}

    Up to half of the most that an option can be worth, Black is Bachelier on logarithms, by the
    value over the root of forward × strike, but for a factor e^{−σ²T/8} that a fit of our own makes
    up for. Above, the logarithm of what lacks to that most is nearly σ²T/8.
    """
    upper = worth > 0.5
    value = (1.0 - worth if upper else worth) * root
    distance = max(-x, 1e-4 * value)
    rise = log_quotient(1.0 if upper else value + distance, value)
    normal = distance * sqrt(normal_guess(rise))
    v = normal * normal
    more = (0.00022525624 * v - 0.00169307) * v + 0.04140026
    less = 1.0 + (0.07374376 + 0.03549943 * rise) * rise + (0.00602883 * rise - 0.12536415) * v
    full = (4.14731919 * rise + 1.3421427 + 2.47918384 * x) * rise - 0.457195 - 0.98914475 * x
    lower = normal * (1.0 + v * more / less)
    full /= 1.0 + 0.54006905 * rise + 0.35043891 * x
    return sqrt(max(full, -2.0 * x)) if upper else lower  # √(2|x|): below it no value is half


@inlined
def black76_step(s: float, worth: float, x: float, target: float) -> tuple[float, float, bool]:
    """
    Return the next estimate of σ√T, the value at this one, and if the step was the last needed.

    target      ln of what is worth, or of what lacks to 1 if that is less

    The objective is nearly straight: 1/ln of the value where its slope still rises, ln of what
    lacks in the upper half, the value between. The first two need no density, only Mills' ratios:
    with R = N(a)/φ(a) − N(b)/φ(b) for a < 0, value = φ(a) R, whose derivative is φ(a).
    """
    per_s = 1.0 / s
    middle = x * per_s
    a = middle + 0.5 * s
    b = middle - 0.5 * s
    p, q = tail_parts(min(abs(a), _DISTANT))
    u, v = tail_parts(min(-b, _DISTANT))
    rising = a < 0
    over = p * v - u * q if rising else p * v + u * q
    under = q * v
    both = 1.0 / (over * under)
    ratio = over * over * both
    pull = under * under * both
    density = _DENSITY_AT_ZERO * exponential(-0.5 * a * a)
    value = density * ratio if rising else 1.0 - density * ratio
    height = log_quotient(over, under) + (_LN_DENSITY_AT_ZERO - 0.5 * a * a)
    by_fall = rising & (worth <= 0.5)
    by_lack = (a >= 0) & (worth > 0.5)
    per = 1.0 / (height if by_fall else density)
    fall = height - target
    miss = ratio * fall if by_lack else (worth - value) * per
    miss = -ratio * fall * height / target if by_fall else miss
    bend = a * b * per_s
    turn = -3.0 * (middle * per_s) ** 2 - 0.25
    twist = pull * (1.0 + 2.0 * per)
    turn_by_fall = turn - twist * (bend - pull) - 2.0 * (pull * per) ** 2
    turn = turn + pull * (bend + pull) if by_lack else turn
    bend = bend + pull if by_lack else bend
    turn = turn_by_fall if by_fall else turn
    bend = bend - twist if by_fall else bend
    new = improved(s, miss, bend, turn)
    moved = max(abs(new - s), abs(miss))
    return new, value, (moved <= 1e-4 * s) & (moved * abs(bend) <= 1e-3)


@compiled
def black76_deviation(worth: float, x: float) -> float:
    """
    Return σ√T of the option out of the money by Black-76.

    worth       its undiscounted value over the lower of forward and strike, 0 < worth < 1
    x           ln(lower / higher), ≤ 0
    """
    if worth < 1e-8 and x > -1e-8:  # too near for digits of 1 − N; there it is Bachelier's
        return normal_deviation(worth, -x)
    target = log_quotient(min(worth, 1.0 - worth), 1.0)
    s = black76_guess(worth, x, exponential(0.5 * x))
    lowest, highest = 0.0, 60.0 + sqrt(-2.0 * x)
    s = s if lowest < s < highest else 0.5 * (lowest + highest)
    for k in range(200):
        new, value, is_last = black76_step(s, worth, x, target)
        if is_last:
            return new
        if value < worth:
            lowest = s
        else:
            highest = s
        # After twenty steps by halves: far off the slope says little.
        s = new if lowest < new < highest and k < 20 else 0.5 * (lowest + highest)
    return s


@compiled
def bachelier_deviation(worth: float) -> float:
    """
    Return σ√T of the option out of the money by Bachelier, both over |F − K|; worth > 0.

    The value s φ(1/s) − N(−1/s) is convex in s; below s = 1 its 1/ln is nearly straight.
    """
    below = worth < 0.08331547058768629  # φ(1) − N(−1)
    lowest, highest = 0.0, (worth + 0.5) / _DENSITY_AT_ZERO
    s = sqrt(normal_guess(log_quotient(worth + 1.0, worth))) if below else highest
    target = log_quotient(worth, 1.0)
    for _ in range(60):
        density = _DENSITY_AT_ZERO * exponential(-0.5 / (s * s))
        value = density * (s - tail_ratio(1.0 / s))
        bend = 1.0 / (s * s * s)
        turn = -3.0 * bend / s
        if value < worth:
            lowest = s
        else:
            highest = s
        if below:
            height = log_quotient(value, 1.0)
            pull = density / value
            miss = height * (1.0 - height / target) / pull
            turn -= pull * (bend - pull) * (1.0 + 2.0 / height) - 2.0 * (pull / height) ** 2
            bend -= pull * (1.0 + 2.0 / height)
        else:
            miss = (worth - value) / density
        new = improved(s, miss, bend, turn)
        moved = max(abs(new - s), abs(miss))
        if moved <= 1e-4 * s and moved * abs(bend) <= 1e-3:
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
    """
    Fill `out` with volatilities; return the first option that has none, or −1.

    Two steps settle nearly all, in blocks; what they leave is searched for one by one.
    """
    wide_vectors()
    work = np.ones(11 * _BLOCK)
    for start in range(0, out.size, _BLOCK):
        count = min(_BLOCK, out.size - start)
        fill_block(start, count, F, K, T, D, sign, p, work)
        for i in range(_BLOCK):
            forward, strike, d = work[i], work[_BLOCK + i], work[3 * _BLOCK + i]
            payoff = max(work[4 * _BLOCK + i] * (forward - strike), 0.0)
            low, high = min(forward, strike), max(forward, strike)
            worth = (work[5 * _BLOCK + i] / d - payoff) / low
            x = log_quotient(low, high)
            work[6 * _BLOCK + i] = black76_guess(worth, x, sqrt(low / high))
            work[7 * _BLOCK + i] = log_quotient(min(worth, 1.0 - worth), 1.0)
            work[8 * _BLOCK + i] = worth
            work[9 * _BLOCK + i] = x
        for _ in range(2):
            for i in range(_BLOCK):
                new, _, is_last = black76_step(
                    work[6 * _BLOCK + i], work[8 * _BLOCK + i], work[9 * _BLOCK + i],
                    work[7 * _BLOCK + i],
                )  # fmt: skip
                work[6 * _BLOCK + i] = new
                work[10 * _BLOCK + i] = 1.0 if is_last else 0.0
        for i in range(_BLOCK):
            work[7 * _BLOCK + i] = 1.0 / sqrt(work[2 * _BLOCK + i])
        for i in range(count):
            worth, x = work[8 * _BLOCK + i], work[9 * _BLOCK + i]
            if not (0.0 < worth < 1.0):
                return start + i
            s = work[6 * _BLOCK + i]
            if work[10 * _BLOCK + i] == 0 or (worth < 1e-8 and x > -1e-8):
                s = black76_deviation(worth, x)
            out[start + i] = s * work[7 * _BLOCK + i]
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


@compiled
def black76_scenarios(
    F: Floats, lnF: Floats, sigma: Floats, node: npt.NDArray[np.int64],
    vol_node: npt.NDArray[np.int64], K: Floats, T: Floats, amount: Floats, sign: Floats,
    total: Floats, rows: Floats,
) -> None:  # fmt: skip
    """
    Add up options in each scenario: `total` by scenario, and by option into `rows` if it has any.

    F, lnF, sigma   (node, scenario); the scenarios fill whole blocks
    amount          discounted quantity
    """
    wide_vectors()
    scenarios = F.shape[1]
    keep = rows.shape[0] > 0
    a, b, worth = np.empty(_SCENARIOS), np.empty(_SCENARIOS), np.empty(_SCENARIOS)
    for o in range(node.size):
        strike, root, side, units = K[o], sqrt(T[o]), sign[o], amount[o]
        log_strike = log_quotient(strike, 1.0)
        at, vol_at = node[o], vol_node[o]
        for start in range(0, scenarios, _SCENARIOS):
            for i in range(_SCENARIOS):
                s = sigma[vol_at, start + i] * root
                still = s < _STILL
                s = 1.0 if still else s
                middle = -abs(lnF[at, start + i] - log_strike) / s
                a[i] = -_FAR if still else min(max(middle + 0.5 * s, -_FAR), _FAR)
                b[i] = -_FAR if still else max(middle - 0.5 * s, -_FAR)
            for i in range(_SCENARIOS):
                f = F[at, start + i]
                _, Na, Nb = black76_shares(a[i], b[i])
                out = min(f, strike) * max(Na - Nb, 0.0)
                worth[i] = units * (max(side * (f - strike), 0.0) + out)
            for i in range(_SCENARIOS):
                total[start + i] += worth[i]
            if keep:
                for i in range(_SCENARIOS):
                    rows[o, start + i] = worth[i]


@compiled
def bachelier_scenarios(
    F: Floats, sigma: Floats, node: npt.NDArray[np.int64], vol_node: npt.NDArray[np.int64],
    K: Floats, T: Floats, amount: Floats, sign: Floats, total: Floats, rows: Floats,
) -> None:  # fmt: skip
    """Add up options by Bachelier in each scenario; as `black76_scenarios`."""
    wide_vectors()
    scenarios = F.shape[1]
    keep = rows.shape[0] > 0
    worth = np.empty(_SCENARIOS)
    for o in range(node.size):
        strike, root, side, units = K[o], sqrt(T[o]), sign[o], amount[o]
        at, vol_at = node[o], vol_node[o]
        for start in range(0, scenarios, _SCENARIOS):
            for i in range(_SCENARIOS):
                f = F[at, start + i]
                s = sigma[vol_at, start + i] * root
                still = s < _STILL
                s = 1.0 if still else s
                distance = abs(f - strike)
                away = _FAR if still else min(distance / s, _FAR)
                density = _DENSITY_AT_ZERO * exponential(-0.5 * away * away)
                tail = density * tail_ratio(away)
                out = 0.0 if still else max(s * density - distance * tail, 0.0)
                worth[i] = units * (max(side * (f - strike), 0.0) + out)
            for i in range(_SCENARIOS):
                total[start + i] += worth[i]
            if keep:
                for i in range(_SCENARIOS):
                    rows[o, start + i] = worth[i]
