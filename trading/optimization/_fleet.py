"""Batteries as arrays: what each can hold, how fast, at what loss, and where it should end."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

import numpy as np
import numpy.typing as npt


class FleetError(ValueError):
    """Raised when a battery is described by impossible numbers; names field and battery."""


class TerminalRule(StrEnum):
    """What must hold at the end of the horizon."""

    FREE = "FREE"
    AT_LEAST = "AT_LEAST"
    EXACT = "EXACT"


@dataclass(frozen=True, eq=False)
class BatteryFleet:
    """
    Hold a fleet; every array is float64 of shape (batteries,), finite.

    energy_kwh                     usable capacity, > 0; stored energy is counted on the cell side
    min_soc, max_soc               band as shares of capacity, 0 ≤ min ≤ max ≤ 1
    initial_soc                    share of capacity, 0 to 1; may lie outside the band
    charge_limit_kw, discharge_limit_kw    at the grid, ≥ 0
    charge_efficiency, discharge_efficiency    shares, 0 < e ≤ 1: stored = charged · e,
                                   delivered = taken out · e
    cycle_cost_per_kwh             currency per kWh delivered to the grid, ≥ 0
    grid_limit_kw                  of the connection, ≥ 0, both ways
    terminal_soc                   share of capacity meant by `terminal_rule`
    terminal_rule                  one for the fleet

    :raises FleetError: naming the field, the battery and the rule.
    """

    energy_kwh: npt.NDArray[np.float64]
    min_soc: npt.NDArray[np.float64]
    max_soc: npt.NDArray[np.float64]
    initial_soc: npt.NDArray[np.float64]
    charge_limit_kw: npt.NDArray[np.float64]
    discharge_limit_kw: npt.NDArray[np.float64]
    charge_efficiency: npt.NDArray[np.float64]
    discharge_efficiency: npt.NDArray[np.float64]
    cycle_cost_per_kwh: npt.NDArray[np.float64]
    grid_limit_kw: npt.NDArray[np.float64]
    terminal_soc: npt.NDArray[np.float64]
    terminal_rule: TerminalRule = TerminalRule.AT_LEAST

    def __post_init__(self) -> None:
        shape = np.shape(self.energy_kwh)
        if len(shape) != 1:
            raise FleetError(f"energy_kwh: shape {shape} must have one axis, the batteries.")
        for item in fields(self):
            if item.name == "terminal_rule":
                continue
            value = np.ascontiguousarray(getattr(self, item.name), dtype=np.float64)
            if value.shape != shape:
                raise FleetError(f"{item.name}: shape {value.shape} must be {shape}.")
            value.setflags(write=False)
            object.__setattr__(self, item.name, value)
            self._refuse(item.name, ~np.isfinite(value), "must be finite")
        self._refuse("energy_kwh", self.energy_kwh <= 0, "must be above zero")
        self._refuse("min_soc", self.min_soc < 0, "must be zero or more")
        self._refuse("max_soc", self.max_soc > 1, "must be at most one")
        self._refuse("max_soc", self.max_soc < self.min_soc, "must not be below min_soc")
        for name in ("initial_soc", "terminal_soc"):
            value = getattr(self, name)
            self._refuse(name, (value < 0) | (value > 1), "must be from zero to one")
        for name in ("charge_efficiency", "discharge_efficiency"):
            value = getattr(self, name)
            self._refuse(name, (value <= 0) | (value > 1), "must be above zero and at most one")
        for name in (
            "charge_limit_kw",
            "discharge_limit_kw",
            "cycle_cost_per_kwh",
            "grid_limit_kw",
        ):
            self._refuse(name, getattr(self, name) < 0, "must be zero or more")

    def _refuse(self, name: str, wrong: npt.NDArray[np.bool_], rule: str) -> None:
        if wrong.any():
            index = int(wrong.argmax())
            value = getattr(self, name)[index]
            raise FleetError(f"{name}: {value:g} of battery {index} {rule}.")

    def __len__(self) -> int:
        return int(self.energy_kwh.size)
