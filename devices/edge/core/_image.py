"""The process image: drivers write the next values, one swap a cycle freezes them for everybody."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Quality(StrEnum):
    GOOD = "GOOD"
    STALE = "STALE"
    UNDEFINED = "UNDEFINED"


class Undefined(LookupError):
    """A value was needed that no driver delivered, or that is too old to act upon."""


@dataclass(frozen=True)
class Reading(Generic[Value]):
    """
    A value with the time it was measured and what it is worth now.

    A reader says what shall happen where there is none: `get` raises, `value_or` replaces.
    """

    name: str
    value: Value | None
    measured_at: datetime | None
    quality: Quality

    def get(self) -> Value:
        """
        Return a good value.

        :raises Undefined: if the value is stale or was never measured.
        """
        if self.quality is not Quality.GOOD or self.value is None:
            raise Undefined(f"{self.name} is {self.quality}")
        return self.value

    def value_or(self, default: Value) -> Value:
        """Return the value if it is good, else the default."""
        return self.value if self.quality is Quality.GOOD and self.value is not None else default


@dataclass(frozen=True)
class Snapshot:
    """
    What is known at `at`; nothing changes while controllers look at it.

    ahead           how long the set-point of this cycle will hold.
    soc             state of charge, 0 to 1.
    emergency_stop  True when the mushroom button is pressed.
    """

    at: datetime
    ahead: timedelta
    soc: Reading[float]
    emergency_stop: Reading[bool]


class ProcessImage:
    """
    Collect what drivers measure and swap it into snapshots.

    lifetime    age at which a value is stale.
    """

    def __init__(self, *, lifetime: timedelta) -> None:
        self._lifetime = lifetime
        self._soc: tuple[float, datetime] | None = None
        self._emergency_stop: tuple[bool, datetime] | None = None

    def measure_soc(self, value: float, at: datetime) -> None:
        self._soc = (value, at)

    def measure_emergency_stop(self, pressed: bool, at: datetime) -> None:
        self._emergency_stop = (pressed, at)

    def swap(self, at: datetime, ahead: timedelta) -> Snapshot:
        """Freeze what is known at an instant."""
        return Snapshot(
            at=at,
            ahead=ahead,
            soc=self._reading("soc", self._soc, at),
            emergency_stop=self._reading("emergency_stop", self._emergency_stop, at),
        )

    def _reading(
        self, name: str, held: tuple[Value, datetime] | None, at: datetime
    ) -> Reading[Value]:
        if held is None:
            return Reading(name, None, None, Quality.UNDEFINED)
        value, measured_at = held
        is_stale = at - measured_at > self._lifetime
        return Reading(name, value, measured_at, Quality.STALE if is_stale else Quality.GOOD)
