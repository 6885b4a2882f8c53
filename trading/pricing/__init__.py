"""What options are worth and how that moves: formulas on arrays, no facts and no clock."""

from trading.pricing._average_moments import AverageOption, FixingAverageOption
from trading.pricing._average_simulation import simulate_average_option
from trading.pricing._averages import average_option, normal_average_option, price_average_option
from trading.pricing._bachelier import bachelier
from trading.pricing._black76 import black76, displaced_black
from trading.pricing._composition import composed_correlation, composed_volatility
from trading.pricing._early_exercise import (
    EarlyExerciseValue,
    PremiumGrid,
    american_option,
    bermudan_option,
)
from trading.pricing._implied import (
    NoImpliedVolatility,
    bachelier_implied_volatility,
    black76_implied_volatility,
    implied_volatility,
)
from trading.pricing._inputs import NonPositivePrice, Options, OptionType, PricingError
from trading.pricing._levy_average import levy_average_option
from trading.pricing._model import ModelChoice, PriceModel, price_option
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
from trading.pricing._regression import Continuation, Estimate, estimate, fit_continuation, seed_of
from trading.pricing._scenarios import OptionRows, value_in_scenarios
from trading.pricing._spread import ExchangeValue, SpreadValue, kirk_spread, margrabe, spread_option
from trading.pricing._spread_averages import (
    AverageSpreadValue,
    OpenAverage,
    average_spread_option,
)
from trading.pricing._spread_terms import (
    SpreadTerms,
    calendar_spread,
    crack_spread,
    dark_spread,
    spark_spread,
)
from trading.pricing._strips import CapFloor, SwaptionValue, cap_floor, swaption
from trading.pricing._surfaces import Lattice, Surfaces, sum_surfaces
from trading.pricing._transmission import (
    LegVolatilities,
    RightKind,
    TransmissionRight,
    transmission_right,
)
from trading.pricing._value import OptionValue
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
    simulate_together,
)

__all__ = [
    "AverageOption",
    "AverageSpreadValue",
    "BaseloadConversion",
    "CapFloor",
    "Continuation",
    "EarlyExerciseValue",
    "Estimate",
    "ExchangeValue",
    "FixingAverageOption",
    "HistoryFit",
    "Lattice",
    "LegVolatilities",
    "MeanRevertingSpot",
    "ModelChoice",
    "NegativePrices",
    "NoImpliedVolatility",
    "NonPositivePrice",
    "OpenAverage",
    "OptionRows",
    "OptionType",
    "OptionValue",
    "Options",
    "Parameter",
    "Paths",
    "PpaTerms",
    "PpaValue",
    "PremiumGrid",
    "PriceModel",
    "PricingError",
    "QuoteFit",
    "Residuals",
    "RightKind",
    "Season",
    "SpotFit",
    "SpotModel",
    "SpreadTerms",
    "SpreadValue",
    "Surfaces",
    "SwaptionValue",
    "TransmissionRight",
    "TwoFactorForwards",
    "american_option",
    "average_option",
    "average_spread_option",
    "bachelier",
    "bachelier_implied_volatility",
    "baseload_conversion",
    "bermudan_option",
    "black76",
    "black76_implied_volatility",
    "calendar_spread",
    "cap_floor",
    "composed_correlation",
    "composed_volatility",
    "crack_spread",
    "dark_spread",
    "displaced_black",
    "escalation_factors",
    "estimate",
    "exceedance_factor",
    "fit_continuation",
    "fit_forwards_to_history",
    "fit_forwards_to_volatilities",
    "fit_spot",
    "implied_volatility",
    "kirk_spread",
    "levy_average_option",
    "margrabe",
    "normal_average_option",
    "ppa",
    "price_average_option",
    "price_option",
    "seed_of",
    "simulate_average_option",
    "simulate_together",
    "spark_spread",
    "spread_option",
    "sum_surfaces",
    "swaption",
    "transmission_right",
    "value_in_scenarios",
]
