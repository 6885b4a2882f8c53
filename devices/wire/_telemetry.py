"""Telemetry: evenly spaced samples of one battery and its site, sent in batches of arrays."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from devices.wire._types import Instant, Text

MAX_SAMPLES = 2880

_Soc = Annotated[float, Meta(ge=0, le=1)]
_Power = Annotated[float, Meta(ge=-1000, le=1000)]
_Counter = Annotated[int, Meta(ge=0, le=9_000_000_000_000_000)]
_COUNTERS = ("import_wh", "export_wh", "consumption_wh")


class DeviceState(StrEnum):
    BOOT = "BOOT"
    IDLE = "IDLE"
    RUNNING = "RUNNING"
    ERROR = "ERROR"
    STOPPED = "STOPPED"


class TelemetryBatch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    Samples taken at start, start + interval, … : sample i stands at `start + i × interval`.

    soc              state of charge, 0 to 1.
    power_kw         mean power since the sample before, > 0 discharging, < 0 charging.
    import_wh        counter of the battery's meter: energy taken to charge, never falls.
    export_wh        the same for energy given by discharging.
    consumption_wh   counter of the site's load, without the battery.
    state, fault     at the last sample.

    Counters are whole watt-hours, so that billing adds what the meter showed.

    :raises ValueError: naming the array whose length differs or whose counter runs backwards.
    """

    device_id: UUID
    start: Instant
    interval_seconds: Annotated[int, Meta(ge=1, le=86_400)]
    soc: Annotated[tuple[_Soc, ...], Meta(min_length=1, max_length=MAX_SAMPLES)]
    power_kw: Annotated[tuple[_Power, ...], Meta(max_length=MAX_SAMPLES)]
    import_wh: Annotated[tuple[_Counter, ...], Meta(max_length=MAX_SAMPLES)]
    export_wh: Annotated[tuple[_Counter, ...], Meta(max_length=MAX_SAMPLES)]
    consumption_wh: Annotated[tuple[_Counter, ...], Meta(max_length=MAX_SAMPLES)]
    state: DeviceState
    fault: Text | UnsetType = UNSET
    wire_version: Literal[1] | UnsetType = UNSET

    def __post_init__(self) -> None:
        count = len(self.soc)
        for name in ("power_kw", *_COUNTERS):
            if (length := len(getattr(self, name))) != count:
                raise ValueError(f"{name} has {length} samples, soc has {count}")
        for name in _COUNTERS:
            for number, (before, after) in enumerate(pairwise(getattr(self, name)), start=1):
                if after < before:
                    raise ValueError(f"{name}[{number}] runs backwards, from {before} to {after}")

    @property
    def end(self) -> datetime:
        """Return the instant of the last sample."""
        return self.start + timedelta(seconds=self.interval_seconds * (len(self.soc) - 1))

    @property
    def key(self) -> str:
        """Name this batch in confirmations."""
        return self.start.astimezone(UTC).isoformat()
