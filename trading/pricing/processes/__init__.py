"""How prices move: processes that simulate arrays of paths, and their calibration."""

from trading.pricing.processes._forwards import TwoFactorForwards
from trading.pricing.processes._paths import Paths, SpotModel
from trading.pricing.processes._spot import MeanRevertingSpot

__all__ = ["MeanRevertingSpot", "Paths", "SpotModel", "TwoFactorForwards"]
