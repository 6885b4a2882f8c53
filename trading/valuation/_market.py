"""What positions are valued on: contracts, their marks, and what was fixed in the meantime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Seconds = npt.NDArray[np.int64]

_HOUR = 3600.0
# Hours are multiples of a second; what is smaller came from float64.
_NOTHING = 1e-6


class Basis(StrEnum):
    """What exposure and fixed amount of a contract are per."""

    HOUR = "HOUR"
    DAY = "DAY"
    AMOUNT = "AMOUNT"
    PROFILE = "PROFILE"


@dataclass(frozen=True, slots=True, eq=False)
class Contract:
    """
    What positions share: a market's delivery in a shape and (part of a) month.

    start, end  UTC, seconds since 1970
    windows     shape (windows, 2), seconds, ascending: the hours of the shape; of DAY one window
                a delivery day; None where nobody knows the shape any more
    minutes     of a profile's intervals, else 0
    """

    market: str
    basis: Basis
    start: int
    end: int
    windows: Seconds | None
    minutes: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class FixingSeries:
    """
    Published prices of one market: what delivered intervals settle at.

    starts, ends    seconds, ascending, without overlaps; what is not published is left out
    prices          currency/unit, any sign
    """

    starts: Seconds
    ends: Seconds
    prices: Floats

    def until(self, instant: int) -> FixingSeries:
        """Return what speaks of delivery that is over at an instant."""
        count = int(np.searchsorted(self.ends, instant, side="right"))
        return FixingSeries(self.starts[:count], self.ends[:count], self.prices[:count])


NO_FIXINGS = FixingSeries(
    np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float64)
)


@dataclass(frozen=True, slots=True, eq=False)
class MarketState:
    """
    A time and what was known of prices.

    at          the instant that parts what is delivered from what is still to come, seconds
    fixings     by market: what had been published; only what was delivered at `fixed_until` counts
    marks       shape (contracts,), currency/unit; NaN where no curve speaks
    fine        by position of a profile's contract: curve prices by its intervals; where there
                are none its mark counts
    """

    at: int
    fixed_until: int
    fixings: Mapping[str, FixingSeries]
    marks: Floats
    fine: Mapping[int, Floats] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """
    How much of each contract is delivered, fixed and still to come; each of shape (contracts,).

    delivered   hours, days, or 1
    fixed       of these, with a published price
    fixing      Σ of that price over them
    open        still to come
    """

    delivered: Floats
    fixed: Floats
    fixing: Floats
    open: Floats

    @property
    def unfixed(self) -> Floats:
        """Return what is delivered without a published price; it stays at the mark."""
        return self.delivered - self.fixed


def seconds(instant: datetime) -> int:
    """Return an aware instant as whole seconds since 1970."""
    return int(instant.timestamp())


def counts(contracts: Sequence[Contract], state: MarketState) -> Counts:
    """Count what is delivered, fixed and open; profiles have their own (`_profiles`)."""
    rows = np.zeros((4, len(contracts)))
    fixings = {code: series.until(state.fixed_until) for code, series in state.fixings.items()}
    for position, contract in enumerate(contracts):
        if contract.basis is not Basis.PROFILE and contract.windows is not None:
            rows[:, position] = _count(contract, state, fixings.get(contract.market, NO_FIXINGS))
    return Counts(*rows)


def needs_mark(contracts: Sequence[Contract], state: MarketState) -> npt.NDArray[np.bool_]:
    """Say which contracts have something at the curve: to come, or delivered and not fixed."""
    found = counts(contracts, state)
    needed = (found.open > 0) | (found.unfixed > 0)
    for position, contract in enumerate(contracts):
        if contract.basis is Basis.PROFILE and state.at <= contract.start:
            needed[position] = True
        elif contract.basis is Basis.PROFILE:
            known = state.fixings.get(contract.market, NO_FIXINGS).until(state.fixed_until)
            prices = interval_fixings(contract, known)
            _, to_come = interval_weights(contract, state.at)
            needed[position] = bool((np.isnan(prices) | (to_come > 0)).any())
    return needed


def _count(
    contract: Contract, state: MarketState, fixings: FixingSeries
) -> tuple[float, float, float, float]:
    assert contract.windows is not None
    windows = contract.windows
    if contract.basis is Basis.HOUR:
        total = float((windows[:, 1] - windows[:, 0]).sum()) / _HOUR
        done = float(np.clip(state.at - windows[:, 0], 0, windows[:, 1] - windows[:, 0]).sum())
        hours, value = _fixed_hours(windows, fixings, state.at)
        delivered = done / _HOUR
        fixed = delivered if abs(delivered - hours) < _NOTHING else hours
        return delivered, fixed, value, total - delivered
    if contract.basis is Basis.DAY:
        # A delivery day counts as delivered when it has begun, as positions do.
        delivered, fixed, fixing = 0, 0, 0.0
        for start, end in windows[windows[:, 0] < state.at].tolist():
            delivered += 1
            mean = _mean(np.array([[start, end]], dtype=np.int64), fixings)
            if mean is not None:
                fixed, fixing = fixed + 1, fixing + mean
        return float(delivered), float(fixed), fixing, float(len(windows) - delivered)
    if state.at < contract.end:
        return 0.0, 0.0, 0.0, 1.0
    mean = _mean(windows, fixings)
    return (1.0, 0.0, 0.0, 0.0) if mean is None else (1.0, 1.0, mean, 0.0)


def _fixed_hours(windows: Seconds, fixings: FixingSeries, limit: int) -> tuple[float, float]:
    """Return the hours of windows up to a limit that have a fixing, and Σ price × hours."""
    first = int(np.searchsorted(fixings.ends, windows[0, 0], side="right"))
    last = int(np.searchsorted(fixings.starts, min(windows[-1, 1], limit), side="left"))
    if first >= last:
        return 0.0, 0.0
    starts, ends = fixings.starts[first:last], np.minimum(fixings.ends[first:last], limit)
    edges = windows.reshape(-1).astype(np.float64)
    lengths = (windows[:, 1] - windows[:, 0]).astype(np.float64)
    before = np.concatenate(([0.0], np.cumsum(lengths)))
    reached = np.empty(edges.size)
    reached[0::2], reached[1::2] = before[:-1], before[1:]
    overlap = (np.interp(ends, edges, reached) - np.interp(starts, edges, reached)) / _HOUR
    return float(overlap.sum()), float((overlap * fixings.prices[first:last]).sum())


def _mean(windows: Seconds, fixings: FixingSeries) -> float | None:
    """Return the mean fixing over windows, None unless all of their hours have one."""
    total = float((windows[:, 1] - windows[:, 0]).sum()) / _HOUR
    hours, value = _fixed_hours(windows, fixings, int(windows[-1, 1]))
    return value / hours if hours and abs(hours - total) < _NOTHING else None


def interval_weights(contract: Contract, at: int) -> tuple[Floats, Floats]:
    """Return the delivered and the open share of each of a profile's intervals."""
    step = 60 * contract.minutes
    starts = np.arange(contract.start, contract.end, step, dtype=np.int64)
    to_come = np.clip((starts + step - at) / step, 0.0, 1.0)
    return 1.0 - to_come, to_come


def interval_fixings(contract: Contract, fixings: FixingSeries) -> Floats:
    """Return the published price of each of a profile's intervals, NaN where there is none."""
    step = 60 * contract.minutes
    starts = np.arange(contract.start, contract.end, step, dtype=np.int64)
    prices = np.full(starts.size, np.nan)
    if not fixings.starts.size:
        return prices
    at = np.searchsorted(fixings.starts, starts, side="right") - 1
    held = np.maximum(at, 0)
    whole = (at >= 0) & (fixings.ends[held] >= starts + step)
    prices[whole] = fixings.prices[held[whole]]
    # Where the market's periods are finer than the profile's, each interval has their mean.
    part = (at >= 0) & ~whole & (fixings.ends[held] > starts)
    for position in np.flatnonzero(part).tolist():
        window = np.array([[starts[position], starts[position] + step]], dtype=np.int64)
        mean = _mean(window, fixings)
        prices[position] = np.nan if mean is None else mean
    return prices
