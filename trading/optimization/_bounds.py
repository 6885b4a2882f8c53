"""Bounds on stored energy that can be met: what was asked, widened as little as needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trading.optimization._fleet import BatteryFleet, TerminalRule
from trading.optimization._plan import Relaxation, RelaxedRule

_SLACK = 1e-12


@dataclass(frozen=True, eq=False)
class StoredBounds:
    """
    Hold what each battery can do, all as energy in its cells, kWh.

    initial         shape (batteries,)
    intake, output  most that a period can add and take, shape (batteries,)
    lower, upper    bounds at the end of each period, shape (batteries, periods); never empty,
                    and a path that moves straight to the terminal bound stays within them
    """

    initial: npt.NDArray[np.float64]
    intake: npt.NDArray[np.float64]
    output: npt.NDArray[np.float64]
    lower: npt.NDArray[np.float64]
    upper: npt.NDArray[np.float64]
    relaxations: tuple[Relaxation, ...]


def stored_bounds(fleet: BatteryFleet, *, periods: int, period_hours: float) -> StoredBounds:
    """
    Return bounds that always leave a schedule.

    A battery found outside its band is led back at full power, and is bound by the band once it is
    there. A terminal energy that cannot be reached becomes the nearest one that can.
    """
    charge = np.minimum(fleet.charge_limit_kw, fleet.grid_limit_kw)
    discharge = np.minimum(fleet.discharge_limit_kw, fleet.grid_limit_kw)
    intake = charge * fleet.charge_efficiency * period_hours
    output = discharge / fleet.discharge_efficiency * period_hours
    initial = fleet.initial_soc * fleet.energy_kwh
    floor, ceiling = fleet.min_soc * fleet.energy_kwh, fleet.max_soc * fleet.energy_kwh
    step = np.arange(1, periods + 1)
    highest = initial[:, None] + step * intake[:, None]
    lowest = initial[:, None] - step * output[:, None]
    lower = np.minimum(floor[:, None], highest)
    upper = np.maximum(ceiling[:, None], lowest)
    relaxations = [
        *_named(RelaxedRule.BAND_FROM_BELOW, initial < floor - _SLACK, floor, initial),
        *_named(RelaxedRule.BAND_FROM_ABOVE, initial > ceiling + _SLACK, ceiling, initial),
    ]
    if fleet.terminal_rule is not TerminalRule.FREE:
        asked = fleet.terminal_soc * fleet.energy_kwh
        granted = np.clip(asked, lower[:, -1], upper[:, -1])
        granted = np.clip(granted, lowest[:, -1], highest[:, -1])
        lower[:, -1] = granted
        unmet = granted < asked - _SLACK
        if fleet.terminal_rule is TerminalRule.EXACT:
            upper[:, -1] = granted
            unmet |= granted > asked + _SLACK
        relaxations += _named(RelaxedRule.TERMINAL, unmet, asked, granted)
    return StoredBounds(initial, intake, output, lower, upper, tuple(relaxations))


def _named(
    rule: RelaxedRule,
    where: npt.NDArray[np.bool_],
    asked: npt.NDArray[np.float64],
    granted: npt.NDArray[np.float64],
) -> list[Relaxation]:
    return [
        Relaxation(index, rule, float(asked[index]), float(granted[index]))
        for index in np.flatnonzero(where).tolist()
    ]
