"""Months: only of tables that a migration declared, in the days it declared, forward and back."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, ProgrammingError, connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from energyopti.foundation.partitions.months import ensure_months
from energyopti.foundation.partitions.operations import PartitionByMonth

pytestmark = [pytest.mark.django_db, pytest.mark.servers]

READINGS = PartitionByMonth(
    "meter_reading", key="read_at", earliest=date(2020, 2, 1), longest_days=40
)
DECLARED = {
    ("trading_price", "period_start", date(1990, 1, 1), 21960),
    ("trading_actual", "period_start", date(1990, 1, 1), 21960),
    ("schedules_pastschedule", "published_at", date(2000, 1, 1), 1200),
    ("schedules_acknowledgement", "command_start", date(2000, 1, 1), 1200),
    ("telemetry_telemetryrecord", "started_at", date(2000, 1, 1), 1200),
}


def rows(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


@pytest.fixture
def declared_table():
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE meter_reading (read_at timestamptz NOT NULL, kwh int)"
            " PARTITION BY RANGE (read_at)"
        )
    forwards(READINGS)


def forwards(operation):
    with connection.schema_editor() as editor:
        operation.database_forwards("test", editor, ProjectState(), ProjectState())


def backwards(operation):
    with connection.schema_editor() as editor:
        operation.database_backwards("test", editor, ProjectState(), ProjectState())


def test_the_apps_tables_are_declared():
    found = set(
        rows("SELECT parent, key_column, earliest, longest_days FROM partitions.monthly_table")
    )

    assert found >= DECLARED
    partitioned = {
        name
        for (name,) in rows(
            "SELECT relname FROM pg_partitioned_table JOIN pg_class ON pg_class.oid = partrelid"
            " WHERE relnamespace = 'public'::regnamespace"
        )
    }
    assert partitioned == {parent for parent, *_rest in found}


def test_a_declared_table_takes_rows_in_its_months(declared_table):
    made = ensure_months(table="meter_reading", first=date(2020, 2, 29), last=date(2020, 3, 1))
    rows(
        "INSERT INTO meter_reading VALUES ('2020-02-29 23:59:59Z', 1), ('2020-03-01Z', 2)"
        " RETURNING kwh"
    )

    found = rows("SELECT tableoid::regclass::text, kwh FROM meter_reading ORDER BY kwh")
    assert made == 2
    assert found == [
        ("partitions.meter_reading_y2020m02", 1),
        ("partitions.meter_reading_y2020m03", 2),
    ]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2020, 1, 31), date(2020, 2, 1)),
        (date(2020, 2, 2), date(2020, 2, 1)),
        (date(2020, 2, 1), date(2020, 2, 1) + timedelta(days=41)),
        (date(2199, 12, 31), date(2200, 1, 1)),
        (None, date(2020, 2, 1)),
    ],
)
def test_days_outside_of_the_declaration_are_refused(declared_table, first, last):
    with pytest.raises(DatabaseError, match="days: "), transaction.atomic():
        ensure_months(table="meter_reading", first=first, last=last)


@pytest.mark.parametrize("table", ["auth_group", "monthly_table", "meter_reading; DROP", None])
def test_a_table_that_nobody_declared_is_refused(table):
    with pytest.raises(DatabaseError, match="no monthly partitions"), transaction.atomic():
        ensure_months(table=table, first=date(2020, 2, 1), last=date(2020, 2, 1))


def test_a_declaration_taken_back_ends_the_months_and_leaves_those_there_are(declared_table):
    day = date(2020, 2, 1)
    ensure_months(table="meter_reading", first=day, last=day)

    backwards(READINGS)

    assert rows("SELECT to_regclass('partitions.meter_reading_y2020m02') IS NOT NULL") == [(True,)]
    with pytest.raises(DatabaseError, match="no monthly partitions"), transaction.atomic():
        ensure_months(table="meter_reading", first=day, last=day)


def test_the_migration_does_not_take_months_away_with_the_schema():
    day = date(2031, 1, 1)
    ensure_months(table="trading_actual", first=day, last=day)

    with (
        pytest.raises(DatabaseError, match="cannot drop schema partitions"),
        transaction.atomic(),
        connection.schema_editor() as editor,
    ):
        migration().unapply(ProjectState(), editor)

    assert ensure_months(table="trading_actual", first=day, last=day) == 0


def test_the_migration_goes_back_and_forth_when_no_month_is_left():
    with connection.cursor() as cursor:
        for parent, *_rest in DECLARED:
            cursor.execute(f"DROP TABLE {parent} CASCADE")
    with connection.schema_editor() as editor:
        migration().unapply(ProjectState(), editor)

    with pytest.raises(ProgrammingError, match="does not exist"), transaction.atomic():
        ensure_months(table="trading_price", first=date(2031, 1, 1), last=date(2031, 1, 1))
    with connection.schema_editor() as editor:
        migration().apply(ProjectState(), editor)
    assert rows("SELECT count(*) FROM partitions.monthly_table") == [(0,)]


def test_an_operation_writes_itself_as_it_was_given():
    name, arguments, options = READINGS.deconstruct()

    assert name == "PartitionByMonth"
    assert vars(PartitionByMonth(*arguments, **options)) == vars(READINGS)
    assert READINGS.describe() == "Partition meter_reading by month of read_at"


def migration():
    return MigrationLoader(connection).get_migration("partitions", "0001_months")
