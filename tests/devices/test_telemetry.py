"""Telemetry counts once by device and start, and keeps the newest status."""

from datetime import timedelta

import pytest

from devices.models import DeviceStatus
from devices.telemetry.models import TelemetryRecord
from devices.telemetry.services import record_telemetry
from devices.wire import DeviceState, Outcome
from tests.factories.devices import DAY_START, make_batch, make_device

pytestmark = pytest.mark.django_db
LATER = DAY_START + timedelta(hours=1)


def record(*pairs, at=LATER):
    return record_telemetry(batches=[(device.pk, batch) for device, batch in pairs], received_at=at)


def test_a_batch_is_kept_as_it_came_and_counts_once():
    device = make_device()
    batch = make_batch(device)

    outcomes = [record((device, batch))[0].outcome for _ in range(2)]

    assert outcomes == [Outcome.RECORDED, Outcome.DUPLICATE]
    row = TelemetryRecord.objects.get(device=device)
    assert (row.import_wh, row.ended_at) == ([0, 1000, 2000], DAY_START + timedelta(minutes=30))


def test_twice_in_one_call_counts_once():
    device = make_device()
    batch = make_batch(device)

    receipts = record((device, batch), (device, batch))

    assert [r.outcome for r in receipts] == [Outcome.RECORDED, Outcome.DUPLICATE]


def test_other_samples_under_the_same_start_are_refused():
    device = make_device()
    record((device, make_batch(device)))

    (receipt,) = record((device, make_batch(device, import_wh=(0, 1, 2))))

    assert (receipt.outcome, receipt.code) == (Outcome.REFUSED, "start-replayed")
    assert TelemetryRecord.objects.get(device=device).import_wh == [0, 1000, 2000]


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (DAY_START + timedelta(days=400), "from-the-future"),
        (DAY_START - timedelta(days=91), "too-old"),
    ],
)
def test_a_wrong_clock_is_refused(start, code):
    device = make_device()

    (receipt,) = record((device, make_batch(device, start=start)))

    assert receipt.code == code
    assert not TelemetryRecord.objects.filter(device=device).exists()


def test_another_devices_telemetry_is_refused():
    device, other = make_device("A"), make_device("B")

    assert record((other, make_batch(device)))[0].code == "device-mismatch"


def test_an_older_batch_does_not_overwrite_the_newest_status():
    device = make_device()
    newest = make_batch(device, start=DAY_START + timedelta(minutes=30), soc=(0.5, 0.6, 0.7))
    late = make_batch(device, state=DeviceState.ERROR, fault="cell 3")

    record((device, newest))
    record((device, late), at=LATER + timedelta(hours=1))

    status = DeviceStatus.objects.get(device=device)
    assert (status.state, status.fault, status.soc) == ("RUNNING", "", 0.7)
    assert status.last_seen_at == LATER + timedelta(hours=1)
