"""Contracts with choices in them: what they are worth on the curve, and beyond it."""

from trading.pricing.structures._intervals import InfeasibleContract
from trading.pricing.structures._plant import (
    Plant,
    PlantIntrinsic,
    PlantState,
    plant_intrinsic,
)
from trading.pricing.structures._results import Hedge, Method, SimulatedValue, SpotResponse
from trading.pricing.structures._settlement import (
    SettlementRule,
    discount_factors,
    payment_dates,
    years_actual_actual,
)
from trading.pricing.structures._storage import (
    GasStorage,
    RatchetKind,
    RateCurve,
    StorageIntrinsic,
    storage_intrinsic,
)
from trading.pricing.structures._swing_rights import SwingRights, swing_rights

__all__ = [
    "GasStorage",
    "Hedge",
    "InfeasibleContract",
    "Method",
    "Plant",
    "PlantIntrinsic",
    "PlantState",
    "RatchetKind",
    "RateCurve",
    "SettlementRule",
    "SimulatedValue",
    "SpotResponse",
    "StorageIntrinsic",
    "SwingRights",
    "discount_factors",
    "payment_dates",
    "plant_intrinsic",
    "storage_intrinsic",
    "swing_rights",
    "years_actual_actual",
]
