"""Gas storage: its terms. Last axis: interval."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats, PricingError, check
from trading.pricing.structures._intervals import (
    InfeasibleContract,
    delivery_dates,
    number,
    series,
)

EPSILON = 1e-9


class RatchetKind(StrEnum):
    """How the rate goes on between the points of a curve."""

    LINEAR = "LINEAR"
    STEP = "STEP"


@dataclass(frozen=True, eq=False)
class RateCurve:
    """
    The most that can be injected (or withdrawn) in a day, by inventory at the start of the day.

    inventory   (point,), MWh, rising, at least two; the curve says nothing beyond
    rate        MWh/day, ≥ 0. LINEAR: one a point, straight between. STEP: one a band between two
                points; where two bands meet the higher holds.

    :raises PricingError: naming the argument and index.
    """

    inventory: npt.ArrayLike
    rate: npt.ArrayLike
    kind: RatchetKind = RatchetKind.LINEAR

    def __post_init__(self) -> None:
        points = np.array(self.inventory, dtype=np.float64)
        if points.ndim != 1 or len(points) < 2:
            raise PricingError(
                f"inventory: shape {points.shape} is not one row of 2 points or more."
            )
        check("inventory", points, np.diff(points, prepend=-np.inf) > 0, "must rise")
        count = len(points) - (self.kind is RatchetKind.STEP)
        rates = np.array(self.rate, dtype=np.float64)
        if rates.shape != (count,):
            raise PricingError(f"rate: shape {rates.shape} is not ({count},), one a point or band.")
        check("rate", rates, rates >= 0, "must not be negative")
        object.__setattr__(self, "inventory", points)
        object.__setattr__(self, "rate", rates)

    @classmethod
    def constant(cls, rate: float, capacity: float) -> RateCurve:
        """Return a curve without ratchets."""
        return cls(inventory=[0.0, capacity], rate=[rate, rate])

    @property
    def segments(self) -> Floats:
        """Return (segment, 4): least and most inventory, and a, b of the rate a + b · inventory."""
        x = np.asarray(self.inventory, dtype=np.float64)
        r = np.asarray(self.rate, dtype=np.float64)
        if self.kind is RatchetKind.STEP:
            slope, base = np.zeros_like(r), r
        else:
            slope = np.diff(r) / np.diff(x)
            base = r[:-1] - slope * x[:-1]
        return np.stack([x[:-1], x[1:], base, slope], axis=1)

    @property
    def is_concave(self) -> bool:
        """Say whether the rate is the least of its straight lines, as a linear programme needs."""
        if self.kind is RatchetKind.STEP:
            return len(np.unique(np.asarray(self.rate))) == 1
        slope = self.segments[:, 3]
        return bool((np.diff(slope) <= EPSILON * (1.0 + np.abs(slope[:-1]))).all())


@dataclass(frozen=True, eq=False)
class GasStorage:
    """
    A right to inject, keep and withdraw gas, by day.

    dates                 (interval,) delivery days, rising
    min_inventory,        MWh at the end of each day, ≥ 0, one or (interval,)
    max_inventory
    injection,            most in a day by inventory; MWh that enter or leave the store
    withdrawal
    injection_cost,       currency for each MWh that enters or leaves, one or (interval,)
    withdrawal_cost
    holding_cost          currency for each MWh in store at a day's end, one or (interval,)
    injection_fuel,       share of what enters (leaves) that is burnt: bought on top (not sold),
    withdrawal_fuel       ≥ 0 (0 to 1)
    injection_available,  share of the rate that the day has, 0 to 1: maintenance, seasons
    withdrawal_available
    start_inventory       MWh before the first day
    terminal_min,         MWh after the last day, within the last day's bounds; None: those
    terminal_max
    terminal_value        currency/MWh left after the last day, paid as that day's gas is

    :raises PricingError: naming the argument, its index and the rule.
    :raises InfeasibleContract: where the start cannot be brought within a later day's bounds.
    """

    dates: npt.ArrayLike
    max_inventory: npt.ArrayLike
    injection: RateCurve
    withdrawal: RateCurve
    min_inventory: npt.ArrayLike = 0.0
    injection_cost: npt.ArrayLike = 0.0
    withdrawal_cost: npt.ArrayLike = 0.0
    holding_cost: npt.ArrayLike = 0.0
    injection_fuel: float = 0.0
    withdrawal_fuel: float = 0.0
    injection_available: npt.ArrayLike = 1.0
    withdrawal_available: npt.ArrayLike = 1.0
    start_inventory: float = 0.0
    terminal_min: float | None = None
    terminal_max: float | None = None
    terminal_value: float = 0.0

    def __post_init__(self) -> None:
        days = delivery_dates("dates", self.dates)
        if (same := np.flatnonzero(np.diff(days) == np.timedelta64(0, "D"))).size:
            raise PricingError(f"dates[{same[0] + 1}]: {days[same[0] + 1]} must come once.")
        put: dict[str, Floats] = {}
        for name in ("min_inventory", "max_inventory"):
            put[name] = series(name, getattr(self, name), len(days), least=0)
        for name in ("injection_cost", "withdrawal_cost", "holding_cost"):
            put[name] = series(name, getattr(self, name), len(days))
        for name in ("injection_available", "withdrawal_available"):
            put[name] = series(name, getattr(self, name), len(days), least=0, most=1)
        object.__setattr__(self, "dates", days)
        for name, row in put.items():
            object.__setattr__(self, name, row)
        number("injection_fuel", self.injection_fuel, least=0)
        number("withdrawal_fuel", self.withdrawal_fuel, least=0, most=1)
        number("terminal_value", self.terminal_value)
        number("start_inventory", self.start_inventory, least=0)
        low, high = put["min_inventory"], put["max_inventory"]
        check("max_inventory", high, high >= low, "must not be below min_inventory")
        for name in ("terminal_min", "terminal_max"):
            if (value := getattr(self, name)) is not None:
                number(name, value, least=float(low[-1]), most=float(high[-1]))
        if self.terminal_band[0] > self.terminal_band[1]:
            raise PricingError(f"terminal_max: must not be below terminal_min {self.terminal_min}.")
        most = max(float(high.max()), self.start_inventory)
        least = min(float(low.min()), self.start_inventory)
        for name, curve in (("injection", self.injection), ("withdrawal", self.withdrawal)):
            points = np.asarray(curve.inventory)
            if points[0] > least or points[-1] < most:
                raise PricingError(
                    f"{name}.inventory: {points[0]:g} to {points[-1]:g} does not cover the "
                    f"inventories {least:g} to {most:g} of the contract."
                )
        self._check_reach()

    @property
    def terminal_band(self) -> tuple[float, float]:
        """Return the least and the most inventory after the last day."""
        low, high = self.bounds
        return float(low[-1]), float(high[-1])

    @property
    def bounds(self) -> tuple[Floats, Floats]:
        """Return the least and most inventory at each day's end, the terminal rule included."""
        low, high = np.array(self.min_inventory), np.array(self.max_inventory)
        low[-1] = low[-1] if self.terminal_min is None else self.terminal_min
        high[-1] = high[-1] if self.terminal_max is None else self.terminal_max
        return low, high

    def _check_reach(self) -> None:
        """Go as far up and down as the rates allow, and refuse bounds that lie beyond."""
        floor, roof = self.bounds
        low = high = self.start_inventory
        days = np.asarray(self.dates)
        into, out = np.asarray(self.injection_available), np.asarray(self.withdrawal_available)
        for t in range(len(days)):
            up = reach(self.injection.segments, low, high, float(into[t]), 1.0)
            down = reach(self.withdrawal.segments, low, high, float(out[t]), -1.0)
            tolerance = EPSILON * (1.0 + abs(up))
            if up < floor[t] - tolerance:
                raise InfeasibleContract(
                    f"{'terminal_min' if t + 1 == len(days) else f'min_inventory[{t}]'}: "
                    f"{floor[t]:g} MWh cannot be in store on {days[t]}: at most {up:g} can."
                )
            if down > roof[t] + tolerance:
                raise InfeasibleContract(
                    f"{'terminal_max' if t + 1 == len(days) else f'max_inventory[{t}]'}: the store "
                    f"cannot be down to {roof[t]:g} MWh on {days[t]}: at least {down:g} are left."
                )
            high, low = min(up, float(roof[t])), max(down, float(floor[t]))


