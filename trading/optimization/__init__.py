"""
Battery dispatch: the best schedule for prices, and an independent check of any schedule.

Pure. `dispatch_batteries` plans, `replay` checks; they share the description of the fleet and
nothing else, so that a mistake of the one is seen by the other. Axis order: battery, period.
"""

from trading.optimization._dispatch import SOLVER, dispatch_batteries
from trading.optimization._fleet import BatteryFleet, FleetError, TerminalRule
from trading.optimization._plan import DispatchPlan, PlanStatus, Relaxation, RelaxedRule
from trading.optimization._replay import ReplayReport, Rule, Violation, replay

__all__ = [
    "SOLVER",
    "BatteryFleet",
    "DispatchPlan",
    "FleetError",
    "PlanStatus",
    "Relaxation",
    "RelaxedRule",
    "ReplayReport",
    "Rule",
    "TerminalRule",
    "Violation",
    "dispatch_batteries",
    "replay",
]
