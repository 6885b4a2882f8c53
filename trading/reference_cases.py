"""
Adapters of model validation: battery dispatch and forward curves, by their public doors.

`market_data` registers them by name.
"""

from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from energyopti.foundation.calendars import Calendar, DatePeriod, period_starts
from energyopti.foundation.validation.registry import Question, Unsupported

from .curves import CurveQuote, build_curve
from .optimization import BatteryFleet, TerminalRule, dispatch_batteries

# Days weigh by their length; in UTC every day has 24 hours, which is the cases' convention.
_PLAIN_DAYS = Calendar("UTC")
_KW_PER_MW = 1000.0
_MINUTES = {"H": 60, "30min": 30, "15min": 15}


def battery_dispatch(question: Question) -> dict[str, float]:
    """Answer what one hourly battery earns, and the bound with charging and discharging at once."""
    question.require("prices", "power_mw", "energy_mwh", "eff_charge", "eff_discharge")
    inputs = question.inputs
    power_kw, energy_mwh = inputs["power_mw"] * _KW_PER_MW, inputs["energy_mwh"]

    def one(value: float) -> npt.NDArray[np.float64]:
        return np.array([float(value)])

    fleet = BatteryFleet(
        energy_kwh=one(energy_mwh * _KW_PER_MW),
        min_soc=one(0),
        max_soc=one(1),
        initial_soc=one(inputs["soc_start"] / energy_mwh),
        charge_limit_kw=one(power_kw),
        discharge_limit_kw=one(power_kw),
        charge_efficiency=one(inputs["eff_charge"]),
        discharge_efficiency=one(inputs["eff_discharge"]),
        cycle_cost_per_kwh=one(inputs["throughput_cost_per_mwh_discharged"] / _KW_PER_MW),
        grid_limit_kw=one(power_kw),
        terminal_soc=one(inputs["soc_end"] / energy_mwh),
        terminal_rule=TerminalRule.EXACT,
    )
    plan = dispatch_batteries(np.array(inputs["prices"], dtype=float), fleet, 1.0)
    return {
        "profit_lp": float(plan.upper_bound[0]),
        "profit_no_simultaneous": float(plan.value[0]),
    }


def curve_bootstrap(question: Question) -> dict[str, Any]:
    """Answer the monthly prices of a curve built from contracts of whole months."""
    question.require("contracts")
    curve = build_curve(_quotes(question), calendar=_PLAIN_DAYS)
    return {"curve": curve.prices.tolist()}


def curve_roundtrip(question: Question) -> dict[str, float]:
    """Answer how far the average of a curve over each contract is from its quote, at worst."""
    question.require("contracts", "freqs")
    quotes = _quotes(question)
    curve = build_curve(quotes, calendar=_PLAIN_DAYS)
    errors = [abs(curve.average(quote.interval) - quote.price) for quote in quotes]
    for frequency in question.inputs["freqs"]:
        minutes = _MINUTES.get(frequency)
        if minutes is None:
            continue  # a day's price is the average that was compared above
        for quote in quotes:
            days = DatePeriod(
                _PLAIN_DAYS.date_of(quote.interval.start), _PLAIN_DAYS.date_of(quote.interval.end)
            )
            grid = curve.prices_at(period_starts(_PLAIN_DAYS, days, minutes=minutes))
            errors.append(abs(float(grid.mean()) - quote.price))
    return {"max_abs_average_error": max(errors)}


def _quotes(question: Question) -> list[CurveQuote]:
    return [
        CurveQuote(" ".join(map(str, contract[:-1])), _delivery(contract), float(contract[-1]))
        for contract in question.inputs["contracts"]
    ]


def _delivery(contract: list[Any]) -> Any:
    if len(contract) == 3:
        first, last = (DatePeriod.parse(text) for text in contract[:2])
        return _PLAIN_DAYS.span(DatePeriod(first.first, last.after))
    name = str(contract[0])
    if name.startswith("GasYear-"):
        year = int(name.removeprefix("GasYear-"))
        return _PLAIN_DAYS.span(DatePeriod(date(year, 10, 1), date(year + 1, 10, 1)))
    kind, _, year_text = name.partition("-")
    if not year_text:
        raise Unsupported(f"contract {name} names no delivery period")
    return _PLAIN_DAYS.span(DatePeriod.parse(f"{kind}{year_text}" if len(kind) > 2 else name))
