"""
Risk mathematics, pure: scenarios, projection of linear positions, exchange rates, VaR and ES,
their attribution and back-tests, and the volatilities and correlations behind them.

Axis order everywhere: scenario, then tenor (months from the valuation month). P&L is positive
for a gain; VaR and ES are positive for a loss.
"""

from risk.engine._attribution import Attribution, attribute, kernel_weights, shortfall_weights
from risk.engine._back_tests import (
    BackTestError,
    LikelihoodRatio,
    TrafficLight,
    Transitions,
    Zone,
    conditional_coverage,
    independence,
    non_rejection_region,
    proportion_of_failures,
    traffic_light,
    transitions,
)
from risk.engine._book_vector import BookComponents, BookVector
from risk.engine._components import Components, tail_components
from risk.engine._concentration import (
    Concentration,
    GroupShare,
    exposure_concentration,
    risk_concentration,
)
from risk.engine._correlation import (
    NotNearest,
    nearest_correlation,
    repaired_covariance,
    stressed_covariance,
)
from risk.engine._currency import Exchange, exchange_changes, in_currency
from risk.engine._draws import (
    Draw,
    Factors,
    Simulation,
    factors_of_covariance,
    factors_of_history,
)
from risk.engine._earnings import EarningsAtRisk, EarningsRange, PhysicalAsset, earnings_at_risk
from risk.engine._errors import ScenarioError
from risk.engine._events import NAMED_EVENTS, EventMoves, HistoricalEvent, event_moves
from risk.engine._jump_diffusion import JumpDiffusion
from risk.engine._linear import (
    Exposure,
    MonthlyCurve,
    NoCurve,
    base_value,
    exposure_by_tenor,
    price_of,
    project,
)
from risk.engine._liquidity import LiquidityAdjusted, liquidation_days, liquidity_adjusted
from risk.engine._monte_carlo import MonteCarloRisk, Valuation, monte_carlo
from risk.engine._parametric import (
    ClosedTail,
    DeltaGamma,
    DeltaNormal,
    delta_gamma,
    delta_normal,
    normal_tail,
    student_tail,
)
from risk.engine._payments import PaidPortfolio, PaidRevaluation, PaymentMarket, revalue_paid
from risk.engine._revaluation import ForwardRows, Portfolio, Revaluation, revalue
from risk.engine._scenarios import (
    ContractQuote,
    Likeness,
    QuoteDay,
    ShockMapping,
    TenorGap,
    TenorShocks,
    likeness,
    month_number,
    paired_shocks,
    reconcile_changes,
    tenor_shocks,
)
from risk.engine._sensitivities import Sensitivities, sensitivities
from risk.engine._shards import Shard, merge, revalue_in_shards, shards, value_shard
from risk.engine._shocks import ShockRule, Shocks
from risk.engine._stress import StressResult, StressShock, StressTarget, stress
from risk.engine._tail import (
    Convention,
    QuantileRule,
    ShortfallRule,
    TailError,
    TailRisk,
    lower_tail,
    tail_count,
    tail_of_rank,
    tail_risk,
)
from risk.engine._volatility import Garch, filtered_returns
from risk.engine._volatility_fit import (
    Innovations,
    LjungBox,
    NotConverged,
    VolatilityFit,
    fit_ewma,
    fit_garch,
)

__all__ = [
    "NAMED_EVENTS",
    "Attribution",
    "BackTestError",
    "BookComponents",
    "BookVector",
    "ClosedTail",
    "Components",
    "Concentration",
    "ContractQuote",
    "Convention",
    "DeltaGamma",
    "DeltaNormal",
    "Draw",
    "EarningsAtRisk",
    "EarningsRange",
    "EventMoves",
    "Exchange",
    "Exposure",
    "Factors",
    "ForwardRows",
    "Garch",
    "GroupShare",
    "HistoricalEvent",
    "Innovations",
    "JumpDiffusion",
    "LikelihoodRatio",
    "Likeness",
    "LiquidityAdjusted",
    "LjungBox",
    "MonteCarloRisk",
    "MonthlyCurve",
    "NoCurve",
    "NotConverged",
    "NotNearest",
    "PaidPortfolio",
    "PaidRevaluation",
    "PaymentMarket",
    "PhysicalAsset",
    "Portfolio",
    "QuantileRule",
    "QuoteDay",
    "Revaluation",
    "ScenarioError",
    "Sensitivities",
    "Shard",
    "ShockMapping",
    "ShockRule",
    "Shocks",
    "ShortfallRule",
    "Simulation",
    "StressResult",
    "StressShock",
    "StressTarget",
    "TailError",
    "TailRisk",
    "TenorGap",
    "TenorShocks",
    "TrafficLight",
    "Transitions",
    "Valuation",
    "VolatilityFit",
    "Zone",
    "attribute",
    "base_value",
    "conditional_coverage",
    "delta_gamma",
    "delta_normal",
    "earnings_at_risk",
    "event_moves",
    "exchange_changes",
    "exposure_by_tenor",
    "exposure_concentration",
    "factors_of_covariance",
    "factors_of_history",
    "filtered_returns",
    "fit_ewma",
    "fit_garch",
    "in_currency",
    "independence",
    "kernel_weights",
    "likeness",
    "liquidation_days",
    "liquidity_adjusted",
    "lower_tail",
    "merge",
    "monte_carlo",
    "month_number",
    "nearest_correlation",
    "non_rejection_region",
    "normal_tail",
    "paired_shocks",
    "price_of",
    "project",
    "proportion_of_failures",
    "reconcile_changes",
    "repaired_covariance",
    "revalue",
    "revalue_in_shards",
    "revalue_paid",
    "risk_concentration",
    "sensitivities",
    "shards",
    "shortfall_weights",
    "stress",
    "stressed_covariance",
    "student_tail",
    "tail_components",
    "tail_count",
    "tail_of_rank",
    "tail_risk",
    "tenor_shocks",
    "traffic_light",
    "transitions",
    "value_shard",
]
