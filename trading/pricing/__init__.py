"""What options are worth and how that moves: formulas on arrays, no facts and no clock."""

from trading.pricing._averages import (
    AverageOption,
    FixingAverageOption,
    average_option,
    levy_average_option,
    simulate_average_option,
)
from trading.pricing._bachelier import (
    bachelier,
)
from trading.pricing._black76 import (
    black76,
    displaced_black,
)
from trading.pricing._inputs import (
    NonPositivePrice,
    Options,
    OptionType,
    PricingError,
)
from trading.pricing._model import (
    ModelChoice,
    PriceModel,
    price_option,
)
from trading.pricing._ppa import (
    BaseloadConversion,
    NegativePrices,
    PpaTerms,
    PpaValue,
    baseload_conversion,
    escalation_factors,
    exceedance_factor,
    ppa,
)
from trading.pricing._regression import (
    Continuation,
    Estimate,
    estimate,
    fit_continuation,
    seed_of,
)
from trading.pricing._transmission import (
    RightKind,
    TransmissionRight,
    transmission_right,
)
from trading.pricing._value import (
    OptionValue,
)
from trading.pricing.processes import (
    HistoryFit,
    MeanRevertingSpot,
    Parameter,
    Paths,
    QuoteFit,
    Residuals,
    Season,
    SpotFit,
    SpotModel,
    TwoFactorForwards,
    fit_forwards_to_history,
    fit_forwards_to_volatilities,
    fit_spot,
)

__all__ = [
    "AverageOption",
    "BaseloadConversion",
    "Continuation",
    "Estimate",
    "FixingAverageOption",
    "HistoryFit",
    "MeanRevertingSpot",
    "ModelChoice",
    "NegativePrices",
    "NonPositivePrice",
    "OptionType",
    "OptionValue",
    "Options",
    "Parameter",
    "Paths",
    "PpaTerms",
    "PpaValue",
    "PriceModel",
    "PricingError",
    "QuoteFit",
    "Residuals",
    "RightKind",
    "Season",
    "SpotFit",
    "SpotModel",
    "TransmissionRight",
    "TwoFactorForwards",
    "average_option",
    "bachelier",
    "baseload_conversion",
    "black76",
    "displaced_black",
    "escalation_factors",
    "estimate",
    "exceedance_factor",
    "fit_continuation",
    "fit_forwards_to_history",
    "fit_forwards_to_volatilities",
    "fit_spot",
    "levy_average_option",
    "ppa",
    "price_option",
    "seed_of",
    "simulate_average_option",
    "transmission_right",
]
