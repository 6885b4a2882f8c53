"""What devices say counts once, in order, and only for their own orders."""

from datetime import timedelta
from decimal import Decimal

import pytest

from devices import wire
from devices.models import DeviceStatus
from devices.schedules.models import Acknowledgement, ScheduleDelivery
from devices.schedules.services import acknowledge, publish_schedules
from devices.wire import InstructionStatus, Outcome
from energyopti.foundation.events.models import Event
from tests.factories.devices import DAY_START, HALF_HOUR, make_device, make_schedule, system
from tests.factories.devices import make_update as update

pytestmark = pytest.mark.django_db
LATER = DAY_START + timedelta(hours=2)


@pytest.fixture
def device():
    return make_device()


@pytest.fixture
def schedule(device):
    draft = make_schedule(device, modes="cd")
    publish_schedules(actor=system(), drafts=[draft], published_at=DAY_START)
    return draft


def tell(device, *messages, at=LATER):
    return acknowledge(messages=[(device.pk, m) for m in messages], received_at=at)


def states_of(device):
    return list(
        Acknowledgement.objects.filter(device=device)
        .order_by("command_start", "sequence")
        .values_list("status", flat=True)
    )


def test_an_order_goes_from_started_to_succeeded_with_its_energy(device, schedule):
    receipts = tell(
        device,
        update(schedule),
        update(
            schedule,
            sequence=2,
            status=InstructionStatus.SUCCEEDED,
            energy_kwh=Decimal("1.998"),
        ),
    )

    assert [r.outcome for r in receipts] == [Outcome.RECORDED, Outcome.RECORDED]
    ended = Acknowledgement.objects.get(device=device, sequence=2)
    assert (ended.energy_kwh, ended.command_start) == (Decimal("1.998"), DAY_START)
    assert DeviceStatus.objects.get(device=device).last_seen_at == LATER


def test_the_same_update_twice_counts_once(device, schedule):
    tell(device, update(schedule))

    (receipt,) = tell(device, update(schedule), at=LATER + HALF_HOUR)

    assert receipt.outcome is Outcome.DUPLICATE
    assert states_of(device) == ["STARTED"]


@pytest.mark.parametrize(
    ("second", "code"),
    [
        ({"sequence": 5, "status": InstructionStatus.ABORTED}, "sequence-replayed"),
        ({"sequence": 4, "status": InstructionStatus.SUCCEEDED}, "sequence-replayed"),
        ({"sequence": 6, "status": InstructionStatus.ACCEPTED}, "status-out-of-order"),
        ({"sequence": 6, "status": InstructionStatus.STARTED}, "status-out-of-order"),
    ],
)
def test_a_replayed_or_backward_update_changes_nothing_and_is_reported(
    device, schedule, second, code
):
    tell(device, update(schedule, sequence=5))

    (receipt,) = tell(device, update(schedule, **second))

    assert (receipt.outcome, receipt.code) == (Outcome.REFUSED, code)
    assert states_of(device) == ["STARTED"]
    alarm = Event.objects.get(type="device.message_refused")
    assert (alarm.aggregate_id, alarm.payload["code"]) == (str(device.pk), code)


def test_an_order_of_another_device_is_unknown(device, schedule):
    other = make_device("BAT-2")

    (receipt,) = tell(other, update(schedule, device_id=other.pk))

    assert (receipt.outcome, receipt.code) == (Outcome.REFUSED, "unknown-command")


def test_a_message_in_another_devices_name_is_refused(device, schedule):
    other = make_device("BAT-2")

    (receipt,) = tell(other, update(schedule))

    assert receipt.code == "device-mismatch"
    assert states_of(device) == []


def test_one_bad_update_does_not_stop_the_good_ones(device, schedule):
    receipts = tell(
        device,
        update(schedule, command_id=schedule.schedule_id),
        update(schedule, 1),
    )

    assert [r.outcome for r in receipts] == [Outcome.REFUSED, Outcome.RECORDED]


def test_an_order_that_was_replaced_can_still_be_acknowledged(device, schedule):
    publish_schedules(
        actor=system(),
        drafts=[make_schedule(device, modes="dd")],
        published_at=DAY_START + HALF_HOUR,
    )

    (receipt,) = tell(device, update(schedule, 1, status=InstructionStatus.REVOKED))

    assert receipt.outcome is Outcome.RECORDED


def test_an_update_comes_too_late_after_two_weeks(device, schedule):
    (receipt,) = tell(device, update(schedule), at=DAY_START + timedelta(days=15))

    assert receipt.code == "command-expired"


def reception(schedule, **fields):
    return wire.ReceptionStatus(
        **{
            "device_id": schedule.device_id,
            "schedule_id": schedule.schedule_id,
            "version": schedule.version,
            "status": wire.ReceptionStatusValue.OK,
            "reported_at": DAY_START,
            **fields,
        }
    )


def test_a_reception_closes_the_delivery(device, schedule):
    (receipt,) = tell(device, reception(schedule))

    delivery = ScheduleDelivery.objects.get(device=device)
    assert receipt.outcome is Outcome.RECORDED
    assert (delivery.received_at, delivery.reception) == (LATER, "OK")
    assert tell(device, reception(schedule))[0].outcome is Outcome.DUPLICATE


def test_a_late_reception_of_an_older_version_leaves_the_newer_delivery_open(device, schedule):
    newer = make_schedule(device, modes="d", version=2, schedule_id=schedule.schedule_id)
    publish_schedules(actor=system(), drafts=[newer], published_at=LATER)

    (receipt,) = tell(device, reception(schedule))

    assert receipt.outcome is Outcome.DUPLICATE
    assert ScheduleDelivery.objects.get(device=device).received_at is None


def test_a_temporary_error_keeps_the_delivery_open(device, schedule):
    tell(device, reception(schedule, status=wire.ReceptionStatusValue.TEMPORARY_ERROR))

    delivery = ScheduleDelivery.objects.get(device=device)
    assert (delivery.received_at, delivery.reception) == (None, "TEMPORARY_ERROR")


def test_a_reception_of_a_schedule_never_sent_is_refused(device, schedule):
    assert tell(device, reception(schedule, version=7))[0].code == "unknown-schedule"
