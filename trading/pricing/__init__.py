"""What options are worth and how that moves: formulas on arrays, no facts and no clock."""

from trading.pricing._averages import (
    AverageOption,
    FixingAverageOption,
    average_option,
    levy_average_option,
    simulate_average_option,
)
from trading.pricing._black76 import Black76, black76
from trading.pricing._inputs import NonPositivePrice, OptionType, PricingError
from trading.pricing._regression import (
    Continuation,
    Estimate,
    estimate,
    fit_continuation,
    seed_of,
)
from trading.pricing.processes import MeanRevertingSpot, Paths, SpotModel, TwoFactorForwards

__all__ = [
    "AverageOption",
    "Black76",
    "Continuation",
    "Estimate",
    "FixingAverageOption",
    "MeanRevertingSpot",
    "NonPositivePrice",
    "OptionType",
    "Paths",
    "PricingError",
    "SpotModel",
    "TwoFactorForwards",
    "average_option",
    "black76",
    "estimate",
    "fit_continuation",
    "levy_average_option",
    "seed_of",
    "simulate_average_option",
]
