"""No role rewrites the log: not the application's by privilege, not the owner by trigger."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.db.utils import IntegrityError

from energyopti.foundation.events.models import Event

pytestmark = pytest.mark.django_db(transaction=True)

UPSERT = (
    "INSERT INTO events_event (uid, version, type, aggregate_type, aggregate_id, key, actor_id,"
    " on_behalf_of, request_id, payload, changes)"
    " SELECT uid, version, 'forged', aggregate_type, aggregate_id, key, actor_id, on_behalf_of,"
    " request_id, payload, changes FROM events_event"
    " ON CONFLICT (uid) DO UPDATE SET type = excluded.type"
)
CHANGES = [
    "UPDATE events_event SET type = 'forged'",
    "DELETE FROM events_event",
    UPSERT,
]


@pytest.fixture
def event(write: Callable[..., Event]) -> Event:
    return write("a")


@pytest.fixture
def as_application(event: Event) -> Iterator[psycopg.Connection]:
    role = settings.DATABASE_APPLICATION_ROLE
    if role == connection.settings_dict["USER"]:
        pytest.skip("the database has one role only, so there is no application role to try")
    parameters = connection.get_connection_params()
    for name in ("cursor_factory", "context", "user", "password"):
        parameters.pop(name, None)
    with psycopg.connect(
        settings.DATABASE_DIRECT_URL, dbname=parameters["dbname"], autocommit=True
    ) as session:
        yield session


@pytest.mark.parametrize("statement", [*CHANGES, "TRUNCATE events_event CASCADE"])
def test_the_application_lacks_the_privilege(
    as_application: psycopg.Connection, statement: str
) -> None:
    assert as_application.execute("SELECT count(*) FROM events_event").fetchone() == (1,)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_application.execute(statement)

    assert Event.objects.get().type == "thing.changed"


@pytest.mark.parametrize("statement", CHANGES)
def test_a_trigger_refuses_the_owner(event: Event, statement: str) -> None:
    with (
        pytest.raises(IntegrityError, match="the event log is append-only"),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert Event.objects.get().type == "thing.changed"


def test_the_trigger_fires_in_replica_sessions_too() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgenabled FROM pg_trigger WHERE tgname = 'events_append_only'")
        assert cursor.fetchone() == ("A",)
