"""Inner loops over scenarios and states, compiled; imported where they are called, never before."""

from __future__ import annotations

import numpy as np

from trading.pricing._compile import compiled, wide_vectors
from trading.pricing._inputs import Floats
from trading.pricing.structures._programme import Indices


@compiled
def earn(
    price: Floats,
    volume: Floats,
    cash: Floats,
    first: Indices,
    target: Indices,
    weight: Floats,
    expected: Floats,
    realized: Floats,
) -> Floats:
    """
    Return what each state earns from an interval on, (scenario, state).

    The move is chosen by `expected`, (scenario, state after); what counts is `realized` of it.
    """
    scenarios, commodities = price.shape
    states = len(first) - 1
    found = np.empty((scenarios, states))
    for p in range(scenarios):
        for s in range(states):
            best, taken = -np.inf, 0.0
            for m in range(first[s], first[s + 1]):
                now = cash[m]
                for k in range(commodities):
                    now += price[p, k] * volume[m, k]
                y, w = target[m], weight[m]
                later = expected[p, y]
                if w > 0.0:
                    later += w * (expected[p, y + 1] - later)
                if now + later > best:
                    best = now + later
                    then = realized[p, y]
                    if w > 0.0:
                        then += w * (realized[p, y + 1] - then)
                    taken = now + then
            found[p, s] = taken
    return found


@compiled
def choose(
    price: Floats,
    volume: Floats,
    cash: Floats,
    first: Indices,
    target: Indices,
    expected: Floats,
    state: Indices,
) -> Indices:
    """Return the best move of each scenario in its state, (scenario,)."""
    scenarios, commodities = price.shape
    found = np.empty(scenarios, dtype=np.int64)
    for p in range(scenarios):
        best = -np.inf
        for m in range(first[state[p]], first[state[p] + 1]):
            worth = cash[m] + expected[p, target[m]]
            for k in range(commodities):
                worth += price[p, k] * volume[m, k]
            if worth > best:
                best = worth
                found[p] = m
    return found


@compiled
def flow_gas(
    price: Floats,
    inventory: Floats,
    worth: Floats,
    rates_in: Floats,
    rates_out: Floats,
    available: Floats,
    band: Floats,
    expected: Floats,
) -> Floats:
    """
    Return the best change of inventory of each scenario, (scenario,), MWh.

    worth       a, b, c, d: a MWh in costs a · price + b, one out earns c · price + d
    available   shares of the rates in and out;  band  least and most inventory after the day
    expected    (scenario, level) at levels evenly spread over the band
    """
    levels = expected.shape[1]
    low, high = band[0], band[1]
    step = (high - low) / (levels - 1)
    found = np.empty(len(price))
    for p in range(len(price)):
        x = inventory[p]
        most_in = most_out = 0.0
        for k in range(len(rates_in)):
            if rates_in[k, 0] - 1e-9 <= x <= rates_in[k, 1] + 1e-9:
                most_in = max(most_in, rates_in[k, 2] + rates_in[k, 3] * x)
        for k in range(len(rates_out)):
            if rates_out[k, 0] - 1e-9 <= x <= rates_out[k, 1] + 1e-9:
                most_out = max(most_out, rates_out[k, 2] + rates_out[k, 3] * x)
        least = min(max(x - available[1] * most_out, low), high)
        most = max(min(x + available[0] * most_in, high), least)
        cost = worth[0] * price[p] + worth[1]
        gain = worth[2] * price[p] + worth[3]
        # All is piecewise linear: the best end is a limit, where it began, or a level between.
        begin, between = 0, 0
        if step > 0.0:
            begin = int(np.ceil((least - low) / step))
            between = max(int(np.floor((most - low) / step)) - begin + 1, 0)
        best, where = -np.inf, x
        for c in range(3 + between):
            y = least
            if c == 1:
                y = most
            elif c == 2:
                y = min(max(x, least), most)
            elif c > 2:
                y = min(max(low + (begin + c - 3) * step, least), most)
            change = y - x
            now = -cost * change if change > 0.0 else -gain * change
            if step > 0.0:
                at = (y - low) / step
                level = min(max(int(at), 0), levels - 2)
                share = at - level
                now += expected[p, level] * (1.0 - share) + expected[p, level + 1] * share
            else:
                now += expected[p, 0]
            if now > best:
                best, where = now, y
        found[p] = where - x
    return found


@compiled
def smooth(row: Floats, weights: Floats) -> Floats:
    """
    Return each row's sums under weights that are the same on both sides, where all are inside.

    weights     (1 + 4 n,), from the middle outwards; a row ends 4 n points inside of its ends
    """
    wide_vectors()
    reach = weights.size - 1
    points = row.shape[1] - 2 * reach
    found = np.empty((row.shape[0], points))
    for j in range(row.shape[0]):
        to = found[j]
        middle = row[j, reach : reach + points]
        for i in range(points):
            to[i] = weights[0] * middle[i]
        for k in range(1, reach, 4):
            a, b, c, d = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
            down = row[j, reach - k - 3 : reach - k + points]
            up = row[j, reach + k : reach + k + points + 3]
            for i in range(points):
                near = a * (down[i + 3] + up[i]) + b * (down[i + 2] + up[i + 1])
                to[i] += near + c * (down[i + 1] + up[i + 2]) + d * (down[i] + up[i + 3])
    return found
