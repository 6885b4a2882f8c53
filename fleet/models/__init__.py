from .runs import DevicePlan, DispatchRun, EnergySettlement

__all__ = ["DevicePlan", "DispatchRun", "EnergySettlement"]
