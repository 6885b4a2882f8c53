"""
Choices between numbered states: the best plan on known prices, a policy on simulated ones.

Plants, batteries and swing contracts are such networks; a store is one between inventory levels.
Axis order: scenario, interval, commodity; scenario, state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats
from trading.pricing._regression import Continuation, fit_continuation

Indices = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """
    What may be done in an interval, sorted by the state it is done in.

    source       (move,), state before
    target       (move,), state after; or the two beside it where weight is not 0
    weight       (move,), share of state `target + 1` in the state after, 0 to 1
    volume       (move, commodity), MWh sold + and bought −, each at its price
    cash         (move,), received +, currency
    """

    source: Indices
    target: Indices
    weight: Floats
    volume: Floats
    cash: Floats

    @classmethod
    def of(cls, rows: Sequence[tuple[int, int, Floats, float]]) -> Moves:
        """Return moves from rows of source, target, volumes and cash."""
        ordered = sorted(rows, key=lambda row: row[:2])
        source, target, volume, cash = zip(*ordered, strict=True)
        return cls(
            source=np.array(source),
            target=np.array(target),
            weight=np.zeros(len(ordered)),
            volume=np.array(volume, dtype=np.float64),
            cash=np.array(cash, dtype=np.float64),
        )

    def kept(self, before: Mask, after: Mask) -> Moves:
        """Return the moves from and to states that are allowed, the states numbered among those."""
        keep = before[self.source] & after[self.target]
        return Moves(
            source=(np.cumsum(before) - 1)[self.source[keep]],
            target=(np.cumsum(after) - 1)[self.target[keep]],
            weight=self.weight[keep],
            volume=self.volume[keep],
            cash=self.cash[keep],
        )

    def first_of(self, states: int) -> Indices:
        """Return where each state's moves begin, and the end."""
        return np.searchsorted(self.source, np.arange(states + 1))


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """
    States and what may be done in them, interval by interval.

    states     how many
    stages     the different sets of moves;  stage (interval,) says which holds
    starts     states that it may begin in: the holder takes the best
    """

    states: int
    stages: tuple[Moves, ...]
    stage: Indices
    starts: tuple[int, ...]

    @property
    def moves(self) -> int:
        """Return how many moves all intervals have: the work of one simulated scenario."""
        sizes = np.array([len(moves.source) for moves in self.stages])
        return int(sizes[self.stage].sum())

    def allowed(self) -> list[Mask]:
        """
        Return for each moment, first to last, which states can be in and lead to the end.

        The masks are empty from the moment on at which no state is left.
        """
        forward = [np.zeros(self.states, dtype=bool)]
        forward[0][list(self.starts)] = True
        for at in self.stage:
            moves, after = self.stages[at], np.zeros(self.states, dtype=bool)
            after[moves.target[forward[-1][moves.source]]] = True
            forward.append(after)
        for t in range(len(self.stage) - 1, -1, -1):
            moves, before = self.stages[self.stage[t]], np.zeros(self.states, dtype=bool)
            before[moves.source[forward[t + 1][moves.target]]] = True
            forward[t] &= before
        return forward

    def last_reached(self) -> int:
        """Return the interval in which the states run out; the number of intervals if none."""
        alive = np.zeros(self.states, dtype=bool)
        alive[list(self.starts)] = True
        for t, at in enumerate(self.stage):
            moves, after = self.stages[at], np.zeros(self.states, dtype=bool)
            after[moves.target[alive[moves.source]]] = True
            if not after.any():
                return t
            alive = after
        return len(self.stage)


@dataclass(frozen=True, slots=True, eq=False)
class BestPath:
    """The best plan on known prices: value, and the move of each interval within its stage."""

    value: float
    moves: Indices
    states: Indices


