"""Options on averages: translates the reference cases; `trading.validation` registers by name."""

from typing import Any

import numpy as np

from energyopti.foundation.validation.registry import Question, Unsupported
from trading.pricing import AverageOption, PricingError, average_option, levy_average_option
from trading.pricing_cases.options import discount_of, option_type

# The topics count their days act/360, whatever the market does.
_YEAR_DAYS = 360.0


def fixings_average(question: Question) -> dict[str, float]:
    """
    Answer an option on the average of fixings of one future, flat or with its own vols.

    `F` and `vol_per_fixing` are one for all open fixings, or one each; `past_fixings` are the
    prices that have been fixed, and count as much as each open one.
    """
    question.require("type", "F", "K", "fixing_days_act360", "vol_per_fixing")
    question.only(
        "type", "F", "K", "r", "discount", "T", "fixing_days_act360", "vol_per_fixing",
        "past_fixings",
    )  # fmt: skip
    inputs = question.inputs
    days = np.asarray(inputs["fixing_days_act360"], dtype=np.float64)
    for name in ("F", "vol_per_fixing"):
        row = np.asarray(inputs[name], dtype=np.float64)
        if days.ndim != 1 or row.ndim > 1 or row.size not in (1, days.size):
            raise Unsupported(f"{name} has {row.size} values for {days.size} fixings")
    past = np.asarray(inputs.get("past_fixings", []), dtype=np.float64)
    count = days.size + past.size
    try:
        value = average_option(
            forward=inputs["F"], strike=float(inputs["K"]), times=days / _YEAR_DAYS,
            volatility=inputs["vol_per_fixing"], weight=np.full(days.size, 1.0 / count),
            fixed=float(past.sum()) / count, discount=discount_of(question),
            option=option_type(question),
        )  # fmt: skip
    except PricingError as error:
        raise Unsupported(str(error)) from error
    return _answer(value)


def continuous_average(question: Question) -> dict[str, float]:
    """Answer an option on a continuous average, begun or not yet (Levy)."""
    question.require("type", "S", "K", "r", "vol", "length_days")
    question.only(
        "type", "S", "K", "q", "r", "vol", "length_days", "elapsed_days", "current_average"
    )
    inputs: dict[str, Any] = {"q": 0.0, "elapsed_days": 0.0, **question.inputs}
    length, elapsed = (float(inputs[k]) / _YEAR_DAYS for k in ("length_days", "elapsed_days"))
    if elapsed > 0:
        question.require("current_average")
    rate = float(inputs["r"])
    try:
        value = levy_average_option(
            spot=float(inputs["S"]), strike=float(inputs["K"]), length=length,
            remaining=length - elapsed, volatility=float(inputs["vol"]),
            carry=rate - float(inputs["q"]), average=float(inputs.get("current_average", 0.0)),
            discount=np.exp(-rate * (length - elapsed)), option=option_type(question),
        )  # fmt: skip
    except PricingError as error:
        raise Unsupported(str(error)) from error
    return _answer(value)


def _answer(value: AverageOption) -> dict[str, float]:
    greeks = ("price", "delta", "gamma", "vega")
    return {name: float(getattr(value, name)) for name in greeks}
