"""Valid devices, schedules, acknowledgements and telemetry from few arguments."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from devices import wire
from devices.models import Device, Transport
from devices.services.registration import issue_credentials
from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization, Site

HALF_HOUR = timedelta(minutes=30)
DAY_START = datetime(2027, 3, 1, tzinfo=UTC)


def system() -> Actor:
    """A new one each time: an actor remembers which organizations there are."""
    return Actor.system("test")


def make_organization(name: str = "Voltara Energie", **fields: object) -> Organization:
    slug = name.lower().replace(" ", "-")
    return Organization.objects.get_or_create(name=name, slug=slug, defaults=fields)[0]


def make_site(organization: Organization | None = None, name: str = "Hall 1") -> Site:
    return Site.objects.get_or_create(
        organization=organization or make_organization(),
        name=name,
        defaults={"market_zone": "DE-LU", "grid_connection_kw": Decimal(100)},
    )[0]


def make_device(code: str = "BAT-1", *, site: Site | None = None, **fields: object) -> Device:
    site = site or make_site()
    return Device.objects.create(
        organization=site.organization,
        site=site,
        code=code,
        **{
            "transport": Transport.HTTP,
            "capacity_kwh": Decimal(10),
            "max_charge_kw": Decimal(5),
            "max_discharge_kw": Decimal(5),
            **fields,
        },
    )


def token_of(device: Device) -> str:
    return issue_credentials(actor=system(), devices=[device], issued_at=DAY_START)[device]


def make_schedule(
    device: Device | uuid.UUID,
    *,
    start: datetime = DAY_START,
    modes: str = "cd.",
    rate_kw: float = 4,
    **fields: object,
) -> wire.Schedule:
    """One half-hour a letter: c charges, d discharges, a dot idles."""
    named = {"c": wire.Mode.CHARGE, "d": wire.Mode.DISCHARGE}
    entries = tuple(
        wire.ScheduleEntry(
            start_time=start + i * HALF_HOUR,
            end_time=start + (i + 1) * HALF_HOUR,
            mode=named[letter],
            rate_kw=rate_kw,
        )
        for i, letter in enumerate(modes)
        if letter != "."
    )
    return wire.Schedule(
        **{
            "schedule_id": uuid.uuid4(),
            "device_id": device if isinstance(device, uuid.UUID) else device.pk,
            "version": 1,
            "valid_from": start,
            "valid_to": start + len(modes) * HALF_HOUR,
            "entries": entries,
            **fields,
        }
    )


def make_update(
    schedule: wire.Schedule,
    number: int = 0,
    *,
    status: wire.InstructionStatus = wire.InstructionStatus.STARTED,
    sequence: int = 1,
    **fields: object,
) -> wire.InstructionStatusUpdate:
    entry = schedule.entries[number]
    return wire.InstructionStatusUpdate(
        **{
            "device_id": schedule.device_id,
            "command_id": wire.command_of(schedule, entry),
            "sequence": sequence,
            "status": status,
            "reported_at": entry.start_time,
            **fields,
        }
    )


def make_batch(
    device: Device | uuid.UUID, *, start: datetime = DAY_START, samples: int = 3, **fields: object
) -> wire.TelemetryBatch:
    return wire.TelemetryBatch(
        **{
            "device_id": device if isinstance(device, uuid.UUID) else device.pk,
            "start": start,
            "interval_seconds": 900,
            "soc": tuple(0.5 for _ in range(samples)),
            "power_kw": tuple(-4.0 for _ in range(samples)),
            "import_wh": tuple(1000 * i for i in range(samples)),
            "export_wh": tuple(0 for _ in range(samples)),
            "consumption_wh": tuple(300 * i for i in range(samples)),
            "state": wire.DeviceState.RUNNING,
            **fields,
        }
    )
