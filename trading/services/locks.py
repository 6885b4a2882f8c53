"""Locks by name that last as long as the transaction."""

from collections.abc import Iterable
from uuid import UUID

from django.db import connection


def book_key(book_id: UUID) -> str:
    """Return the name of the lock on a limit scope: a book with the books below it."""
    return f"book:{book_id}"


def lock_keys(keys: Iterable[str]) -> None:
    """
    Take advisory locks in sorted order, so that two transactions never wait in a circle.

    They are released at the end of the transaction, whichever way it ends.
    """
    with connection.cursor() as cursor:
        for key in sorted(set(keys)):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
