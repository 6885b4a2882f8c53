"""Settle what waits in the inbox of a drop copy: try again, assign and book, or set aside."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from energyopti.accounts.actors import Actor
from trading.markets.fix import ExecKind
from trading.models import DropCopyMessage, DropCopyVenue, InboxState, Trade
from trading.queries.drop_copy import UnknownMessage
from trading.queries.drop_copy_matching import Assignment, VenueWords

from .drop_copy import lock_session
from .drop_copy_verdicts import WAITING, again, tell

__all__ = [
    "InboxRefused",
    "Retried",
    "UnknownMessage",
    "assign_and_book",
    "assign_several",
    "retry",
    "retry_message",
    "settle_by_hand",
]


class InboxRefused(ValueError):
    """What was asked for a message cannot be done; `field` names what is at fault."""

    def __init__(self, field: str, rule: str) -> None:
        self.field, self.rule = field, rule
        super().__init__(f"{field}: {rule}")


@dataclass(frozen=True, slots=True)
class Retried:
    """How many messages were tried again, and how many still wait."""

    tried: int
    settled: int

    @property
    def waiting(self) -> int:
        return self.tried - self.settled


def retry(*, actor: Actor, venue: DropCopyVenue, received_at: datetime) -> Retried:
    """
    Try again all that waits at a venue for a mapping, oldest first, each in its own transaction.

    :raises PermissionMissing: without `trading.book_fill`.
    """
    actor.require("trading.book_fill")
    waiting = DropCopyMessage.objects.filter(
        venue=venue, state=InboxState.UNMATCHED, message_type="8"
    )
    tried = settled = 0
    for pk in waiting.order_by("id").values_list("pk", flat=True):
        with transaction.atomic():
            words = VenueWords(lock_session(venue.pk).venue)
            row = DropCopyMessage.objects.select_for_update().get(pk=pk)
            if row.state != InboxState.UNMATCHED:  # settled by one before it
                settled, tried = settled + 1, tried + 1
                continue
            again(actor, words, row, received_at)
        tried += 1
        settled += row.state not in WAITING
    return Retried(tried, settled)


def retry_message(*, actor: Actor, message_id: int, received_at: datetime) -> DropCopyMessage:
    """
    Try one message again that waits for a mapping.

    :raises PermissionMissing: without `trading.book_fill`.
    :raises UnknownMessage: for a message of others, or one that does not wait for a mapping.
    """
    actor.require("trading.book_fill")
    with transaction.atomic():
        row, words = _locked(actor, message_id, (InboxState.UNMATCHED,))
        again(actor, words, row, received_at)
    return row


def assign_and_book(
    *,
    actor: Actor,
    message_id: int,
    book_id: UUID | None = None,
    counterparty_id: UUID | None = None,
    product_id: int | None = None,
    received_at: datetime,
) -> DropCopyMessage:
    """
    Book an execution with what a person says that the venue's mappings do not: for this message
    alone; what comes every day belongs into the mappings.

    book_id, counterparty_id, product_id    None leaves that to the mappings

    :raises PermissionMissing: without `trading.book_fill`.
    :raises UnknownMessage: for a message of others, or one that does not wait for a mapping.
    :raises InboxRefused: naming the field, if nothing is assigned, or it is still not to be booked;
        then nothing has changed.
    """
    actor.require("trading.book_fill")
    if book_id is None and counterparty_id is None and product_id is None:
        raise InboxRefused("book", "say what the venue's words mean: book, counterparty or product")
    with transaction.atomic():
        row, words = _locked(actor, message_id, (InboxState.UNMATCHED,))
        if row.exec_type != ExecKind.TRADE:
            raise InboxRefused("message", "only an execution (150=F) is assigned and booked.")
        if product_id is not None and not any(p.pk == product_id for p in words.products):
            raise InboxRefused("product", "there is no such product at this venue.")
        assigned = Assignment(book_id, counterparty_id, product_id)
        again(actor, words, row, received_at, assigned)
        if row.state in WAITING:
            raise InboxRefused(_FIELDS.get(row.tag, "message"), row.reason)
    return row


def assign_several(
    *,
    actor: Actor,
    message_ids: Collection[int],
    book_id: UUID | None = None,
    counterparty_id: UUID | None = None,
    product_id: int | None = None,
    received_at: datetime,
) -> list[DropCopyMessage]:
    """
    Book several executions with the same words of a person, as `assign_and_book` does: all or none.

    :raises PermissionMissing, UnknownMessage, InboxRefused: as `assign_and_book`; a refusal names
        the message.
    """
    actor.require("trading.book_fill")
    # By venue, so that two callers never wait for each other's sessions in a circle.
    rows = DropCopyMessage.objects.visible_to(actor).filter(pk__in=list(message_ids))
    with transaction.atomic():
        done = []
        for pk, exec_id in rows.order_by("venue_id", "id").values_list("pk", "exec_id"):
            try:
                row = assign_and_book(
                    actor=actor, message_id=pk, book_id=book_id, counterparty_id=counterparty_id,
                    product_id=product_id, received_at=received_at,
                )  # fmt: skip
            except InboxRefused as error:
                raise InboxRefused(error.field, f"{exec_id or pk}: {error.rule}") from error
            done.append(row)
        if len(done) < len(set(message_ids)):
            raise UnknownMessage("message: there is none of one of these numbers for you.")
    return done


# Which of the choices an unmatched tag is about.
_FIELDS = {1: "book", 448: "counterparty", 453: "counterparty", 55: "product"}


def settle_by_hand(
    *, actor: Actor, message_id: int, trade_ref: str, reason: str
) -> DropCopyMessage:
    """
    Say that a person has done what a message asks for, or that there is nothing to do.

    trade_ref   of the trade that was cancelled, corrected or booked; empty sets it aside

    :raises PermissionMissing: without `trading.book_fill`.
    :raises UnknownMessage: for a message of others, or one that does not wait.
    :raises InboxRefused: without a reason, or for a trade that is not there.
    """
    actor.require("trading.book_fill")
    if not reason.strip() or len(reason) > 300 or "\x00" in reason:
        raise InboxRefused("reason", "say in at most 300 characters what was done.")
    with transaction.atomic():
        row, words = _locked(actor, message_id, WAITING)
        own = Trade.objects.filter(organization_id=row.venue.organization_id, ref=trade_ref)
        if trade_ref and not own.exists():
            raise InboxRefused("trade_ref", f"there is no trade {trade_ref} in this organization.")
        row.state = InboxState.BOOKED if trade_ref else InboxState.VOID
        row.trade_ref = trade_ref
        row.remarks = f"By hand: {reason.strip()}"
        row.save()
        tell(actor, words.venue, [row])
    return row


def _locked(
    actor: Actor, message_id: int, states: tuple[InboxState, ...]
) -> tuple[DropCopyMessage, VenueWords]:
    """Lock the session first and the message then, as messages that come in do."""
    unknown = UnknownMessage("message: there is none of that number that waits for you.")
    found = DropCopyMessage.objects.visible_to(actor).filter(pk=message_id)
    venue_id = found.values_list("venue_id", flat=True).first()
    if venue_id is None:
        raise unknown
    words = VenueWords(lock_session(venue_id).venue)
    row = (
        found.select_for_update(of=("self",))
        .select_related("venue")
        .filter(state__in=states)
        .first()
    )
    if row is None:
        raise unknown
    return row, words
