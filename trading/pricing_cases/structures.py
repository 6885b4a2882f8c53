"""Storage, plants, swing: translates reference cases; `trading.validation` registers by name."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

from energyopti.foundation.validation.registry import Question, Unsupported
from trading.pricing import PricingError
from trading.pricing.structures import (
    GasStorage,
    Plant,
    PlantState,
    RatchetKind,
    RateCurve,
    SettlementRule,
    discount_factors,
    payment_dates,
    plant_intrinsic,
    storage_intrinsic,
    swing_rights,
    years_actual_actual,
)
from trading.pricing_cases.options import option_type

_ANY_DAY = np.datetime64("2026-01-01", "D")
_DAYS_AFTER = re.compile(r"(\d+)\s*(?:calendar\s*)?days?")


def storage(question: Question) -> dict[str, float]:
    """Answer what a gas storage earns on a forward curve at the optimum."""
    question.require(
        "value_date", "start", "end_exclusive", "interest_rate", "max_inventory",
        "max_injection_per_day", "max_withdrawal_per_day",
    )  # fmt: skip
    question.only(
        "value_date", "start", "end_exclusive", "interest_rate", "max_inventory", "min_inventory",
        "max_injection_per_day", "max_withdrawal_per_day", "injection_cost", "withdrawal_cost",
        "injection_fuel", "withdrawal_fuel", "start_inventory", "terminal", "terminal_inventory",
        "terminal_min", "terminal_max", "terminal_value", "prices", "price_low", "price_high",
        "high_from", "compounding", "settlement", "ratchets", "holding_cost",
    )  # fmt: skip
    inputs = question.inputs
    days = np.arange(inputs["start"], inputs["end_exclusive"], dtype="datetime64[D]")
    start = float(inputs.get("start_inventory", 0.0))
    try:
        contract = GasStorage(
            dates=days,
            max_inventory=inputs["max_inventory"],
            min_inventory=inputs.get("min_inventory", 0.0),
            injection=_rates(inputs, "max_injection_per_day"),
            withdrawal=_rates(inputs, "max_withdrawal_per_day"),
            injection_cost=float(inputs.get("injection_cost", 0.0)),
            withdrawal_cost=float(inputs.get("withdrawal_cost", 0.0)),
            holding_cost=float(inputs.get("holding_cost", 0.0)),
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
    question.only(
        "power_prices", "fuel_prices", "p_min", "p_max", "heat_rate", "efficiency", "min_up",
        "min_down", "startup_fuel", "startup_fix_cost", "fuel_cost_addon", "carbon_prices",
        "emission_factor", "output_cost", "ramp_up", "ramp_down", "available", "initial_on",
        "initial_hours", "initial_output", "max_starts",
    )  # fmt: skip
    inputs = question.inputs
    if "heat_rate" not in inputs and "efficiency" not in inputs:
        raise Unsupported("inputs have neither heat_rate nor efficiency")
    if ("carbon_prices" in inputs) != ("emission_factor" in inputs):
        raise Unsupported("carbon_prices (currency/t) and emission_factor (t/MWh fuel) go together")
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
            carbon_intensity=float(inputs.get("emission_factor", 0.0)),
            output_cost=float(inputs.get("output_cost", 0.0)),
            ramp_up=inputs.get("ramp_up"),
            ramp_down=inputs.get("ramp_down"),
            available=inputs.get("available", 1.0),
            max_starts=inputs.get("max_starts"),
            initial=_before(inputs),
        )
        plan = plant_intrinsic(
            contract, power, inputs["fuel_prices"], carbon=inputs.get("carbon_prices", 0.0)
        )
    except PricingError as error:
        raise Unsupported(str(error)) from error
    return {"npv": plan.value}


def _before(inputs: Mapping[str, Any]) -> PlantState | None:
    """Return how a plant stands before its first hour, where a case says it."""
    if "initial_on" not in inputs:
        if others := {"initial_hours", "initial_output"} & set(inputs):
            raise Unsupported(f"{', '.join(sorted(others))} without initial_on")
        return None
    return PlantState(
        is_on=bool(inputs["initial_on"]),
        # Of a state whose age is not said, the least times are over.
        intervals=int(inputs.get("initial_hours", 1_000_000)),
        output_mw=float(inputs.get("initial_output", inputs["p_min"])),
    )


def _rates(inputs: Mapping[str, Any], name: str) -> RateCurve:
    """
    Return the rate of a day: one number, or rows of inventory and rate.

    Of `ratchets` STEP a row's rate holds from its inventory up to the next row's.
    """
    rate = inputs[name]
    if np.ndim(rate) == 0:
        return RateCurve.constant(float(rate), float(np.max(inputs["max_inventory"])))
    try:
        kind = RatchetKind(str(inputs.get("ratchets", "linear")).upper())
        inventory, rates = np.array(rate, dtype=np.float64).T
    except ValueError as error:
        raise Unsupported(f"{name}: rows of inventory and rate, LINEAR or STEP") from error
    return RateCurve(inventory, rates[:-1] if kind is RatchetKind.STEP else rates, kind)


def _curve(inputs: Mapping[str, Any], days: npt.NDArray[np.datetime64]) -> npt.NDArray[np.float64]:
    """Return the price of each day: a low one and from a date on a high one, or a list."""
    if "prices" in inputs:
        return np.array(inputs["prices"], dtype=np.float64)
    if missing := {"price_low", "price_high", "high_from"} - set(inputs):
        raise Unsupported(f"inputs have no {', '.join(sorted(missing))}")
    high = days >= np.datetime64(inputs["high_from"], "D")
    return np.where(high, float(inputs["price_high"]), float(inputs["price_low"]))


def _terminal(inputs: Mapping[str, Any]) -> dict[str, float]:
    """Return the terminal rule that the case says in words, or in numbers."""
    said = {
        name: float(inputs[name])
        for name in ("terminal_min", "terminal_max", "terminal_value")
        if name in inputs
    }
    if "terminal_inventory" in inputs:
        return said | dict.fromkeys(
            ("terminal_min", "terminal_max"), float(inputs["terminal_inventory"])
        )
    if said:
        if "terminal" in inputs:
            raise Unsupported(f"terminal in words, beside {', '.join(said)}")
        return said
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
    question.only(
        "S", "K", "type", "r", "q", "vol", "value_date", "exercise_dates", "rights", "min_rights"
    )
    inputs = question.inputs
    if int(inputs.get("min_rights", 0)):
        raise Unsupported(f"min_rights {inputs['min_rights']}: rights need not be used")
    option = option_type(question)
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
