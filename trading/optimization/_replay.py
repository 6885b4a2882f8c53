"""Replay a schedule on a model of the battery that knows nothing of how it was found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from trading.optimization._fleet import BatteryFleet, TerminalRule
from trading.optimization._plan import DispatchPlan, RelaxedRule


class Rule(StrEnum):
    """What a schedule must keep."""

    SHAPE = "SHAPE"
    FINITE = "FINITE"
    POWER = "POWER"
    EXCLUSIVE = "EXCLUSIVE"
    BAND = "BAND"
    TERMINAL = "TERMINAL"
    STORED = "STORED"
    VALUE = "VALUE"


@dataclass(frozen=True, slots=True)
class Violation:
    """
    A rule broken by one battery; `period` is −1 where it concerns the whole schedule.

    amount    how far beyond the limit, in the unit of the rule (kW, kWh or currency)
    """

    battery: int
    period: int
    rule: Rule
    amount: float

    def __str__(self) -> str:
        where = f", period {self.period}" if self.period >= 0 else ""
        return f"battery {self.battery}{where}: {self.rule} broken by {self.amount:g}"


@dataclass(frozen=True, eq=False)
class ReplayReport:
    """
    Hold the outcome of a replay.

    accepted      shape (batteries,): whether every rule is kept
    violations    the worst of each rule and battery
    stored_kwh    shape (batteries, periods + 1), as the replay found it
    value         shape (batteries,), currency, as the replay found it
    """

    accepted: npt.NDArray[np.bool_]
    violations: tuple[Violation, ...]
    stored_kwh: npt.NDArray[np.float64]
    value: npt.NDArray[np.float64]

    @property
    def all_accepted(self) -> bool:
        """Say whether every schedule may leave."""
        return bool(self.accepted.all())


def replay(
    plan: DispatchPlan,
    prices: npt.NDArray[np.float64],
    fleet: BatteryFleet,
    period_hours: float,
    *,
    energy_tolerance_kwh: float = 1e-6,
    value_tolerance: float = 1e-6,
) -> ReplayReport:
    """
    Run each schedule through its battery, step by step, and say what it breaks.

    Power must be within the battery's and the connection's limits and in one direction, the
    energy that results within the band, the end as asked, and the plan's own figures must be what
    the replay finds. A battery that starts outside its band may be outside only on a full-power
    way back, and an end other than asked must be the nearest in reach; both only if the plan
    names the relaxation.

    prices    currency/MWh, shape (periods,) or (batteries, periods)
    """
    charge, discharge = plan.charge_kw, plan.discharge_kw
    batteries, periods = len(fleet), np.shape(charge)[-1]
    expected = (batteries, periods)
    if (
        np.shape(charge) != expected
        or np.shape(discharge) != expected
        or np.shape(plan.stored_kwh) != (batteries, periods + 1)
        or np.shape(plan.value) != (batteries,)
    ):
        violations = tuple(Violation(i, -1, Rule.SHAPE, 0.0) for i in range(batteries))
        return ReplayReport(
            np.zeros(batteries, dtype=bool),
            violations,
            np.full((batteries, periods + 1), np.nan),
            np.full(batteries, np.nan),
        )
    book = _Book(batteries)
    for array in (charge, discharge, plan.stored_kwh, plan.value[:, None]):
        book.note(Rule.FINITE, np.where(np.isfinite(array), 0.0, np.inf), 0.0)
    charge, discharge = np.nan_to_num(charge), np.nan_to_num(discharge)
    power_tolerance = energy_tolerance_kwh / period_hours

    ceiling_in = np.minimum(fleet.charge_limit_kw, fleet.grid_limit_kw)[:, None]
    ceiling_out = np.minimum(fleet.discharge_limit_kw, fleet.grid_limit_kw)[:, None]
    book.note(Rule.POWER, np.maximum(charge - ceiling_in, -charge), power_tolerance)
    book.note(Rule.POWER, np.maximum(discharge - ceiling_out, -discharge), power_tolerance)
    book.note(Rule.EXCLUSIVE, np.minimum(charge, discharge), power_tolerance)

    stored = np.empty((batteries, periods + 1))
    stored[:, 0] = fleet.initial_soc * fleet.energy_kwh
    excursion = np.zeros((batteries, periods))
    below = _named(plan, RelaxedRule.BAND_FROM_BELOW, batteries)
    above = _named(plan, RelaxedRule.BAND_FROM_ABOVE, batteries)
    low, high = fleet.min_soc * fleet.energy_kwh, fleet.max_soc * fleet.energy_kwh
    most_in = ceiling_in[:, 0] * period_hours * fleet.charge_efficiency
    most_out = ceiling_out[:, 0] * period_hours / fleet.discharge_efficiency
    returning_up = below & (stored[:, 0] < low)
    returning_down = above & (stored[:, 0] > high)
    for period in range(periods):
        before = stored[:, period]
        after = (
            before
            + charge[:, period] * period_hours * fleet.charge_efficiency
            - discharge[:, period] * period_hours / fleet.discharge_efficiency
        )
        # On the way back the best possible step is the bound; once inside, the band is.
        floor = np.where(returning_up, np.minimum(low, before + most_in), low)
        roof = np.where(returning_down, np.maximum(high, before - most_out), high)
        excursion[:, period] = np.maximum(floor - after, after - roof)
        returning_up &= after < low - energy_tolerance_kwh
        returning_down &= after > high + energy_tolerance_kwh
        stored[:, period + 1] = after
    book.note(Rule.BAND, excursion, energy_tolerance_kwh)
    missed = _terminal_miss(plan, fleet, stored, most_in * periods, most_out * periods)
    book.note(Rule.TERMINAL, missed[:, None], energy_tolerance_kwh, whole=True)
    claimed = np.nan_to_num(plan.stored_kwh)
    book.note(Rule.STORED, np.abs(claimed - stored), energy_tolerance_kwh, whole=True)

    sold_mwh = (discharge - charge) * period_hours / 1000.0
    wear = (discharge * period_hours).sum(axis=1) * fleet.cycle_cost_per_kwh
    value = (np.broadcast_to(prices, expected) * sold_mwh).sum(axis=1) - wear
    scale = np.maximum(1.0, np.abs(value))
    difference = np.abs(np.nan_to_num(plan.value) - value) / scale
    book.note(Rule.VALUE, difference[:, None], value_tolerance, whole=True)
    return ReplayReport(book.accepted, tuple(book.violations), stored, value)


class _Book:
    """Collects the worst violation of each rule and battery."""

    def __init__(self, batteries: int) -> None:
        self.accepted = np.ones(batteries, dtype=bool)
        self.violations: list[Violation] = []

    def note(
        self,
        rule: Rule,
        excess: npt.NDArray[np.float64],
        tolerance: float,
        *,
        whole: bool = False,
    ) -> None:
        """Note where `excess`, shape (batteries, periods), is above the tolerance."""
        worst = excess.argmax(axis=1)
        amounts = excess.max(axis=1)
        for battery in np.flatnonzero(amounts > tolerance).tolist():
            self.accepted[battery] = False
            period = -1 if whole else int(worst[battery])
            self.violations.append(Violation(battery, period, rule, float(amounts[battery])))


def _named(plan: DispatchPlan, rule: RelaxedRule, batteries: int) -> npt.NDArray[np.bool_]:
    named = np.zeros(batteries, dtype=bool)
    named[[item.battery for item in plan.relaxations if item.rule is rule]] = True
    return named


def _terminal_miss(
    plan: DispatchPlan,
    fleet: BatteryFleet,
    stored: npt.NDArray[np.float64],
    reach_up: npt.NDArray[np.float64],
    reach_down: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return how far each end is from what was asked, or from the nearest end in reach."""
    asked = fleet.terminal_soc * fleet.energy_kwh
    low, high = fleet.min_soc * fleet.energy_kwh, fleet.max_soc * fleet.energy_kwh
    first, final = stored[:, 0], stored[:, -1]
    # An end outside the band is no end to aim for, and one beyond full power is none to reach.
    nearest = np.clip(np.clip(asked, low, high), first - reach_down, first + reach_up)
    target = np.where(_named(plan, RelaxedRule.TERMINAL, len(asked)), nearest, asked)
    if fleet.terminal_rule is TerminalRule.EXACT:
        miss: npt.NDArray[np.float64] = np.abs(final - target)
    elif fleet.terminal_rule is TerminalRule.AT_LEAST:
        miss = target - final
    else:
        miss = np.zeros_like(final)
    return miss
