"""Followers for tests: a registry of their own, and an originator."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from django.db import connection, transaction

from energyopti.foundation.events.models import Event
from energyopti.foundation.events.services import record_event


@dataclass(frozen=True)
class Somebody:
    id: str = "user:test"
    on_behalf_of: str = ""
    request_id: str = "request-1"


@pytest.fixture
def actor() -> Somebody:
    return Somebody()


@pytest.fixture
def write(actor: Somebody) -> Callable[..., Event]:
    """Write one event of a key in a transaction of its own."""

    def write_one(key: str, number: int = 0, type: str = "thing.changed") -> Event:
        with transaction.atomic():
            return record_event(
                type=type,
                actor=actor,
                aggregate_type="thing",
                aggregate_id=key,
                organization_id=None,
                key=key,
                payload={"number": number},
            )

    return write_one


@pytest.fixture
def applied(db: None) -> Iterator[Callable[[], list[tuple[str, int]]]]:
    """Make the table that test followers write to; calling it reads (key, number) in order."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE test_applied (id bigserial, key text, number int)")

    def read() -> list[tuple[str, int]]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT key, number FROM test_applied ORDER BY id")
            return cursor.fetchall()

    yield read
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE test_applied")


def apply(event: Event) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO test_applied (key, number) VALUES (%s, %s)",
            [event.key, event.payload["number"]],
        )
