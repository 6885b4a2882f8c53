"""A log loaded into a younger cluster is adopted: order and places of followers are kept."""

from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F

from energyopti.foundation.events.followers import Follower
from energyopti.foundation.events.models import Event, FollowerCursor, ParkedEvent
from energyopti.foundation.events.relay import ensure_cursor, retry_due

from .conftest import apply
from .test_relay import Applied, Write, drain, failing_for, make_due

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def age_log() -> Callable[[], None]:
    """Make the log look as if it came from a cluster with far more transactions."""

    def age() -> None:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE events_event DISABLE TRIGGER events_append_only")
            cursor.execute("UPDATE events_event SET transaction_id = transaction_id + 1000000000")
            cursor.execute("ALTER TABLE events_event ENABLE ALWAYS TRIGGER events_append_only")
        for model in (FollowerCursor, ParkedEvent):
            model.objects.update(transaction_id=F("transaction_id") + 1_000_000_000)

    return age


def test_followers_go_on_where_they_were(
    write: Write, applied: Applied, age_log: Callable[[], None]
) -> None:
    handle, broken = failing_for(("a", 0))
    follower, newcomer = Follower("reader", handle, attempts=9), Follower("late", apply)
    ensure_cursor(newcomer)
    for number in range(3):
        write("a", number)
    write("b", 0)
    drain(follower)
    write("b", 1)
    age_log()

    call_command("adopt_events")
    write("b", 2)
    drain(follower)
    broken.clear()
    make_due("reader")
    retry_due(follower)
    read_by_reader = applied()
    drain(newcomer)

    assert read_by_reader == [("b", 0), ("b", 1), ("b", 2), ("a", 0), ("a", 1), ("a", 2)]
    assert applied()[6:] == [("a", 0), ("a", 1), ("a", 2), ("b", 0), ("b", 1), ("b", 2)]
    with pytest.raises(CommandError, match="there is nothing to adopt"):
        call_command("adopt_events")


def test_the_log_is_guarded_again_afterwards(write: Write, age_log: Callable[[], None]) -> None:
    write("a")
    age_log()
    call_command("adopt_events")

    with connection.cursor() as cursor:
        cursor.execute("SELECT tgenabled FROM pg_trigger WHERE tgname = 'events_append_only'")
        assert cursor.fetchone() == ("A",)
    assert Event.objects.get().transaction_id < 0


def test_an_empty_log_needs_no_adoption() -> None:
    with pytest.raises(CommandError, match="there is nothing to adopt"):
        call_command("adopt_events")
