"""
Kernels of early exercise: what it adds to an option, by implicit steps of the heat equation.

In y, the log of forward over strike (or their difference) by its deviation to expiry, and θ, the
share of the time to expiry, every option solves W_θ = ½ W_yy; only its payoff and what exercise is
worth differ. With and without early exercise go through the same steps, whose errors then cancel
in their difference. Sixteen options are stepped side by side, so that a processor works on several
at once: a node has as many numbers of each part.
"""

from __future__ import annotations

from math import cosh, exp, floor, nan, sinh, sqrt

import numpy as np
import numpy.typing as npt

from trading.pricing._compile import compiled
from trading.pricing._inputs import Floats

_LANES = 16
# Parts of a node: with early exercise, without, both by variance, the payoff and it by variance.
_WITH, _EURO, _WITH_S, _EURO_S, _PAY, _PAY_S = (part * _LANES for part in range(6))
_NODE = 6 * _LANES
# Parts of a step: c and 1/κ of its factors, exercise's worth over the payoff, growth of the far
# end with and without exercise, θ/8.
_C, _PER, _GAIN, _FAR_WITH, _FAR, _EIGHTH = (part * _LANES for part in range(6))
_NEAREST = 8.0  # deviations to the ends of the grid: beyond them the density is below 1e-15


@compiled
def reach(S: float) -> float:
    """Return the deviations from the strike to the ends of the grid, by total variance."""
    return _NEAREST + max(0.5 * sqrt(S) - 2.0, 0.0)


@compiled
def lay_out(work: Floats, half: int, start: int, S: Floats, black: bool) -> None:
    """Fill the nodes of a block of options from `start` on with their payoff at expiry."""
    for lane in range(_LANES):
        variance = S[min(start + lane, S.size - 1)]
        width = reach(variance) / half if black else _NEAREST / half
        root = sqrt(variance)
        for j in range(2 * half + 1):
            y = (half - j) * width  # how far in the money, as a put's
            pay = pay_s = 0.0
            if y > 0.0:
                pay = 2.0 * sinh(0.5 * y * root) if black else y
                pay_s = 0.5 * y * cosh(0.5 * y * root) / root if black else 0.0
            at = j * _NODE + lane
            work[at + _WITH] = work[at + _EURO] = work[at + _PAY] = pay
            work[at + _WITH_S] = work[at + _EURO_S] = work[at + _PAY_S] = pay_s


@compiled
def step(work: Floats, nodes: int, terms: Floats) -> None:
    """
    Take one implicit step back in time, exercising during it where that is worth more.

    The step's matrix is κ (1 − c E)(1 − c E⁻¹): one sweep from the side out of the money, and one
    back from where all is exercised, which may stop at the worth of exercise (M. Brennan,
    E. Schwartz, J. Finance 32 (1977) 449-462).
    """
    work[(nodes - 1) * _NODE : nodes * _NODE] = 0.0
    for j in range(nodes - 2, 0, -1):
        pair = work[j * _NODE : (j + 2) * _NODE]  # so that distances are constant
        for lane in range(_LANES):
            c, per = terms[_C + lane], terms[_PER + lane]
            pair[_WITH + lane] = pair[_WITH + lane] * per + c * pair[_NODE + _WITH + lane]
            pair[_EURO + lane] = pair[_EURO + lane] * per + c * pair[_NODE + _EURO + lane]
            pair[_WITH_S + lane] = pair[_WITH_S + lane] * per + c * pair[_NODE + _WITH_S + lane]
            pair[_EURO_S + lane] = pair[_EURO_S + lane] * per + c * pair[_NODE + _EURO_S + lane]
    for lane in range(_LANES):
        pay = work[_PAY + lane]
        slope = terms[_EIGHTH + lane] * pay + work[_PAY_S + lane]
        work[_WITH + lane] = terms[_FAR_WITH + lane] * pay
        work[_EURO + lane] = terms[_FAR + lane] * pay
        work[_WITH_S + lane] = terms[_FAR_WITH + lane] * slope
        work[_EURO_S + lane] = terms[_FAR + lane] * slope
    for j in range(nodes - 2):
        pair = work[j * _NODE : (j + 2) * _NODE]
        for lane in range(_LANES):
            c, gain = terms[_C + lane], terms[_GAIN + lane]
            pay = pair[_NODE + _PAY + lane]
            worth = gain * pay
            worth_s = gain * (terms[_EIGHTH + lane] * pay + pair[_NODE + _PAY_S + lane])
            held = pair[_NODE + _WITH + lane] + c * pair[_WITH + lane]
            held_s = pair[_NODE + _WITH_S + lane] + c * pair[_WITH_S + lane]
            pair[_NODE + _WITH + lane] = max(held, worth)
            pair[_NODE + _WITH_S + lane] = held_s if held >= worth else worth_s
            pair[_NODE + _EURO + lane] += c * pair[_EURO + lane]
            pair[_NODE + _EURO_S + lane] += c * pair[_EURO_S + lane]


