"""Follow the schedule: one of the controllers, with no more power than any other request."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec import UNSET

from devices.edge.core import Snapshot
from devices.edge.safety import PowerInterval
from devices.edge.simulator import BatteryModel
from devices.wire import Mode, Schedule, ScheduleEntry

_HOUR = timedelta(hours=1)


def entry_at(schedule: Schedule | None, at: datetime) -> ScheduleEntry | None:
    """Return the entry that stands at an instant; none where the schedule is silent."""
    if schedule is None or schedule.is_cancelled:
        return None
    number = bisect_right(schedule.entries, at, key=lambda entry: entry.start_time) - 1
    if number < 0 or at >= schedule.entries[number].end_time:
        return None
    return schedule.entries[number]


@dataclass
class ScheduleFollower:
    """
    Ask for the entry's power, and for nothing without an entry.

    With a `target_soc` it slows down so as not to pass the target before the entry ends: where
    reality is ahead of the plan, what the plan counts on later is still there. It never asks for
    more than the entry's rate.
    """

    model: BatteryModel
    schedule: Schedule | None = None
    name: str = "schedule"

    def narrow(self, snapshot: Snapshot, allowed: PowerInterval) -> PowerInterval:
        entry = entry_at(self.schedule, snapshot.at)
        if entry is None:
            return allowed.exactly(0.0, f"{self.name}: idle")
        rate = entry.rate_kw
        if entry.target_soc is not UNSET:
            hours = (entry.end_time - snapshot.at) / _HOUR
            rate = min(rate, self._energy_to(entry.target_soc, snapshot.soc.get(), entry) / hours)
        power = rate if entry.mode is Mode.DISCHARGE else -rate
        return allowed.exactly(power, self.name)

    def _energy_to(self, target: float, soc: float, entry: ScheduleEntry) -> float:
        """Return the energy at the meter, ≥ 0, that leads to the target."""
        model = self.model
        if entry.mode is Mode.DISCHARGE:
            return max(0.0, soc - target) * model.capacity_kwh * model.discharge_efficiency
        return max(0.0, target - soc) * model.capacity_kwh / model.charge_efficiency
