"""Limits, interlocks and requests; all of them narrow, and one that fails stops its battery."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from devices.edge.core import Snapshot
from devices.edge.safety._interval import PowerInterval

logger = logging.getLogger(__name__)
_HOUR = timedelta(hours=1)


class Controller(Protocol):
    """Whoever has a say in the power: a limit, an interlock, a schedule, a remote command."""

    @property
    def name(self) -> str: ...

    def narrow(self, snapshot: Snapshot, allowed: PowerInterval) -> PowerInterval: ...


@dataclass(frozen=True)
class Decision:
    """
    The set-point of a cycle in kW at the meter, and why.

    envelope    what limits and interlocks leave; the set-point lies inside, whoever asked.
    failures    names of controllers that failed in this cycle.
    """

    setpoint_kw: float
    by: str
    envelope: PowerInterval
    failures: tuple[str, ...] = ()


@dataclass(frozen=True)
class PowerLimits:
    """Nameplate power at the meter, both ≥ 0."""

    max_charge_kw: float
    max_discharge_kw: float
    name: str = "power limits"

    def narrow(self, snapshot: Snapshot, allowed: PowerInterval) -> PowerInterval:
        return allowed.at_least(-self.max_charge_kw, self.name).at_most(
            self.max_discharge_kw, self.name
        )


@dataclass(frozen=True)
class SocLimits:
    """
    Keep the state of charge within [min_soc, max_soc] until the next cycle looks again.

    Outside of the range it allows no power that leads further out.
    """

    capacity_kwh: float
    charge_efficiency: float
    discharge_efficiency: float
    min_soc: float
    max_soc: float
    name: str = "state-of-charge limits"

    def narrow(self, snapshot: Snapshot, allowed: PowerInterval) -> PowerInterval:
        soc, hours = snapshot.soc.get(), snapshot.ahead / _HOUR
        room_kwh = max(0.0, self.max_soc - soc) * self.capacity_kwh / self.charge_efficiency
        stock_kwh = max(0.0, soc - self.min_soc) * self.capacity_kwh * self.discharge_efficiency
        return allowed.at_least(-room_kwh / hours, self.name).at_most(stock_kwh / hours, self.name)


@dataclass(frozen=True)
class EmergencyStop:
    """No power while the button is pressed, or while nobody knows whether it is."""

    name: str = "emergency stop"

    def narrow(self, snapshot: Snapshot, allowed: PowerInterval) -> PowerInterval:
        if snapshot.emergency_stop.get():
            return allowed.exactly(0.0, self.name)
        return allowed


def narrowed(
    controllers: Sequence[Controller], snapshot: Snapshot, allowed: PowerInterval
) -> tuple[PowerInterval, tuple[str, ...]]:
    """
    Let controllers narrow an interval one after the other; return it and the names that failed.

    One that raises, or returns what the interval did not allow, is not skipped: the battery is
    put to rest (0 kW, or the nearest that is allowed).
    """
    failures: list[str] = []
    for controller in controllers:
        try:
            narrower = controller.narrow(snapshot, allowed)
            if not allowed.covers(narrower):
                raise ValueError(f"{controller.name} tried to widen what is allowed")
        except Exception as error:  # noqa: BLE001 - whatever fails in a controller, the battery rests
            logger.warning("controller %s failed: %s", controller.name, error)
            failures.append(controller.name)
            narrower = allowed.exactly(0.0, f"{controller.name} failed")
        allowed = narrower
    return allowed, tuple(failures)


def decide(
    snapshot: Snapshot,
    *,
    nameplate: PowerInterval,
    limits: Sequence[Controller],
    requests: Sequence[Controller],
) -> Decision:
    """
    Return the set-point: requests may only choose within what limits and interlocks leave.

    A limit that fails rests the battery whatever is requested. Where nothing is requested the
    battery idles.
    """
    envelope, failed_limits = narrowed(limits, snapshot, nameplate)
    chosen, failed_requests = narrowed(requests, snapshot, envelope)
    setpoint = chosen.clamp(0.0)
    at_lower = setpoint == chosen.lower.power_kw
    by = chosen.lower.by if at_lower else chosen.upper.by
    # The last word is the envelope's, even if a request had found a way around.
    return Decision(
        setpoint_kw=envelope.clamp(setpoint),
        by=by,
        envelope=envelope,
        failures=failed_limits + failed_requests,
    )
