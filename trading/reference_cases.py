"""
Adapters of model validation: battery dispatch and forward curves, by their public doors.

`market_data` registers them by name.
"""

import re
from datetime import UTC, date
from typing import Any

import numpy as np
import numpy.typing as npt

from energyopti.foundation.calendars import Calendar, CalendarError, DatePeriod
from energyopti.foundation.validation.registry import Question, Unsupported

from .curves import (
    CurveQuote,
    DeliveryGrid,
    LoadCurve,
    Smoothing,
    Weighting,
    bootstrap,
    contract_period,
    day_of_week_factors,
    delivery_grid,
    shape_curve,
)
from .optimization import BatteryFleet, TerminalRule, dispatch_batteries

_KW_PER_MW = 1000.0
_MONTH = object()
_FREQUENCIES = {
    **dict.fromkeys(("M", "MS", "ME", "month"), _MONTH),
    **dict.fromkeys(("D", "day", "daily"), None),
    **dict.fromkeys(("H", "h", "1h", "60min", "hourly"), 60),
    **dict.fromkeys(("30min", "30T"), 30),
    **dict.fromkeys(("15min", "15T"), 15),
}
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ZONE_KEYS = ("tz", "timezone", "time_zone", "zone")
_ZONE = re.compile(r"[A-Z][A-Za-z]+/[A-Z][A-Za-z_]+")


def battery_dispatch(question: Question) -> dict[str, float]:
    """Answer what one hourly battery earns, and the bound with charging and discharging at once."""
    question.require(
        "prices", "power_mw", "energy_mwh", "eff_charge", "eff_discharge", "soc_start", "soc_end",
        "throughput_cost_per_mwh_discharged",
    )  # fmt: skip
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


def curve_bootstrap(question: Question) -> dict[str, list[float]]:
    """Answer the prices of a bootstrapped curve, by month unless the case names a frequency."""
    question.require("contracts")
    calendar, weighting = _conventions(question)
    curve = bootstrap(
        _quotes(question, calendar), calendar=calendar, weighting=weighting, cut_months=True
    )
    stated = question.inputs.get("freq", question.inputs.get("frequency"))
    if stated is None:
        return {"curve": curve.base().prices.tolist()}
    minutes = _minutes(stated)
    if minutes is not _MONTH:
        grid = delivery_grid(curve, calendar=calendar, minutes=minutes)
        return {"curve": shape_curve(curve, grid).prices.tolist()}
    months = sorted({(day.year, day.month) for day in _dates(curve, calendar)})
    return {"curve": [curve.average(calendar.month(*month)) for month in months]}


def curve_roundtrip(question: Question) -> dict[str, float]:
    """Answer how far curves' averages over contracts are from their quotes, flat and smooth."""
    question.require("contracts", "freqs")
    calendar, weighting = _conventions(question)
    quotes = _quotes(question, calendar)
    curve = bootstrap(quotes, calendar=calendar, weighting=weighting)
    errors = [abs(curve.average(quote.interval) - quote.price) for quote in quotes]
    for frequency in question.inputs["freqs"]:
        minutes = _minutes(frequency)
        if minutes is _MONTH:
            continue  # not every contract is of whole months; segments were compared above
        grid = delivery_grid(curve, calendar=calendar, minutes=minutes)
        shaped = shape_curve(curve, grid, smoothing=Smoothing.MAXIMUM_SMOOTHNESS)
        errors += [abs(shaped.average(quote.interval) - quote.price) for quote in quotes]
    return {"max_abs_average_error": max(errors)}


def curve_max_smoothness(question: Question) -> dict[str, list[float]]:
    """Answer the daily prices of the smoothest curve on the dates asked for, or on all."""
    question.require("contracts")
    calendar, weighting = _conventions(question)
    curve = bootstrap(_quotes(question, calendar), calendar=calendar, weighting=weighting)
    minutes = _minutes(question.inputs.get("freq", question.inputs.get("frequency", "D")))
    if minutes is _MONTH:
        raise Unsupported("a smooth curve of months is no curve of days")
    grid = delivery_grid(curve, calendar=calendar, minutes=minutes)
    shaped = shape_curve(
        curve,
        grid,
        smoothing=Smoothing.MAXIMUM_SMOOTHNESS,
        multiplicative=_day_of_week(grid, question.inputs.get("day_of_week_multiplier")),
    )
    days = shaped if minutes is None else shaped.daily()
    price = dict(zip(days.grid.dates.astype(str).tolist(), days.prices.tolist(), strict=True))
    # The published case names its dates where it names its source.
    asked = question.inputs.get("dates") or question.dates or list(price)
    if missing := [day for day in asked if day not in price]:
        raise Unsupported(f"the contracts do not deliver on {missing[0]}")
    return {"values": [price[day] for day in asked]}


def _conventions(question: Question) -> tuple[Calendar, Weighting]:
    """Return the zone of the days and what averages are weighted by; UTC days unless stated."""
    inputs = question.inputs
    weights = inputs.get("weights", inputs.get("weighting", "calendar days"))
    if not isinstance(weights, str):
        raise Unsupported("weights must be named: hours, or calendar days")
    named = _ZONE.search(weights)
    zone = next((inputs[key] for key in _ZONE_KEYS if key in inputs), named[0] if named else "UTC")
    if "hour" in weights.lower():
        return Calendar(zone), Weighting.HOURS
    if "day" in weights.lower() and "business" not in weights.lower():
        return Calendar(zone), Weighting.CALENDAR_DAYS
    raise Unsupported(f"weights {weights!r} are neither hours nor calendar days")


def _minutes(frequency: str) -> Any:
    """Return minutes of a period, None for days or `_MONTH`."""
    if frequency not in _FREQUENCIES:
        raise Unsupported(f"frequency {frequency!r} is none of {', '.join(_FREQUENCIES)}")
    return _FREQUENCIES[frequency]


def _day_of_week(grid: DeliveryGrid, stated: Any) -> npt.NDArray[np.float64] | None:
    if stated is None:
        return None
    if not isinstance(stated, dict):
        return day_of_week_factors(grid, stated)
    by_day = {name[:3].title(): float(factor) for name, factor in stated.items()}
    return day_of_week_factors(grid, [by_day.get(name, 1.0) for name in _WEEKDAYS])


def _dates(curve: LoadCurve, calendar: Calendar) -> list[date]:
    bounds = curve.cells.bounds.astype("datetime64[s]")
    instants = [moment.replace(tzinfo=UTC) for moment in bounds[:, 0].tolist()]
    return [calendar.date_of(instant) for instant in instants]


def _quotes(question: Question, calendar: Calendar) -> list[CurveQuote]:
    return [
        CurveQuote(
            " ".join(map(str, contract[:-1])),
            calendar.span(_delivery(contract)),
            float(contract[-1]),
        )
        for contract in question.inputs["contracts"]
    ]


def _delivery(contract: list[Any]) -> DatePeriod:
    try:
        periods = [contract_period(str(name)) for name in contract[:-1]]
    except CalendarError as error:
        raise Unsupported(str(error)) from error
    return DatePeriod(periods[0].first, periods[-1].after)
