"""A battery and a house that exist only as numbers, with meters that count like real ones."""

from devices.edge.simulator._battery import BatteryModel, BatteryTwin
from devices.edge.simulator._load import SiteLoad

__all__ = ["BatteryModel", "BatteryTwin", "SiteLoad"]
