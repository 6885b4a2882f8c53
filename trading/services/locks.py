"""Locks by name that last as long as the transaction."""

from collections.abc import Iterable
from datetime import datetime
from typing import cast
from uuid import UUID

from django.db import connection


def book_key(book_id: UUID) -> str:
    """Return the name of the lock on a limit scope: a book with the books below it."""
    return f"book:{book_id}"


def trader_key(trader: str) -> str:
    """Return the name of the lock on what a trader has dealt; `trader` is an actor's id."""
    return f"trader:{trader}"


def counterparty_key(counterparty_id: UUID) -> str:
    """Return the name of the lock on what is dealt with a counterparty."""
    return f"counterparty:{counterparty_id}"


def lock_keys(keys: Iterable[str]) -> None:
    """
    Take advisory locks in sorted order, so that two transactions never wait in a circle.

    They are released at the end of the transaction, whichever way it ends. One query.
    """
    _take("pg_advisory_xact_lock", keys)


def share_keys(keys: Iterable[str]) -> None:
    """
    Wait until nobody changes what the locks stand for, and keep changes out until the end of
    the transaction; other readers are let in. One query, which takes them in sorted order.
    """
    _take("pg_advisory_xact_lock_shared", keys)


def _take(function: str, keys: Iterable[str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {function}(hashtextextended(key, 0)) FROM unnest(%s::text[]) AS key",  # noqa: S608 - ours, no input
            [sorted(set(keys))],
        )


def server_time() -> datetime:
    """Return the database's clock now, not the start of the transaction; call it under locks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    assert row is not None
    return cast(datetime, row[0])
