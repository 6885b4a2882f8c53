"""Metered volumes: exact, versioned, isolated between organizations, refused by row."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection
from django.db.migrations.loader import MigrationLoader

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.models import Organization
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from energyopti.foundation.intervals import Interval
from tests.factories.accounts import make_actor, make_organization, make_site
from tests.factories.trading import make_market
from trading.models import Actual, Flow, MeteringPointKind
from trading.queries.actuals import actuals, uncontained
from trading.services.actuals import ActualRefused, ActualRow, ActualsBooked, book_actuals

pytestmark = pytest.mark.django_db
START = datetime(2027, 1, 31, 23, 30, tzinfo=UTC)
JANUARY_END = Interval(START, START + timedelta(hours=2))


@pytest.fixture
def reading():
    return ActualRow(
        organization_id=make_organization().pk,
        market=make_market(),
        asset_id="device-1",
        flow=Flow.IMPORT,
        metering_point_kind=MeteringPointKind.CONNECTION_POINT,
        start=START,
        minutes=30,
        energy_kwh=Decimal("1.234567"),
    )


def book(*rows):
    return book_actuals(actor=Actor.system("test"), rows=rows, source="test")


def test_readings_over_a_month_end_are_booked_exactly(reading):
    later = replace(reading, start=START + timedelta(minutes=30), energy_kwh=Decimal(0))
    fed = replace(reading, flow=Flow.EXPORT)

    booked = book(reading, later, fed)

    found = actuals(actor=Actor.system("test"), interval=JANUARY_END)
    assert booked == ActualsBooked(3, 3, 0)
    assert [(a.flow, a.energy_kwh, a.version) for a in found] == [
        ("EXPORT", Decimal("1.234567"), 1),
        ("IMPORT", Decimal("1.234567"), 1),
        ("IMPORT", Decimal(0), 1),
    ]
    assert found[0].interval == Interval(START, START + timedelta(minutes=30))


def test_the_same_reading_again_is_nothing_and_another_value_the_next_version(reading):
    book(reading)
    before = datetime.now(UTC)
    again = book(reading)
    corrected = book(replace(reading, energy_kwh=Decimal("2")))
    back = book(reading)

    (now,) = actuals(actor=Actor.system("test"), interval=JANUARY_END)
    (then,) = actuals(actor=Actor.system("test"), interval=JANUARY_END, as_of=before)
    assert again == ActualsBooked(1, 0, 0)
    assert corrected == back == ActualsBooked(1, 0, 1)
    assert (now.energy_kwh, now.version) == (Decimal("1.234567"), 3)
    assert then.version == 1
    assert Actual.objects.count() == 3


def test_one_event_an_organization_that_something_changed_for(reading):
    other = replace(reading, organization_id=make_organization().pk)
    book(reading)
    book(reading, other)

    events = Event.objects.filter(type="actuals.booked").order_by("id")
    assert [str(e.organization_id) for e in events] == [
        str(reading.organization_id),
        str(other.organization_id),
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"asset_id": ""}, "asset_id"),
        ({"flow": "SIDEWAYS"}, "flow"),
        ({"metering_point_kind": "ROOF"}, "metering_point_kind"),
        ({"minutes": 20}, "minutes"),
        ({"start": datetime(2027, 1, 31, 23, 30)}, "start"),
        ({"start": START + timedelta(minutes=7)}, "start"),
        ({"energy_kwh": 1.5}, "energy_kwh"),
        ({"energy_kwh": Decimal("NaN")}, "energy_kwh"),
        ({"energy_kwh": Decimal("-0.1")}, "energy_kwh"),
        ({"energy_kwh": Decimal("0.1234567")}, "energy_kwh"),
    ],
)
def test_a_wrong_row_refuses_all_and_is_named(reading, change, field):
    wrong = replace(reading, asset_id="device-2")

    with pytest.raises(ActualRefused, match=rf"rows\[1\]\.{field}"):
        book(reading, replace(wrong, **change))
    assert not Actual.objects.exists()


def test_an_interval_twice_is_refused_whatever_its_offset(reading):
    berlin = replace(reading, start=START.astimezone(timezone(timedelta(hours=1))))

    with pytest.raises(ActualRefused, match="there twice"):
        book(reading, berlin)


def test_organizations_do_not_see_or_write_each_other(reading):
    book(reading)
    stranger = make_actor(Role.ENERGY_MANAGER, organization=make_organization())

    assert actuals(actor=stranger, interval=JANUARY_END) == []
    assert (
        actuals(actor=stranger, interval=JANUARY_END, organization_ids=[reading.organization_id])
        == []
    )
    with pytest.raises(ActualRefused, match="organization_id"):
        book_actuals(actor=stranger, rows=[reading], source="test")


def test_reading_and_writing_need_their_permissions(reading):
    nobody = make_actor(organization=make_organization())

    with pytest.raises(PermissionMissing, match="book_actuals"):
        book_actuals(actor=nobody, rows=[reading], source="test")
    with pytest.raises(PermissionMissing, match="view_actual"):
        actuals(actor=nobody, interval=JANUARY_END)


def test_nothing_to_book_is_nothing(reading):
    assert book() == ActualsBooked(0, 0, 0)
    book(reading)
    assert actuals(actor=Actor.system("test"), interval=JANUARY_END, asset_ids=["device-9"]) == []


def test_another_kind_for_a_known_reading_is_the_next_version(reading):
    book(reading)

    corrected = book(replace(reading, metering_point_kind=MeteringPointKind.LOAD))

    (now,) = actuals(actor=Actor.system("test"), interval=JANUARY_END)
    assert corrected == ActualsBooked(1, 0, 1)
    assert (now.metering_point_kind, now.version) == ("LOAD", 2)


def test_a_meter_at_two_points_is_refused(reading):
    fed = replace(reading, flow=Flow.EXPORT, metering_point_kind=MeteringPointKind.STORAGE)

    with pytest.raises(ActualRefused, match=r"rows\[1\]\.metering_point_kind: device-1 is"):
        book(reading, fed)


def test_what_a_connection_points_register_contains_is_left_out(reading):
    quarter = timedelta(minutes=15)
    site = make_site(Organization.objects.get(pk=reading.organization_id))
    point = replace(reading, site_id=site.pk)
    load = replace(point, asset_id="l", metering_point_kind=MeteringPointKind.LOAD, minutes=15)
    battery = replace(point, asset_id="b", metering_point_kind=MeteringPointKind.STORAGE)
    elsewhere = replace(battery, asset_id="x", site_id=None)
    book(
        point,
        load,
        replace(load, start=START + quarter),
        replace(load, start=START + 2 * quarter),
        battery,
        replace(battery, flow=Flow.EXPORT, start=START + 2 * quarter),
        elsewhere,
    )

    left = uncontained(actuals(actor=Actor.system("test"), interval=JANUARY_END))

    assert [(a.asset_id, a.interval.start - START) for a in left] == [
        ("device-1", 0 * quarter),
        ("x", 0 * quarter),
        ("b", 2 * quarter),
        ("l", 2 * quarter),
    ]


def test_old_rows_get_their_kind_from_the_prefix_that_told_them_apart(reading):
    book(reading, replace(reading, asset_id="device:7"), replace(reading, asset_id="consumption:7"))
    loader = MigrationLoader(connection)
    migration = loader.get_migration("trading", "0003_metering_points")
    before = loader.project_state(("trading", "0002_books_and_trades"))
    connection.check_constraints()  # or the rows just booked keep the table from being altered
    with connection.schema_editor() as editor:
        migration.unapply(before.clone(), editor)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM trading_actual")
        assert "metering_point_kind" not in {column.name for column in cursor.description}

    with connection.schema_editor() as editor:
        migration.apply(before.clone(), editor)

    found = actuals(actor=Actor.system("test"), interval=JANUARY_END)
    assert {a.asset_id: a.metering_point_kind for a in found} == {
        "device-1": "CONNECTION_POINT",
        "device:7": "STORAGE",
        "consumption:7": "LOAD",
    }
    with pytest.raises(IntegrityError, match="metering_point_kind"):
        Actual.objects.update(metering_point_kind="ROOF")