@compiled
def exercise(work: Floats, nodes: int, terms: Floats) -> None:
    """Exercise on a date, after the step that leads to it, where that is worth more."""
    for j in range(nodes - 1):
        for lane in range(_LANES):
            at = j * _NODE + lane
            pay, gain = work[at + _PAY], terms[_GAIN + lane]
            worth = gain * pay
            worth_s = gain * (terms[_EIGHTH + lane] * pay + work[at + _PAY_S])
            held, held_s = work[at + _WITH], work[at + _WITH_S]
            work[at + _WITH] = max(held, worth)
            work[at + _WITH_S] = held_s if held >= worth else worth_s


@compiled
def solve(
    work: Floats, kept: Floats, half: int, start: int, S: Floats, ends: Floats, gains: Floats,
    pieces: npt.NDArray[np.int64], refine: int, always: bool, black: bool,
) -> None:  # fmt: skip
    """
    Take a block of options from their expiry to now; arguments are those of `premium_rows`.

    What may always be exercised is left in `kept` without exercise in the last interval.

    Steps within an interval begin small, where the value has kinks, and grow as squares.
    """
    lay_out(work, half, start, S, black)
    nodes, count = 2 * half + 1, S.size
    terms, best = np.zeros(_NODE), np.ones(_LANES)
    for i in range(ends.shape[0]):
        last = i == ends.shape[0] - 1
        if always and last:
            kept[:] = work
        parts = pieces[i] * refine
        for k in range(1, parts + 1):
            share, before = (k / parts) ** 2, ((k - 1) / parts) ** 2
            for lane in range(_LANES):
                n = min(start + lane, count - 1)
                variance = S[n] if black else 0.0
                width = reach(variance) / half
                began = ends[i - 1, n] if i else 0.0
                gained = gains[i - 1, n] if i else 0.0
                length = ends[i, n] - began
                theta = began + length * share
                two = length * (share - before) / (width * width)  # 2 λ
                root = 1.0 + two + sqrt(1.0 + 2.0 * two)
                grown = exp(0.125 * variance * theta)
                gain = 0.0
                if always:
                    gain = exp(gained + (gains[i, n] - gained) * share)
                best[lane] = max(best[lane], gain)
                terms[_C + lane], terms[_PER + lane] = two / root, 2.0 / root
                terms[_GAIN + lane] = gain * grown
                terms[_FAR_WITH + lane], terms[_FAR + lane] = best[lane] * grown, grown
                terms[_EIGHTH + lane] = 0.125 * theta if black else 0.0
            step(work, nodes, terms)
            if always and last:
                terms[_GAIN : _GAIN + _LANES] = 0.0
                step(kept, nodes, terms)
        if not (always or last):
            for lane in range(_LANES):
                n = min(start + lane, count - 1)
                variance = S[n] if black else 0.0
                gain = exp(gains[i, n])
                best[lane] = max(best[lane], gain)
                terms[_GAIN + lane] = gain * exp(0.125 * variance * ends[i, n])
            exercise(work, nodes, terms)


@compiled
def last_exercised(work: Floats, half: int, lane: int, now: float) -> int:
    """
    Return the last node at which exercise now is worth no less than the rest; 0 if none is.

    now     what exercise now is worth over the payoff; 0 if there is none
    """
    edge = 0
    while now > 0 and edge < half:
        at = (edge + 1) * _NODE + lane
        if work[at + _WITH] > now * work[at + _PAY] * (1.0 + 1e-13):
            break
        edge += 1
    return edge


