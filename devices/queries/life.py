"""One battery's last and next day: what it was told, what it did, what it said."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from devices import wire
from devices.models import Device
from devices.schedules.models import Acknowledgement, Schedule, ScheduleDelivery
from devices.schedules.queries.documents import entries_of
from devices.telemetry.models import TelemetryRecord
from energyopti.accounts.actors import Actor
from energyopti.foundation.intervals import Interval

STEP = timedelta(minutes=30)


@dataclass(frozen=True)
class Point:
    """One half-hour: mean powers in kW (> 0 discharges) and charge in %, None where unknown."""

    start: datetime
    scheduled_kw: float
    actual_kw: float | None
    soc_percent: float | None


@dataclass(frozen=True)
class DeviceLife:
    """What a device's page shows."""

    points: list[Point]
    acknowledgements: list[Acknowledgement]
    delivery: ScheduleDelivery | None
    next_orders: list[wire.ScheduleEntry]


def visible_device(actor: Actor, device_id: UUID) -> Device | None:
    """Return a device of the actor's organizations with its newest status."""
    return (
        Device.objects.filter(organization_id__in=actor.organization_ids, pk=device_id)
        .select_related("site", "organization", "status_row")
        .first()
    )


def device_life(device: Device, *, now: datetime, day: Interval | None = None) -> DeviceLife:
    """
    Return the day before and after `now` in half-hours, or one whole day; four queries.

    day    what to look at instead; its orders are then all of that day's, not the next ones
    """
    first = datetime.fromtimestamp(now.timestamp() // 1800 * 1800, UTC) - timedelta(days=1)
    last = first + timedelta(days=2)
    if day is not None:
        first, last = day.start, day.end
    rows = list(
        Schedule.objects.filter(device=device, period__overlap=(first, last)).order_by("period")
    )
    entries = [entry for row in rows for entry in entries_of(row)]
    scheduled = _half_hours(entries, first)
    actual, charge = _measured(device, first, last)
    points = []
    for number in range(int((last - first) / STEP)):
        start = first + number * STEP
        points.append(
            Point(start, scheduled.get(number, 0.0), actual.get(number), charge.get(number))
        )
    said = Acknowledgement.objects.filter(
        device=device, command_start__gte=first, command_start__lt=last
    ).order_by("-reported_at", "-sequence")[:60]
    return DeviceLife(
        points=points,
        acknowledgements=list(said),
        delivery=ScheduleDelivery.objects.filter(device=device).first(),
        next_orders=[entry for entry in entries if entry.end_time > now][:12]
        if day is None
        else [entry for entry in entries if first <= entry.start_time < last],
    )


def _half_hours(entries: list[wire.ScheduleEntry], first: datetime) -> dict[int, float]:
    """Return mean scheduled power by number of half-hour."""
    powers: dict[int, float] = {}
    for entry in entries:
        sign = 1 if entry.mode is wire.Mode.DISCHARGE else -1
        at = max(entry.start_time, first)
        while at < entry.end_time:
            number = (at - first) // STEP
            until = min(entry.end_time, first + (number + 1) * STEP)
            share = (until - at) / STEP
            powers[number] = powers.get(number, 0.0) + sign * entry.rate_kw * share
            at = until
    return powers


def _measured(
    device: Device, first: datetime, last: datetime
) -> tuple[dict[int, float], dict[int, float]]:
    """Return mean power and last charge by number of half-hour; a sample tells what was before."""
    powers: dict[int, list[float]] = {}
    charge: dict[int, float] = {}
    records = TelemetryRecord.objects.filter(
        device=device, started_at__gte=first - timedelta(hours=1), started_at__lt=last
    ).order_by("started_at")
    for record in records:
        step = timedelta(seconds=record.interval_seconds)
        for index, (power, soc) in enumerate(zip(record.power_kw, record.soc, strict=True)):
            at = record.started_at + index * step
            if not first < at <= last:
                continue
            number = (at - timedelta(microseconds=1) - first) // STEP
            powers.setdefault(number, []).append(power)
            charge[number] = round(soc * 100, 1)
    return {n: sum(values) / len(values) for n, values in powers.items()}, charge
