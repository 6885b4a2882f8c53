"""American and Bermudan options on forwards: translates the reference cases."""

import numpy as np

from energyopti.foundation.validation.registry import Question, Unsupported
from trading.pricing import (
    EarlyExerciseValue,
    ModelChoice,
    PriceModel,
    PricingError,
    american_option,
    bermudan_option,
)
from trading.pricing_cases.options import option_type

_BLACK76 = ModelChoice(PriceModel.BLACK76)


def _told(found: EarlyExerciseValue) -> dict[str, float]:
    names = ("price", "premium", "delta", "gamma", "vega")
    return {name: float(getattr(found, name)) for name in names}


def american_forward(question: Question) -> dict[str, float]:
    """Answer price, premium and Greeks by Black-76; what is exercised is paid at once."""
    question.require("type", "F", "K", "T", "r", "vol")
    F, K, T, r, vol = (float(question.inputs[name]) for name in ("F", "K", "T", "r", "vol"))
    try:
        found = american_option(
            _BLACK76, forward=F, strike=K, expiry=T, volatility=vol, rate=r,
            discount=np.exp(-r * T), option=option_type(question),
        )  # fmt: skip
    except PricingError as error:
        raise Unsupported(str(error)) from error
    return _told(found)


def bermudan_forward(question: Question) -> dict[str, float]:
    """Answer the same of exercise on some dates, `times` in years."""
    question.require("type", "F", "K", "times", "r", "vol")
    F, K, r, vol = (float(question.inputs[name]) for name in ("F", "K", "r", "vol"))
    try:
        times = np.asarray(question.inputs["times"], dtype=np.float64)
        found = bermudan_option(
            _BLACK76, forward=F, strike=K, times=times, volatility=vol,
            discounts=np.exp(-r * times), option=option_type(question),
        )  # fmt: skip
    except (PricingError, TypeError, ValueError) as error:
        raise Unsupported(str(error)) from error
    return _told(found)