@compiled
def read(work: Floats, half: int, lane: int, edge: int, place: float, found: Floats) -> None:
    """
    Fill `found` with what early exercise adds, its derivatives by node, and it by variance.

    By the quintic through six nodes. To the right of the edge of exercise none of them lies to its
    left, as the second derivative jumps there.

    place   in nodes from the left end
    """
    first = floor(place) - 2
    if place >= edge:
        first = max(first, edge)
    first = min(max(first, 0), 2 * half - 5)
    s = place - first
    each = np.empty(6)
    for row in range(2):
        part = row * (_WITH_S - _WITH)
        for k in range(6):
            at = (first + k) * _NODE + lane + part
            each[k] = work[at + _WITH] - work[at + _EURO]
        for order in range(1, 6):  # divided differences
            for k in range(5, order - 1, -1):
                each[k] = (each[k] - each[k - 1]) / order
        value, slope, bend = each[5], 0.0, 0.0
        for k in range(4, -1, -1):
            bend = bend * (s - k) + 2.0 * slope
            slope = slope * (s - k) + value
            value = value * (s - k) + each[k]
        if row == 0:
            found[0], found[1], found[2] = value, slope, bend
        else:
            found[3] = value


@compiled
def premium_rows(
    S: Floats, y: Floats, now: Floats, ends: Floats, gains: Floats,
    pieces: npt.NDArray[np.int64], always: bool, black: bool, half: int, out: Floats,
    probes: Floats,
) -> None:  # fmt: skip
    """
    Fill `out`, shape (6, options), with what early exercise adds to options.

    In order: W − W_euro, its first two y-derivatives, it by variance, it without exercise in the
    last interval, and its estimated error. `probes`, shape (2, places, options), takes y and the
    difference of before last at some places around the one below which exercise now is worth more;
    NaN where the grid has none.

    S           total variance σ² T of a lognormal price
    y           where the forward is, negative in the money; within seven
    now         exercise's worth now over that at expiry; 0 where exercise now is another's to weigh
    ends        shape (intervals, options): shares of the time to expiry, ascending to 1
    gains       of each end the logarithm of exercise's worth over that at expiry; the last is now
    pieces      steps of each interval in the first of three refinements
    always      exercise at any time, else at the ends of the intervals but the last
    half        nodes on either side of the strike

    Steps of first order, with one, two and four times the pieces, are extrapolated to none, and
    the mesh from half as many nodes.
    """
    work = np.empty((2 * half + 1) * _NODE)
    kept = np.empty(work.size) if always else work
    places = probes.shape[1]
    level = np.empty((4, _LANES, places + 2, 4))
    around = np.empty(_LANES)
    for start in range(0, S.size, _LANES):
        for run in (2, 1, 0, 3):  # four, two and one times the pieces; the coarser mesh
            nodes = half // 2 if run == 3 else half
            refine = 2 if run == 3 else 2**run
            solve(work, kept, nodes, start, S, ends, gains, pieces, refine, always, black)
            for lane in range(_LANES):
                n = min(start + lane, S.size - 1)
                variance = S[n] if black else 0.0
                width = reach(variance) / nodes
                worth = now[n] * exp(0.125 * variance)
                place = y[n] / width + nodes
                found = level[run, lane]
                read(work, nodes, lane, last_exercised(work, nodes, lane, worth), place,
                     found[places + 1])  # fmt: skip
                found[places + 1, 1] /= width
                found[places + 1, 2] /= width * width
                edge = last_exercised(kept, nodes, lane, worth)
                read(kept, nodes, lane, edge, place, found[places])
                if run == 2:
                    around[lane] = (edge - nodes) * width if edge else nan
                for p in range(places if around[lane] < 0 else 0):
                    at = max(around[lane] + (p - places // 3) * reach(variance) / half, -7.5)
                    read(kept, nodes, lane, edge, at / width + nodes, found[p])
                    probes[0, p, n] = at
        for lane in range(min(_LANES, S.size - start)):
            n = start + lane
            for k in range(places + 5):
                p, term = min(k, places + 1), max(k - places - 1, 0)
                one, two, four = (
                    level[0, lane, p, term], level[1, lane, p, term], level[2, lane, p, term],
                )  # fmt: skip
                mesh = (two - level[3, lane, p, term]) / 3.0
                value = (8.0 * four - 6.0 * two + one) / 3.0 + mesh
                if k < places:
                    probes[1, k, n] = value if around[lane] < 0 else nan
                elif k == places:
                    out[4, n] = value
                else:
                    out[term, n] = value
                if k == places + 1:
                    rest = abs(2.0 * four - 3.0 * two + one) / 3.0
                    out[5, n] = rest + 0.25 * abs(mesh)
