"""The tables of risk, one file a subject."""

from .limits import Limit, LimitBreach
from .scenarios import MarketSnapshot, ScenarioSet, ScenarioShocks, SnapshotCurve, SnapshotRate
from .vectors import RiskNumber, ScopeVector, TradeVector

__all__ = [
    "Limit",
    "LimitBreach",
    "MarketSnapshot",
    "RiskNumber",
    "ScenarioSet",
    "ScenarioShocks",
    "ScopeVector",
    "SnapshotCurve",
    "SnapshotRate",
    "TradeVector",
]
