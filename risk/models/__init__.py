"""The tables of risk, one file a subject."""

from .breaches import BreachStep, LimitBreach
from .comparisons import ScenarioComparison
from .definitions import (
    MoveMapping,
    MoveRule,
    ProxyRule,
    ScenarioDefinition,
    ScenarioRule,
    Weighting,
)
from .limits import Limit, LimitIncrease
from .runs import RiskRun, RiskRunNumber, RiskRunOutcome, RunKind, RunMethod
from .scenarios import (
    MarketSnapshot,
    ProxyKind,
    ScenarioProxy,
    ScenarioSet,
    ScenarioShocks,
    ScenarioVols,
    SnapshotCurve,
    SnapshotRate,
)
from .stress import StressRun, StressScenario, StressShock, StressTarget
from .vectors import RiskNumber, ScopeVector, TradeVector

__all__ = [
    "BreachStep",
    "Limit",
    "LimitBreach",
    "LimitIncrease",
    "MarketSnapshot",
    "MoveMapping",
    "MoveRule",
    "ProxyKind",
    "ProxyRule",
    "RiskNumber",
    "RiskRun",
    "RiskRunNumber",
    "RiskRunOutcome",
    "RunKind",
    "RunMethod",
    "ScenarioComparison",
    "ScenarioDefinition",
    "ScenarioProxy",
    "ScenarioRule",
    "ScenarioSet",
    "ScenarioShocks",
    "ScenarioVols",
    "ScopeVector",
    "SnapshotCurve",
    "SnapshotRate",
    "StressRun",
    "StressScenario",
    "StressShock",
    "StressTarget",
    "TradeVector",
    "Weighting",
]
