"""Monthly partitions: the application's role may have months made, and nothing else."""

import os
from datetime import date

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from energyopti.foundation.partitions.months import ensure_months

pytestmark = pytest.mark.servers


def months_of(parent: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
            " WHERE inhparent = %s::regclass",
            [parent],
        )
        return {name for (name,) in cursor.fetchall()}


@pytest.fixture
def application():
    """A connection to the test database as the role that the application runs as."""
    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url, dbname=connection.settings_dict["NAME"]) as opened:
        if opened.info.user == connection.settings_dict["USER"]:
            pytest.skip("this database has one role for owner and application")
        yield opened
        opened.rollback()


@pytest.mark.django_db
@pytest.mark.parametrize("table", ["trading_price", "trading_actual"])
def test_months_are_made_once_and_cover_both_ends(table):
    first = ensure_months(table=table, first=date(2031, 12, 31), last=date(2032, 2, 1))
    second = ensure_months(table=table, first=date(2031, 12, 1), last=date(2032, 2, 29))

    assert (first, second) == (3, 0)
    assert {f"{table}_y2031m12", f"{table}_y2032m01", f"{table}_y2032m02"} <= months_of(table)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("table", "first", "last", "word"),
    [
        ("accounts_user", date(2031, 1, 1), date(2031, 1, 2), "parent"),
        ("trading_price", date(2031, 1, 2), date(2031, 1, 1), "days"),
        ("trading_price", date(1989, 12, 31), date(1990, 1, 1), "days"),
        ("trading_price", date(2199, 12, 1), date(2200, 1, 1), "days"),
        ("trading_price", date(2000, 1, 1), date(2190, 1, 1), "days"),
    ],
)
def test_other_tables_and_absurd_spans_are_refused(table, first, last, word):
    with pytest.raises(DatabaseError, match=word), transaction.atomic():
        ensure_months(table=table, first=first, last=last)


@pytest.mark.django_db
def test_application_role_has_months_made_and_adds_but_never_changes_prices(application):
    with application.cursor() as cursor:
        made = cursor.execute(
            "SELECT partitions_ensure_months('trading_price', '2033-05-01', '2033-05-31')"
        ).fetchone()
        # Its market is looked for at commit, which never comes here.
        cursor.execute(
            "INSERT INTO trading_price (market_id, series, period_start, period_minutes, value,"
            " available_at, import_run_id) VALUES (1, 'spot', '2033-05-31 23:00Z', 60, -1.5,"
            " now(), 1)"
        )
        assert made == (1,)
        assert cursor.execute("SELECT value FROM trading_price").fetchall() != []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE partitions.mine (x int)",
        "CREATE TABLE mine PARTITION OF trading_price DEFAULT",
        "UPDATE trading_price SET value = 0",
        "DELETE FROM trading_price",
        "TRUNCATE trading_price",
        "SELECT * FROM partitions.trading_price_y2034m01",
        "UPDATE partitions.trading_price_y2034m01 SET value = 0",
        "DROP TABLE partitions.trading_price_y2034m01",
        "UPDATE trading_actual SET energy_kwh = 0",
        "DELETE FROM trading_quote",
        "UPDATE trading_forecast SET values = '{}'",
    ],
)
def test_application_role_cannot_reach_around_the_append_only_rule(application, statement):
    with application.cursor() as cursor:
        cursor.execute(
            "SELECT partitions_ensure_months('trading_price', '2034-01-01', '2034-01-31')"
        )

        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            cursor.execute(statement)


@pytest.mark.django_db
def test_a_month_without_a_partition_refuses_rows_instead_of_hiding_them(application):
    with (
        application.cursor() as cursor,
        pytest.raises(psycopg.errors.CheckViolation, match="no partition"),
    ):
        cursor.execute(
            "INSERT INTO trading_price (market_id, series, period_start, period_minutes, value,"
            " available_at, import_run_id) VALUES (1, 'spot', '2150-01-01Z', 60, 1, now(), 1)"
        )
