"""Time, and what the program knows of its battery at one instant."""

from devices.edge.core._clock import Clock, SetClock
from devices.edge.core._image import ProcessImage, Quality, Reading, Snapshot, Undefined

__all__ = [
    "Clock",
    "ProcessImage",
    "Quality",
    "Reading",
    "SetClock",
    "Snapshot",
    "Undefined",
]
