"""The whole way with real processes: server, bridge, broker and batteries, one of them killed."""

import os
import subprocess
import sys
import threading
import time
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.db.models import Sum

from devices import wire
from devices.models import Device
from devices.schedules.models import Acknowledgement, ScheduleDelivery
from devices.schedules.services import publish_schedules
from devices.telemetry.models import TelemetryRecord
from devices.transport.bridge import Bridge
from energyopti.embedded.mqtt import EmbeddedMqtt
from energyopti.foundation import clock
from energyopti.foundation.course import Course
from tests.devices.transport.test_bridge import conninfo
from tests.factories.devices import HALF_HOUR, make_schedule, make_site, system

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers, pytest.mark.slow]
COUNT = 6


@pytest.fixture
def fast_clock(settings, tmp_path):
    """A half-hour in four seconds, from the evening before the clock change."""
    settings.CLOCK_SPEED = 450
    settings.CLOCK_FILE = str(tmp_path / "course.json")
    course = Course(datetime.now(UTC), datetime(2027, 3, 27, 18, tzinfo=UTC))
    course.write(tmp_path / "course.json")
    return settings


@pytest.fixture
def broker(tmp_path_factory, settings):
    folder = tmp_path_factory.mktemp("broker")
    os.chmod(folder.parent, 0o755)
    with EmbeddedMqtt(folder) as running:
        settings.MQTT_URL = running.url
        settings.MQTT_TOPIC_ROOT = f"test-{uuid.uuid4().hex[:8]}"
        yield running


@pytest.fixture
def bridge(broker, fast_clock, settings):
    stop = threading.Event()
    runner = Bridge(
        settings.MQTT_URL, settings.MQTT_TOPIC_ROOT, clock=clock.now, conninfo=conninfo()
    )
    thread = threading.Thread(target=runner.run, args=[stop])
    thread.start()
    yield
    stop.set()
    thread.join(15)
    assert not thread.is_alive()


def start_batteries(live_server, settings, folder):
    database = connection.settings_dict
    address = (
        f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:"
        f"{database['PORT']}/{database['NAME']}"
    )
    code = (
        "import django;from django.conf import settings;"
        "django.setup();"
        f"settings.MQTT_URL={settings.MQTT_URL!r};"
        f"settings.MQTT_TOPIC_ROOT={settings.MQTT_TOPIC_ROOT!r};"
        f"settings.CLOCK_SPEED={settings.CLOCK_SPEED};"
        f"settings.CLOCK_FILE={settings.CLOCK_FILE!r};"
        "from django.core.management import call_command;"
        f"call_command('simulate_devices', count={COUNT}, url={live_server.url!r},"
        f"state_dir=__import__('pathlib').Path({str(folder)!r}), poll_seconds=0.5)"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            "DATABASE_URL": address,
            "DATABASE_OWNER_URL": address,
            "DJANGO_SETTINGS_MODULE": "energyopti.settings.test",
        },
        cwd=django_settings.BASE_DIR,
        stdout=subprocess.DEVNULL,
    )


def wait_for(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.1)


def ended(commands):
    statuses = [str(status) for status in wire.TERMINAL_STATUSES]
    done = Acknowledgement.objects.filter(command_id__in=commands, status__in=statuses)
    return done.values("command_id").distinct().count()


def test_a_killed_fleet_goes_on_and_every_order_is_answered_for(
    live_server, bridge, fast_clock, tmp_path
):
    make_site()
    batteries = start_batteries(live_server, fast_clock, tmp_path)
    try:
        wait_for(lambda: Device.objects.count() == COUNT)
        hour = timedelta(hours=1)
        start = datetime.fromtimestamp((clock.now().timestamp() // 1800 + 2) * 1800, UTC) + 3 * hour
        drafts = [
            make_schedule(device, start=start, modes="cdcd..cd", rate_kw=2)
            for device in Device.objects.all()
        ]
        publish_schedules(actor=system(), drafts=drafts, published_at=clock.now())
        commands = [wire.command_of(draft, entry) for draft in drafts for entry in draft.entries]
        wait_for(lambda: ended(commands) >= COUNT)

        batteries.kill()
        batteries.wait()
        batteries = start_batteries(live_server, fast_clock, tmp_path)
        wait_for(lambda: ended(commands) == len(commands))
        last = start + 8 * HALF_HOUR
        wait_for(
            lambda: (
                TelemetryRecord.objects.filter(ended_at__gte=last)
                .values("device")
                .distinct()
                .count()
                == COUNT
            )
        )
    finally:
        batteries.terminate()
        batteries.wait(20)

    assert batteries.returncode == 0
    assert not ScheduleDelivery.objects.filter(received_at__isnull=True).exists()
    said = Acknowledgement.objects.aggregate(total=Sum("energy_kwh"))["total"]
    newest = TelemetryRecord.objects.order_by("device", "-started_at").distinct("device")
    metered = sum(Decimal(r.import_wh[-1] + r.export_wh[-1]) / 1000 for r in newest)
    assert metered > 10
    assert abs(said - metered) <= metered / 100
