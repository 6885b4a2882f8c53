"""A fleet's day in one post: 10,000 schedules of 48 half-hours, beside COPY of the same rows."""

import statistics
import time
import uuid
from decimal import Decimal

import psycopg
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client

from devices import wire
from devices.models import Device, Transport
from devices.schedules.models import Schedule
from devices.schedules.services.publication import _row_of
from energyopti.accounts.models import Membership, User
from energyopti.accounts.roles import Role
from energyopti.accounts.services.roles import synchronize_roles
from tests.factories.devices import DAY_START, HALF_HOUR, make_site

from .bench_events import conninfo
from .runner import Bench, benchmark

SCHEDULES = 10_000
ENTRIES = 48
ROUNDS = 3
COLUMNS = (
    "schedule_id, version, device_id, period, origin, start_seconds, end_seconds, modes, rates_kw,"
    " target_socs, source, published_at"
)


@benchmark("bulk_schedules")
def bulk_schedules(bench: Bench) -> None:
    """Compare the whole post (parsing, checks, tables, event, answer) with the bare rows."""
    devices, client = fleet(), operator()
    posted, replaced, copied = [], [], []
    for _ in range(ROUNDS):
        empty()
        drafts = day_of(devices)
        body = wire.render(drafts)
        posted.append(post(client, body, replaced=0))
        replaced.append(post(client, wire.render(day_of(devices)), replaced=SCHEDULES))
        empty()
        copied.append(copy([_row_of(draft, DAY_START) for draft in drafts]))
    seconds = statistics.median(copied)
    for what, values, target in (
        (f"post of {SCHEDULES:,} × {ENTRIES}", posted, 3.0),
        ("the same, replacing as many in force", replaced, None),
    ):
        bench.record(
            what,
            value=statistics.median(values),
            unit="s",
            reference="COPY of the same rows",
            reference_value=seconds,
            better="lower",
            target=target,
        )
    empty()
    Device.objects.all().delete()


def fleet() -> list[uuid.UUID]:
    site = make_site()
    made = Device.objects.bulk_create(
        Device(
            organization=site.organization,
            site=site,
            code=f"BULK-{number}",
            transport=Transport.HTTP,
            capacity_kwh=Decimal(10),
            max_charge_kw=Decimal(5),
            max_discharge_kw=Decimal(5),
        )
        for number in range(SCHEDULES)
    )
    return [device.pk for device in made]


def operator() -> Client:
    synchronize_roles()
    user = User.objects.create_user(f"bulk-{uuid.uuid4().hex[:8]}@example.com", "x" * 20)
    user.groups.add(Group.objects.get(name=Role.DEVICE_OPERATOR))
    Membership.objects.create(user=user, organization=make_site().organization)
    client = Client()
    client.force_login(user)
    return client


def day_of(devices: list[uuid.UUID]) -> list[wire.Schedule]:
    modes = [wire.Mode.CHARGE, wire.Mode.DISCHARGE]
    return [
        wire.Schedule(
            schedule_id=uuid.uuid4(),
            device_id=device,
            version=1,
            valid_from=DAY_START,
            valid_to=DAY_START + ENTRIES * HALF_HOUR,
            entries=tuple(
                wire.ScheduleEntry(
                    start_time=DAY_START + i * HALF_HOUR,
                    end_time=DAY_START + (i + 1) * HALF_HOUR,
                    mode=modes[(i + number) % 2],
                    rate_kw=round(1 + (i * 7 + number) % 39 / 10, 3),
                )
                for i in range(ENTRIES)
            ),
        )
        for number, device in enumerate(devices)
    ]


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE schedules_schedule, schedules_pastschedule, schedules_scheduledelivery"
        )


def post(client: Client, body: bytes, *, replaced: int) -> float:
    started = time.perf_counter()
    answer = client.post("/api/v1/devices/schedules/bulk", body, content_type="application/json")
    seconds = time.perf_counter() - started
    assert answer.json() == {"published": SCHEDULES, "unchanged": 0, "replaced": replaced}
    assert Schedule.objects.count() == SCHEDULES
    return seconds


def copy(rows: list[tuple]) -> float:
    started = time.perf_counter()
    with psycopg.connect(conninfo()) as direct, direct.cursor() as cursor:
        with cursor.copy(f"COPY schedules_schedule ({COLUMNS}) FROM STDIN") as stream:
            for row in rows:
                stream.write_row(row)
        direct.commit()
    seconds = time.perf_counter() - started
    assert Schedule.objects.count() == SCHEDULES
    return seconds
