"""How prices move: processes that simulate arrays of paths, and their calibration."""

from trading.pricing.processes._forward_fit import (
    HistoryFit,
    QuoteFit,
    fit_forwards_to_history,
    fit_forwards_to_volatilities,
)
from trading.pricing.processes._forwards import TwoFactorForwards
from trading.pricing.processes._likelihood import Parameter
from trading.pricing.processes._paths import Paths, SpotModel
from trading.pricing.processes._spot import MeanRevertingSpot
from trading.pricing.processes._spot_fit import Residuals, Season, SpotFit, fit_spot
from trading.pricing.processes._together import simulate_together

__all__ = [
    "HistoryFit",
    "MeanRevertingSpot",
    "Parameter",
    "Paths",
    "QuoteFit",
    "Residuals",
    "Season",
    "SpotFit",
    "SpotModel",
    "TwoFactorForwards",
    "fit_forwards_to_history",
    "fit_forwards_to_volatilities",
    "fit_spot",
    "simulate_together",
]
