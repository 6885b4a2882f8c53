"""Which power is allowed: intervals that can only get narrower, and who narrowed them."""

from devices.edge.safety._controllers import (
    Controller,
    Decision,
    EmergencyStop,
    PowerLimits,
    SocLimits,
    decide,
    narrowed,
)
from devices.edge.safety._interval import Bound, PowerInterval

__all__ = [
    "Bound",
    "Controller",
    "Decision",
    "EmergencyStop",
    "PowerInterval",
    "PowerLimits",
    "SocLimits",
    "decide",
    "narrowed",
]
