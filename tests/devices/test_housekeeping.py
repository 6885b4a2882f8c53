"""What runs beside the conversation: ended schedules leave, and one bad message stops no other."""

from datetime import timedelta

import pytest
from django.db import DataError

from devices import wire
from devices.schedules.models import Acknowledgement, PastSchedule, Schedule
from devices.schedules.services import publish_schedules
from devices.schedules.services.archive import archive_schedules, make_months_ahead
from devices.transport import inbox
from devices.transport.inbox import Incoming, store
from tests.factories.devices import (
    DAY_START,
    make_batch,
    make_device,
    make_schedule,
    make_update,
    system,
)

pytestmark = pytest.mark.django_db


def test_schedules_that_are_over_move_to_the_past_and_keep_their_orders():
    device = make_device()
    old = make_schedule(device, modes="cd")
    later = make_schedule(device, start=DAY_START + timedelta(days=2), modes="dc")
    publish_schedules(actor=system(), drafts=[old, later], published_at=DAY_START)

    moved = archive_schedules(now=DAY_START + timedelta(days=1, hours=2))

    assert moved == 1
    assert Schedule.objects.get().schedule_id == later.schedule_id
    past = PastSchedule.objects.get()
    assert (past.schedule_id, past.modes) == (old.schedule_id, [2, 1])
    assert archive_schedules(now=DAY_START + timedelta(days=1, hours=2)) == 0


def test_months_are_made_ahead_once():
    far = DAY_START + timedelta(days=3650)

    assert make_months_ahead(now=far) == 9
    assert make_months_ahead(now=far) == 0


def test_a_message_that_the_database_refuses_stops_no_other(monkeypatch):
    devices = [make_device(f"BAT-{n}") for n in range(4)]
    drafts = [make_schedule(device) for device in devices]
    publish_schedules(actor=system(), drafts=drafts, published_at=DAY_START)
    honest = inbox.acknowledge
    poisoned = devices[2].pk

    def refuse_one(*, messages, received_at):
        if any(sender == poisoned for sender, _ in messages):
            raise DataError("value out of range")
        return honest(messages=messages, received_at=received_at)

    monkeypatch.setattr(inbox, "acknowledge", refuse_one)
    incoming = [
        Incoming(draft.device_id, "acks", wire.render(make_update(draft))) for draft in drafts
    ] + [Incoming(devices[0].pk, "telemetry", wire.render(make_batch(devices[0])))]

    receipts = store(incoming, received_at=DAY_START + timedelta(hours=1))

    assert Acknowledgement.objects.count() == 3
    assert [r.code for r in receipts[poisoned]] == ["not-storable"]
    assert [r.outcome for r in receipts[devices[0].pk]] == ["RECORDED", "RECORDED"]
