"""What options are worth and how that moves: formulas on arrays, no facts and no clock."""

from trading.pricing._black76 import Black76, black76
from trading.pricing._inputs import NonPositivePrice, OptionType, PricingError

__all__ = [
    "Black76",
    "NonPositivePrice",
    "OptionType",
    "PricingError",
    "black76",
]
