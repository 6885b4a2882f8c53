"""A plan in a few numbers: what it takes, stores or makes in all, and how hard it works."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trading.deals import BatteryTerms, StorageTerms, Structure, SwingTerms, TollingTerms
from trading.valuation._market import Floats
from trading.valuation._structure_plans import battery_levels


@dataclass(frozen=True, slots=True)
class PlanFact:
    """One number of a plan, of the holder."""

    label: str
    amount: float
    unit: str = ""


def plan_facts(leg: Structure, quantity: Floats) -> tuple[PlanFact, ...]:
    """
    Return what a plan comes to over its whole delivery, with what was chosen already.

    quantity    (interval,), as `StructureValue.quantity`: units a day, or MW by the hour
    """
    if not quantity.size:
        return ()
    terms, unit = leg.terms, leg.schedule.amount_unit
    out, into = (float(np.maximum(way * quantity, 0.0).sum()) for way in (1, -1))
    if isinstance(terms, SwingTerms):
        return (
            PlanFact("Taken", out, unit),
            PlanFact("Days on which something is taken", float((quantity > 0).sum())),
            PlanFact("Most on a day", float(quantity.max()), unit),
        )
    if isinstance(terms, StorageTerms):
        level = float(terms.start_inventory) - np.concatenate([[0.0], np.cumsum(quantity)])
        return (
            PlanFact("Injected", into, unit),
            PlanFact("Withdrawn", out, unit),
            PlanFact("Cycles of the working volume", out / float(terms.working_volume)),
            PlanFact("Least in store", float(level.min()), unit),
            PlanFact("Most in store", float(level.max()), unit),
        )
    if isinstance(terms, TollingTerms):
        on = quantity > 0
        starts = int((on[1:] & ~on[:-1]).sum())
        return (
            PlanFact("Output", out, "MWh"),
            PlanFact("Hours on", float(on.sum()), "h"),
            PlanFact("Starts", float(starts)),
            PlanFact(
                "Fuel", out * float(terms.heat_rate) + starts * float(terms.start_fuel), "MWh"
            ),
        )
    if isinstance(terms, BatteryTerms):
        level = battery_levels(terms, quantity)
        taken = float(np.maximum(-np.diff(level), 0.0).sum())
        return (
            PlanFact("Charged", into, "MWh"),
            PlanFact("Discharged", out, "MWh"),
            PlanFact("Cycles", taken / float(terms.energy_mwh)),
            PlanFact("Least stored", float(level.min()), "MWh"),
            PlanFact("Most stored", float(level.max()), "MWh"),
        )
    return (PlanFact("Volume that is paid", out, unit),)
