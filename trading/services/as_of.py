"""
Read a book as of an instant, under its shared lock.

A version gets its time while the book is locked. Whoever holds the shared lock knows that all
versions up to now are committed, and that any later one will carry a later time.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import transaction

from energyopti.accounts.actors import Actor
from trading.models import Stage
from trading.queries.books import book_for, subtree
from trading.queries.positions import Position, positions_at

from .locks import book_key, server_time, share_keys


@contextmanager
def steady_book(book_id: UUID) -> Iterator[datetime]:
    """Keep a book and those below it unchanged, and give the server's time as it stands then."""
    with transaction.atomic():
        # Whoever changes a book below holds the lock of this one too.
        share_keys([book_key(book_id)])
        yield server_time()


def settle_books(book_ids: Iterable[UUID]) -> datetime:
    """
    Wait for whoever is changing some books, and give the server's time from before the wait.

    Up to that time everything in these books is committed by the return, so a read of a cut
    that is not later needs no lock.
    """
    with transaction.atomic():
        before = server_time()
        share_keys([book_key(book_id) for book_id in book_ids])
    return before


def positions_as_of(
    *, actor: Actor, book_id: UUID, cut: datetime | None = None, stage: str = Stage.LIVE
) -> list[Position]:
    """
    Return what a book with those below it held as recorded at an instant; None is now.

    :raises UnknownBook: for a book that the actor does not reach.
    """
    book_for(actor, book_id)
    with steady_book(book_id) as now:
        return positions_at(subtree(book_id), cut=cut or now, stage=stage)
