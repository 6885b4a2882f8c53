"""Options on averages: translates the reference cases; `trading.validation` registers by name."""

import numpy as np

from energyopti.foundation.validation.registry import Question, Unsupported
from trading.pricing import (
    AverageOption,
    OptionType,
    PricingError,
    average_option,
    levy_average_option,
)

# The topics count their days act/360, whatever the market does.
_YEAR_DAYS = 360.0


def fixings_average(question: Question) -> dict[str, float]:
    """Answer an option on the average of fixings of one future, flat or with its own vols."""
    question.require("type", "F", "K", "r", "T", "fixing_days_act360", "vol_per_fixing")
    inputs = question.inputs
    days = np.asarray(inputs["fixing_days_act360"], dtype=np.float64)
    vols = np.asarray(inputs["vol_per_fixing"], dtype=np.float64)
    if days.ndim != 1 or vols.ndim > 1 or vols.size not in (1, days.size):
        raise Unsupported(f"vol_per_fixing has {vols.size} values for {days.size} fixings")
    try:
        value = average_option(
            forward=inputs["F"], strike=float(inputs["K"]), times=days / _YEAR_DAYS,
            volatility=vols, discount=np.exp(-float(inputs["r"]) * float(inputs["T"])),
            option=_option(question),
        )  # fmt: skip
    except PricingError as error:
        raise Unsupported(str(error)) from error
    return _answer(value)


def continuous_average(question: Question) -> dict[str, float]:
    """Answer an option on a continuous average, begun or not yet (Levy)."""
    question.require("type", "S", "K", "q", "r", "vol", "length_days", "elapsed_days")
    inputs = question.inputs
    length, elapsed = (float(inputs[k]) / _YEAR_DAYS for k in ("length_days", "elapsed_days"))
    if elapsed > 0:
        question.require("current_average")
    rate = float(inputs["r"])
    try:
        value = levy_average_option(
            spot=float(inputs["S"]), strike=float(inputs["K"]), length=length,
            remaining=length - elapsed, volatility=float(inputs["vol"]),
            carry=rate - float(inputs["q"]), average=float(inputs.get("current_average", 0.0)),
            discount=np.exp(-rate * (length - elapsed)), option=_option(question),
        )  # fmt: skip
    except PricingError as error:
        raise Unsupported(str(error)) from error
    return _answer(value)


def _option(question: Question) -> OptionType:
    name = str(question.inputs["type"])
    try:
        return OptionType(name.upper())
    except ValueError as error:
        raise Unsupported(f"type {name!r} is neither call nor put") from error


def _answer(value: AverageOption) -> dict[str, float]:
    greeks = ("price", "delta", "gamma", "vega")
    return {name: float(getattr(value, name)) for name in greeks}
