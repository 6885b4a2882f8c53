"""Contracts with choices in them: what they are worth on the curve, and beyond it."""

from trading.pricing.structures._battery import (
    Battery,
    BatteryIntrinsic,
    battery_extrinsic,
    battery_intrinsic,
    battery_network,
)
from trading.pricing.structures._intervals import InfeasibleContract
from trading.pricing.structures._plant import (
    Plant,
    PlantIntrinsic,
    PlantPaths,
    PlantState,
    plant_extrinsic,
    plant_intrinsic,
    plant_network,
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
)
from trading.pricing.structures._storage_intrinsic import StorageIntrinsic, storage_intrinsic
from trading.pricing.structures._storage_paths import storage_extrinsic
from trading.pricing.structures._swing import (
    ContractYear,
    Swing,
    SwingIntrinsic,
    swing_extrinsic,
    swing_intrinsic,
    swing_network,
)
from trading.pricing.structures._swing_rights import SwingRights, swing_rights

__all__ = [
    "Battery",
    "BatteryIntrinsic",
    "ContractYear",
    "GasStorage",
    "Hedge",
    "InfeasibleContract",
    "Method",
    "Plant",
    "PlantIntrinsic",
    "PlantPaths",
    "PlantState",
    "RatchetKind",
    "RateCurve",
    "SettlementRule",
    "SimulatedValue",
    "SpotResponse",
    "StorageIntrinsic",
    "Swing",
    "SwingIntrinsic",
    "SwingRights",
    "battery_extrinsic",
    "battery_intrinsic",
    "battery_network",
    "discount_factors",
    "payment_dates",
    "plant_extrinsic",
    "plant_intrinsic",
    "plant_network",
    "storage_extrinsic",
    "storage_intrinsic",
    "swing_extrinsic",
    "swing_intrinsic",
    "swing_network",
    "swing_rights",
    "years_actual_actual",
]
