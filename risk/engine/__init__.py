"""
Risk mathematics, pure: scenarios, projection of linear positions, exchange rates, VaR and ES.

Axis order everywhere: scenario, then tenor (months from the valuation month). P&L is positive
for a gain; VaR and ES are positive for a loss.
"""

from risk.engine._currency import Exchange, exchange_changes, in_currency
from risk.engine._linear import (
    Exposure,
    MonthlyCurve,
    NoCurve,
    base_value,
    exposure_by_tenor,
    price_of,
    project,
)
from risk.engine._scenarios import (
    ContractQuote,
    QuoteDay,
    ScenarioError,
    TenorShocks,
    month_number,
    reconcile_changes,
    tenor_shocks,
)
from risk.engine._tail import (
    Convention,
    QuantileRule,
    ShortfallRule,
    TailError,
    TailRisk,
    lower_tail,
    tail_count,
    tail_risk,
)

__all__ = [
    "ContractQuote",
    "Convention",
    "Exchange",
    "Exposure",
    "MonthlyCurve",
    "NoCurve",
    "QuantileRule",
    "QuoteDay",
    "ScenarioError",
    "ShortfallRule",
    "TailError",
    "TailRisk",
    "TenorShocks",
    "base_value",
    "exchange_changes",
    "exposure_by_tenor",
    "in_currency",
    "lower_tail",
    "month_number",
    "price_of",
    "project",
    "reconcile_changes",
    "tail_count",
    "tail_risk",
    "tenor_shocks",
]
