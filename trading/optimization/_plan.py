"""What a dispatch gives: power by battery and period, and how it came about."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt


class PlanStatus(StrEnum):
    """How good a battery's plan is known to be."""

    OPTIMAL = "OPTIMAL"
    # The search for exclusive charging stopped at its time limit: feasible, within its gap.
    FEASIBLE = "FEASIBLE"


class RelaxedRule(StrEnum):
    """A wish that a battery could not fulfil, and that the plan comes as near to as it can."""

    BAND_FROM_BELOW = "BAND_FROM_BELOW"
    BAND_FROM_ABOVE = "BAND_FROM_ABOVE"
    TERMINAL = "TERMINAL"


@dataclass(frozen=True, slots=True)
class Relaxation:
    """
    One rule relaxed for one battery.

    asked_kwh, granted_kwh    bound of the stored energy asked for, and the one planned with (for
                              a band: the initial energy, from which full power leads back)
    """

    battery: int
    rule: RelaxedRule
    asked_kwh: float
    granted_kwh: float

    def __str__(self) -> str:
        return (
            f"battery {self.battery}: {self.rule} asked {self.asked_kwh:g} kWh, planned with"
            f" {self.granted_kwh:g} kWh"
        )


@dataclass(frozen=True, eq=False)
class DispatchPlan:
    """
    Hold schedules of a fleet; power is at the grid, in kW, constant within a period.

    charge_kw, discharge_kw    float64, shape (batteries, periods), ≥ 0, never both above zero
    stored_kwh                 shape (batteries, periods + 1), from the initial to the final energy
    value                      shape (batteries,), currency: sold − bought − cycle cost
    upper_bound                shape (batteries,): the value if charging and discharging at once
                               were allowed; no schedule can be worth more
    gap                        shape (batteries,): how much better a schedule could be at most
    status                     one a battery
    relaxations                what was relaxed so that there is a plan at all; usually empty
    """

    charge_kw: npt.NDArray[np.float64]
    discharge_kw: npt.NDArray[np.float64]
    stored_kwh: npt.NDArray[np.float64]
    value: npt.NDArray[np.float64]
    upper_bound: npt.NDArray[np.float64]
    gap: npt.NDArray[np.float64]
    status: tuple[PlanStatus, ...]
    relaxations: tuple[Relaxation, ...]
    solver: str

    @property
    def net_kw(self) -> npt.NDArray[np.float64]:
        """Return power fed into the grid, negative when charging, shape (batteries, periods)."""
        net: npt.NDArray[np.float64] = self.discharge_kw - self.charge_kw
        return net
