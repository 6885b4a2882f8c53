"""Say from which size on an order waits for a second person."""

from decimal import Decimal
from uuid import UUID

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from trading.models import Book
from trading.queries.books import book_for
from trading.queries.proposals import TradeInvalid

from .locks import book_key, lock_keys


def set_four_eyes(*, actor: Actor, book_id: UUID, amount: Decimal | None) -> Book:
    """
    Set the notional from which a book's orders wait, for it and for those below it without one.

    amount      ≥ 0 in the book's reporting currency, at most 2 decimals; None follows the book
                above, and at the top asks for nobody

    :raises PermissionMissing: without `trading.change_book`.
    :raises UnknownBook: for a book that the actor does not reach.
    :raises TradeInvalid: for an amount that is none.
    """
    actor.require("trading.change_book")
    book_for(actor, book_id)
    if amount is not None and (
        not amount.is_finite() or not 0 <= amount < Decimal(10) ** 18 or amount % Decimal("0.01")
    ):
        raise TradeInvalid("four_eyes_from", f"{amount} must be 0 or more, at most 2 decimals.")
    with transaction.atomic():
        # An order that is being captured must not see the threshold change under it.
        lock_keys([book_key(book_id)])
        book = Book.objects.select_for_update().get(pk=book_id)
        before, book.four_eyes_from = book.four_eyes_from, amount
        book.save(update_fields=["four_eyes_from"])
        record_event(
            type="book.four_eyes_set",
            actor=actor,
            aggregate_type="book",
            aggregate_id=book.pk,
            organization_id=book.organization_id,
            key=f"book:{book.pk}",
            payload={"currency": book.reporting_currency},
            changes={
                "four_eyes_from": (
                    None if before is None else str(before),
                    None if amount is None else str(amount),
                )
            },
        )
    return book