def reach(segments: Floats, low: float, high: float, available: float, sign: float) -> float:
    """Return the highest (sign +1) or lowest (−1) end of a day that began between low and high."""
    inside = (segments[:, 0] <= high) & (segments[:, 1] >= low)
    ends = np.clip(segments[inside, :2], low, high)
    after = ends + sign * available * (segments[inside, 2:3] + segments[inside, 3:] * ends)
    return float(after.max() if sign > 0 else after.min())


@dataclass(frozen=True, slots=True, eq=False)
class StorageFlows:
    """
    What a MWh that enters or leaves is worth today, by day: the border between terms and money.

    bought, sold     MWh of gas paid for each MWh that enters or leaves, discounted
    cost_in, cost_out    currency today of operating, for each
    held         currency today for each MWh in store at a day's end
    left             currency today for each MWh after the last day
    """

    bought: Floats
    sold: Floats
    cost_in: Floats
    cost_out: Floats
    held: Floats
    left: float


def storage_flows(
    storage: GasStorage, discount: npt.ArrayLike, cost_discount: npt.ArrayLike | None
) -> StorageFlows:
    """
    Return the discounted unit flows.

    :raises PricingError: naming the argument and index.
    """
    count = len(np.asarray(storage.dates))
    paid = series("discount", discount, count, least=0)
    operated = (
        paid if cost_discount is None else series("cost_discount", cost_discount, count, least=0)
    )
    return StorageFlows(
        bought=paid * (1.0 + storage.injection_fuel),
        sold=paid * (1.0 - storage.withdrawal_fuel),
        cost_in=operated * np.asarray(storage.injection_cost),
        cost_out=operated * np.asarray(storage.withdrawal_cost),
        held=operated * np.asarray(storage.holding_cost),
        left=float(paid[-1] * storage.terminal_value),
    )


def rate_at(segments: Floats, inventory: Floats) -> Floats:
    """Return the rate at inventories, (level,): the highest of the segments that hold each."""
    x = inventory[:, None]
    holds = (segments[:, 0] <= x + EPSILON) & (x - EPSILON <= segments[:, 1])
    rates: Floats = np.where(holds, segments[:, 2] + segments[:, 3] * x, 0.0).max(axis=1)
    return rates
