"""Put the books on new curves, and prove that what was added up equals a full computation."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from risk.models import ScopeVector
from risk.queries.bases import basis, from_bytes
from risk.queries.holdings import holdings_by_deltas, holdings_of, value_holdings
from risk.queries.limits import ScopeKey
from risk.queries.scopes import pending_of
from trading.enums import Stage
from trading.queries.books import all_books, subtree
from trading.services.locks import book_key, lock_keys

from .breaches import open_standing
from .snapshots import build_snapshot
from .vectors import note_change, publish_books, replace_scope, start_scope, whole_scope

# Between a vector that grew deal by deal and one computed at once, relative to its largest entry.
TOLERANCE = 1e-9
CURVES = "curves"


@dataclass(frozen=True, slots=True)
class Rebased:
    """
    What a rebase did.

    books       scopes that were put on the snapshot
    left_out    sentences about markets that could not take part
    """

    snapshot_id: int
    books: int
    left_out: tuple[str, ...]


def rebase_books(*, actor: Actor, valued_at: datetime) -> Rebased:
    """
    Value every book that holds something on the curves of an instant; each in its own transaction.

    A capture goes to the old or to the new vector of a book, never between the two: both hold
    the book's lock. Nothing happens to a book that is on the snapshot already.

    :raises PermissionMissing: without `risk.rebase_risk`.
    :raises NoBasis: if there is nothing to value on; the books keep their last numbers.
    """
    built = build_snapshot(actor=actor, valued_at=valued_at)
    changed = 0
    for book_id, organization_id in all_books():
        changed += _rebase(actor, book_id, organization_id, built.snapshot_id)
    return Rebased(built.snapshot_id, changed, built.left_out)


def _rebase(actor: Actor, book_id: UUID, organization_id: UUID, snapshot_id: int) -> bool:
    with transaction.atomic():
        lock_keys([book_key(book_id)])
        row = ScopeVector.objects.filter(book_id=book_id).first()
        if row is None:
            books = subtree(book_id)
            if not (holdings_of(books) or holdings_of(books, stage=Stage.PENDING)):
                return False
            scope = start_scope(book_id)
        elif row.snapshot_id >= snapshot_id:
            return False
        else:
            on = basis(snapshot_id)
            scope = replace_scope(row, on, *whole_scope(book_id, on, row.currency))
        note_change(scope, cause=CURVES)
        open_standing(
            ScopeKey.book(book_id), actor=actor, organization_id=organization_id, cause=CURVES,
            at=scope.basis.valued_at,
        )  # fmt: skip
        publish_books([book_id])
    return True


def recompute_scope(*, actor: Actor, book_id: UUID) -> float:
    """
    Compute a scope again from all its trades, and put that in its place.

    Returns the largest difference relative to the largest entry. One beyond 1e-9 is an event:
    something wrote past the services.

    :raises PermissionMissing: without `risk.rebase_risk`.
    :raises ScopeVector.DoesNotExist: if the book has no vector.
    """
    actor.require("risk.rebase_risk")
    with transaction.atomic():
        lock_keys([book_key(book_id)])
        row = ScopeVector.objects.select_related("book").get(book_id=book_id)
        on = basis(row.snapshot_id)
        books = subtree(book_id)
        whole = value_holdings(holdings_by_deltas(books), on, currency=row.currency)
        waiting = value_holdings(
            holdings_by_deltas(books, stage=Stage.PENDING), on, currency=row.currency
        )
        held, reserved = from_bytes(row.values), pending_of(row, on)
        size = max(
            float(np.abs(whole.pnl).max()), float(np.abs(waiting.pnl).max()),
            abs(whole.base_value), 1.0,
        )  # fmt: skip
        difference = max(
            float(np.abs(whole.pnl - held).max()),
            float(np.abs(waiting.pnl - reserved).max()),
            abs(whole.base_value - row.base_value),
        )
        relative = difference / size
        if relative > TOLERANCE:
            organization_id = row.book.organization_id
            scope = replace_scope(row, on, whole, waiting)
            note_change(scope, cause="recomputed")
            record_event(
                type="risk.vector_corrected",
                actor=actor,
                aggregate_type="book",
                aggregate_id=book_id,
                organization_id=organization_id,
                payload={"relative_difference": relative, "snapshot_id": on.id},
            )
            publish_books([book_id])
    return relative


def recompute_all(*, actor: Actor) -> float:
    """Recompute every scope; return the largest relative difference found, 0 without scopes."""
    book_ids = list(ScopeVector.objects.order_by("book_id").values_list("book_id", flat=True))
    return max((recompute_scope(actor=actor, book_id=b) for b in book_ids), default=0.0)
