"""What options are worth and how that moves: formulas on arrays, no facts and no clock."""

from trading.pricing._averages import (
    AverageOption,
    FixingAverageOption,
    average_option,
    levy_average_option,
    simulate_average_option,
)
from trading.pricing._bachelier import bachelier
from trading.pricing._black76 import black76, displaced_black
from trading.pricing._inputs import NonPositivePrice, Options, OptionType, PricingError
from trading.pricing._model import ModelChoice, PriceModel, price_option
from trading.pricing._regression import Continuation, Estimate, estimate, fit_continuation, seed_of
from trading.pricing._value import OptionValue
from trading.pricing.processes import MeanRevertingSpot, Paths, SpotModel, TwoFactorForwards

__all__ = [
    "AverageOption",
    "Continuation",
    "Estimate",
    "FixingAverageOption",
    "MeanRevertingSpot",
    "ModelChoice",
    "NonPositivePrice",
    "OptionType",
    "OptionValue",
    "Options",
    "Paths",
    "PriceModel",
    "PricingError",
    "SpotModel",
    "TwoFactorForwards",
    "average_option",
    "bachelier",
    "black76",
    "displaced_black",
    "estimate",
    "fit_continuation",
    "levy_average_option",
    "price_option",
    "seed_of",
    "simulate_average_option",
]
