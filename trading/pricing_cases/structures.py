"""Storage, plants, swing: translates reference cases; `trading.validation` registers by name."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from energyopti.foundation.validation.registry import Question, Unsupported
from trading.pricing import OptionType, PricingError
from trading.pricing.structures import (
    GasStorage,
    Plant,
    RateCurve,
    SettlementRule,
    discount_factors,
    payment_dates,
    plant_intrinsic,
    storage_intrinsic,
    swing_rights,
    years_actual_actual,
)

_ANY_DAY = np.datetime64("2026-01-01", "D")
_DAYS_AFTER = re.compile(r"(\d+)\s*(?:calendar\s*)?days?")


def storage(question: Question) -> dict[str, float]:
    """Answer what a gas storage earns on a forward curve at the optimum."""
    question.require(
        "value_date", "start", "end_exclusive", "interest_rate", "max_inventory",
        "max_injection_per_day", "max_withdrawal_per_day",
    )  # fmt: skip
    inputs = question.inputs
    days = np.arange(inputs["start"], inputs["end_exclusive"], dtype="datetime64[D]")
    capacity = float(inputs["max_inventory"])
    start = float(inputs.get("start_inventory", 0.0))
    try:
        contract = GasStorage(
            dates=days,
            max_inventory=capacity,
            min_inventory=float(inputs.get("min_inventory", 0.0)),
            injection=RateCurve.constant(float(inputs["max_injection_per_day"]), capacity),
            withdrawal=RateCurve.constant(float(inputs["max_withdrawal_per_day"]), capacity),
            injection_cost=float(inputs.get("injection_cost", 0.0)),
            withdrawal_cost=float(inputs.get("withdrawal_cost", 0.0)),
            injection_fuel=float(inputs.get("injection_fuel", 0.0)),
            withdrawal_fuel=float(inputs.get("withdrawal_fuel", 0.0)),
            start_inventory=start,
            **_terminal(inputs),
        )
        discount, cost_discount = _discounts(inputs, days)
        plan = storage_intrinsic(
            contract, _curve(inputs, days), discount=discount, cost_discount=cost_discount
        )
    except PricingError as error:
        raise Unsupported(str(error)) from error
    return {"npv": plan.value}


def plant(question: Question) -> dict[str, float]:
    """Answer what a plant earns at the best commitment, as it likes before the first interval."""
    question.require("power_prices", "fuel_prices", "p_min", "p_max")
    inputs = question.inputs
    if "heat_rate" not in inputs and "efficiency" not in inputs:
        raise Unsupported("inputs have neither heat_rate nor efficiency")
    power = np.array(inputs["power_prices"], dtype=np.float64)
    try:
        contract = Plant.with_heat_rate(
            # No discounting, so the delivery date of an hour does not matter.
            dates=np.repeat(_ANY_DAY, len(power)),
            p_min=float(inputs["p_min"]),
            p_max=float(inputs["p_max"]),
            heat_rate=float(inputs.get("heat_rate") or 1.0 / inputs["efficiency"]),
            min_up=int(inputs.get("min_up", 1)),
            min_down=int(inputs.get("min_down", 1)),
            start_fuel=float(inputs.get("startup_fuel", 0.0)),
            start_cost=float(inputs.get("startup_fix_cost", 0.0)),
            fuel_addon=float(inputs.get("fuel_cost_addon", 0.0)),
        )
        plan = plant_intrinsic(contract, power, inputs["fuel_prices"])
    except PricingError as error:
        raise Unsupported(str(error)) from error
    return {"npv": plan.value}


def _curve(inputs: Mapping[str, Any], days: npt.NDArray[np.datetime64]) -> npt.NDArray[np.float64]:
    """Return the price of each day: a low one and from a date on a high one, or a list."""
    if "prices" in inputs:
        return np.array(inputs["prices"], dtype=np.float64)
    if missing := {"price_low", "price_high", "high_from"} - set(inputs):
        raise Unsupported(f"inputs have no {', '.join(sorted(missing))}")
    high = days >= np.datetime64(inputs["high_from"], "D")
    return np.where(high, float(inputs["price_high"]), float(inputs["price_low"]))


def _terminal(inputs: Mapping[str, Any]) -> dict[str, float]:
    """Return the terminal rule that the case says in words."""
    words = str(inputs.get("terminal", "empty, no value")).lower()
    if "empty" in words:
        return {"terminal_min": 0.0, "terminal_max": 0.0}
    if "free" in words or "no value" in words:
        return {}
    raise Unsupported(f"terminal {inputs['terminal']!r} is neither empty nor free")


def _discounts(
    inputs: Mapping[str, Any], days: npt.NDArray[np.datetime64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the discount factors of gas and of operating costs by day."""
    compounding = str(inputs.get("compounding", "continuous act/365")).lower()
    if "continuous" not in compounding or "365" not in compounding:
        raise Unsupported(f"compounding {compounding!r} is not continuous act/365")
    words = str(inputs.get("settlement", "")).lower()
    lag = _DAYS_AFTER.search(words)
    rule = SettlementRule.MONTH_END if "month-end" in words else SettlementRule.DELIVERY_DAY
    if words and "month" in words and rule is SettlementRule.DELIVERY_DAY:
        raise Unsupported(f"settlement {inputs['settlement']!r} names no month-end")
    value_date, rate = np.datetime64(inputs["value_date"], "D"), float(inputs["interest_rate"])
    paid = payment_dates(days, rule=rule, days=int(lag[1]) if lag else 0)
    return (
        discount_factors(paid, value_date=value_date, rate=rate),
        discount_factors(days, value_date=value_date, rate=rate),
    )


def swing(question: Question) -> dict[str, float]:
    """Answer what rights on given dates are worth on a lognormal spot, with bounds."""
    question.require("S", "K", "type", "r", "vol", "value_date", "exercise_dates", "rights")
    inputs = question.inputs
    try:
        option = OptionType(str(inputs["type"]).upper())
    except ValueError as error:
        raise Unsupported(f"type {inputs['type']!r} is neither call nor put") from error
    today = date.fromisoformat(inputs["value_date"])
    years = np.array(
        [years_actual_actual(today, date.fromisoformat(day)) for day in inputs["exercise_dates"]]
    )
    rate, dividend = float(inputs["r"]), float(inputs.get("q", 0.0))
    try:
        found = swing_rights(
            forwards=float(inputs["S"]) * np.exp((rate - dividend) * years),
            strike=float(inputs["K"]),
            times=years,
            volatility=float(inputs["vol"]),
            rights=int(inputs["rights"]),
            discounts=np.exp(-rate * years),
            option=option,
        )
    except PricingError as error:
        raise Unsupported(str(error)) from error
    return {
        "price": found.price,
        "lower_bound": found.lower_bound,
        "upper_bound": found.upper_bound,
    }