def best_path(network: Network, prices: Floats, discount: Floats, ends: Floats) -> BestPath:
    """
    Return the plan that earns most, by backward induction: exact.

    prices     (interval, commodity);  discount (interval,), on all of an interval's flows
    ends       (state,), worth of each state after the last interval, today
    """
    count = len(network.stage)
    worth = np.full((count + 1, network.states), -np.inf)
    worth[count] = ends
    layout = []
    for moves in network.stages:
        first = np.flatnonzero(np.diff(moves.source, prepend=-1))
        layout.append((moves.source[first], first))

    def earned(t: int) -> Floats:
        moves = network.stages[network.stage[t]]
        found: Floats = discount[t] * (moves.volume @ prices[t] + moves.cash)
        return found

    for t in range(count - 1, -1, -1):
        moves, (sources, first) = network.stages[network.stage[t]], layout[network.stage[t]]
        worth[t, sources] = np.maximum.reduceat(earned(t) + worth[t + 1, moves.target], first)
    state = max(network.starts, key=lambda s: float(worth[0, s]))
    value = float(worth[0, state])
    chosen, states = np.empty(count, dtype=np.int64), np.empty(count + 1, dtype=np.int64)
    states[0] = state
    for t in range(count):
        moves = network.stages[network.stage[t]]
        begin, end = np.searchsorted(moves.source, [state, state + 1])
        total = earned(t)[begin:end] + worth[t + 1, moves.target[begin:end]]
        chosen[t] = begin + int(total.argmax())
        state = states[t + 1] = moves.target[chosen[t]]
    return BestPath(value=value, moves=chosen, states=states)


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """
    What to do, fitted on paths: the best move by its cash now and the expected value after.

    moves       of each interval, between allowed states;  after: what is expected of those
    start       state to begin in, among the allowed;  in_sample: currency, what the fit earned
    """

    moves: tuple[Moves, ...]
    after: tuple[Continuation, ...]
    start: int
    in_sample: float


def fit_policy(
    moves_of: Callable[[int], Moves],
    intervals: int,
    ends: Floats,
    prices: Floats,
    factors: Floats,
    discount: Floats,
    *,
    starts: Sequence[int],
    degree: int,
) -> Policy:
    """
    Fit a policy by backward induction over simulated prices (Longstaff and Schwartz).

    moves_of    the moves of an interval, between the allowed states
    ends        (state,), what is left after the last interval is worth today
    prices      (scenario, interval, commodity);  factors (scenario, interval, factor)
    """
    from trading.pricing.structures._kernels import earn

    scenarios = len(prices)
    realized = np.broadcast_to(ends, (scenarios, len(ends))).copy()
    kept: list[Moves] = []
    after: list[Continuation] = []
    for t in range(intervals - 1, -1, -1):
        moves = moves_of(t)
        known = np.ascontiguousarray(factors[:, t])
        expected = fit_continuation(realized, known, degree=degree)
        states = int(moves.source[-1]) + 1
        price = np.ascontiguousarray(prices[:, t])
        realized = earn(
            price, discount[t] * moves.volume, discount[t] * moves.cash,
            moves.first_of(states), moves.target, moves.weight, expected(known), realized,
        )  # fmt: skip
        kept.append(moves)
        after.append(expected)
    means = realized.mean(axis=0)
    start = max(starts, key=lambda s: float(means[s]))
    return Policy(tuple(kept[::-1]), tuple(after[::-1]), start, float(means[start]))


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """
    A policy on paths that it was not fitted on.

    payoffs    (scenario,), currency today
    volume     (commodity, interval), MWh, the mean over scenarios
    delta      (commodity, month, scenario), of the payoff to that month's forward, by the envelope
               theorem
    """

    payoffs: Floats
    volume: Floats
    delta: Floats


def follow(
    policy: Policy,
    ends: Floats,
    prices: Floats,
    factors: Floats,
    responses: Floats,
    discount: Floats,
    month: Indices,
) -> Followed:
    """
    Follow a policy along paths, state by state.

    responses   (scenario, interval, commodity), what each price does when its forward moves by 1
    month       (interval,), number of its delivery month, from 0
    """
    from trading.pricing.structures._kernels import choose

    scenarios, intervals, commodities = prices.shape
    state = np.full(scenarios, policy.start)
    payoffs = np.zeros(scenarios)
    volume = np.empty((commodities, intervals))
    delta = np.zeros((commodities, int(month.max()) + 1, scenarios))
    for t, (moves, after) in enumerate(zip(policy.moves, policy.after, strict=True)):
        price = np.ascontiguousarray(prices[:, t])
        states = int(moves.source[-1]) + 1
        chosen = choose(
            price, discount[t] * moves.volume, discount[t] * moves.cash,
            moves.first_of(states), moves.target, after(factors[:, t]), state,
        )  # fmt: skip
        sold = moves.volume[chosen]
        payoffs += discount[t] * ((sold * price).sum(axis=1) + moves.cash[chosen])
        volume[:, t] = sold.mean(axis=0)
        delta[:, month[t]] += discount[t] * (sold * responses[:, t]).T
        state = moves.target[chosen]
    payoffs += ends[state]
    return Followed(payoffs=payoffs, volume=volume, delta=delta)
