"""Schedules come into force whole, replace what they overlap, and open a delivery."""

from datetime import timedelta

import pytest
from django.db import DataError, IntegrityError, transaction

from devices import wire
from devices.schedules.models import PastSchedule, Schedule, ScheduleDelivery
from devices.schedules.queries.documents import documents
from devices.schedules.services import publish_schedules
from devices.schedules.services.publication import DraftsOverlap, UnknownDevices, VersionConflict
from energyopti.foundation.events.models import Event
from energyopti.foundation.partitions.months import ensure_months
from tests.factories.devices import (
    DAY_START,
    HALF_HOUR,
    make_device,
    make_schedule,
    system,
)

pytestmark = pytest.mark.django_db


def publish(*drafts: wire.Schedule, at=DAY_START):
    return publish_schedules(actor=system(), drafts=drafts, published_at=at)


def document_of(device):
    return documents([device.pk])[device.pk][1]


def test_what_is_published_is_what_the_device_gets():
    device = make_device()
    draft = make_schedule(device, modes="cd.c", source="dispatch")

    published = publish(draft)

    document = document_of(device)
    assert (published.count, published.replaced) == (1, 0)
    assert document.entries == draft.entries
    assert (document.schedule_id, document.version) == (draft.schedule_id, 1)
    assert (document.valid_from, document.valid_to) == (draft.valid_from, draft.valid_to)
    assert document.source == "dispatch"


def test_the_next_day_joins_today_and_todays_orders_keep_their_ids():
    device = make_device()
    today = make_schedule(device, modes="cd")
    tomorrow = make_schedule(device, start=DAY_START + timedelta(days=1), modes="dc")

    publish(today)
    publish(tomorrow)

    document = document_of(device)
    assert document.schedule_id == tomorrow.schedule_id
    assert [wire.command_of(document, entry) for entry in document.entries] == [
        *(wire.command_of(today, entry) for entry in today.entries),
        *(wire.command_of(tomorrow, entry) for entry in tomorrow.entries),
    ]


def test_a_replan_replaces_its_own_period_and_cuts_the_order_that_runs():
    device = make_device()
    morning = make_schedule(device, modes="cccc")
    publish(morning)
    replan = make_schedule(device, start=DAY_START + 1.5 * HALF_HOUR, modes="d", version=1)

    publish(replan, at=DAY_START + HALF_HOUR)

    entries = document_of(device).entries
    assert [(e.start_time - DAY_START, e.end_time - DAY_START, e.mode) for e in entries] == [
        (0 * HALF_HOUR, HALF_HOUR, 2),
        (HALF_HOUR, 1.5 * HALF_HOUR, 2),
        (1.5 * HALF_HOUR, 2.5 * HALF_HOUR, 1),
        (3 * HALF_HOUR, 4 * HALF_HOUR, 2),
    ]
    assert wire.command_of(document_of(device), entries[1]) == wire.command_of(
        morning, morning.entries[1]
    )
    past = PastSchedule.objects.get(schedule_id=morning.schedule_id)
    assert len(past.modes) == 4
    assert past.ended_at == DAY_START + HALF_HOUR


def test_the_same_again_changes_nothing():
    device = make_device()
    draft = make_schedule(device)
    first = publish(draft)

    again = publish(draft)

    assert (again.count, again.unchanged) == (0, 1)
    assert documents([device.pk])[device.pk][0] == first.revisions[device.pk]


@pytest.mark.parametrize("version", [1, 2])
def test_a_changed_schedule_needs_a_higher_version(version):
    device = make_device()
    draft = make_schedule(device, version=2)
    publish(draft)

    with pytest.raises(VersionConflict, match="version 2"):
        publish(make_schedule(device, modes="d", version=version, schedule_id=draft.schedule_id))

    assert document_of(device).entries == draft.entries


def test_nobody_takes_another_devices_schedule_id():
    first, second = make_device("A"), make_device("B")
    draft = make_schedule(first)
    publish(draft)

    with pytest.raises(VersionConflict, match="another device"):
        publish(make_schedule(second, schedule_id=draft.schedule_id, version=9))


def test_all_or_none():
    device, retired = make_device("A"), make_device("B", is_active=False)

    with pytest.raises(UnknownDevices, match=str(retired.pk)):
        publish(make_schedule(device), make_schedule(retired))

    assert not Schedule.objects.filter(device=device).exists()


def test_two_drafts_may_not_order_one_device_at_once():
    device = make_device()

    with pytest.raises(DraftsOverlap, match=str(device.pk)):
        publish(make_schedule(device), make_schedule(device, start=DAY_START + HALF_HOUR))


def test_the_database_itself_refuses_two_schedules_at_once():
    device = make_device()
    publish(make_schedule(device))
    row = Schedule.objects.get(device=device)

    row.pk = None
    with pytest.raises(IntegrityError, match="schedule_no_overlap"), transaction.atomic():
        row.save(force_insert=True)


def test_a_cancelled_schedule_empties_its_period():
    device = make_device()
    draft = make_schedule(device, modes="cd")
    publish(draft)

    publish(
        make_schedule(
            device,
            modes="cd",
            version=2,
            schedule_id=draft.schedule_id,
            status=wire.ScheduleStatus.CANCELLED,
        )
    )

    assert document_of(device).entries == ()


def test_one_event_for_a_batch_and_one_open_delivery_a_device():
    devices = [make_device(f"BAT-{n}") for n in range(5)]

    published = publish(*(make_schedule(device) for device in devices))

    event = Event.objects.get(type="schedule.published")
    assert event.payload["count"] == 5
    deliveries = ScheduleDelivery.objects.filter(received_at__isnull=True)
    assert {d.device_id: d.revision for d in deliveries} == published.revisions


def test_months_exist_only_for_the_device_tables():
    with pytest.raises(DataError, match="no monthly"), transaction.atomic():
        ensure_months(table="auth_group", first=DAY_START.date(), last=DAY_START.date())
