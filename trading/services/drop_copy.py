"""
Take what a drop copy says: keep it, book it, and move the session on, in one transaction.

An executed fill is a fact. What cannot be booked is kept in the inbox with the field and the
rule, and booked by `retry` once the mapping is there; a message is never dropped.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from trading.markets.fix import (
    ExecKind,
    Execution,
    FixError,
    JournalMoved,
    Message,
    content_hash,
    decode,
    execution_kind,
    natural_key,
    read_execution,
)
from trading.models import DropCopyMessage, DropCopySession, DropCopyVenue, InboxState, Trade
from trading.queries.drop_copy_matching import Unmatched, match_execution

from .drop_copy_booking import ToDoByHand, book, cancel, correct

logger = logging.getLogger(__name__)
MANAGE = "trading.manage_drop_copy"
_ADMINISTRATIVE = frozenset("012345A")
_WAITING = (InboxState.UNMATCHED, InboxState.BY_HAND)


class UnknownMessage(LookupError):
    """There is no such message in an inbox of this actor's, or it waits for nobody."""


@dataclass(frozen=True, slots=True)
class Taken:
    """
    What became of a message.

    is_new      False if the same message had come before; then nothing was done again
    refusal     what the sender should know of its form
    """

    state: str
    reason: str
    trade_ref: str
    is_new: bool
    refusal: FixError | None = None


@dataclass(frozen=True, slots=True)
class _Verdict:
    state: InboxState
    tag: int = 0
    reason: str = ""
    trade_ref: str = ""
    remarks: str = ""


def receive_message(
    *,
    actor: Actor,
    venue: DropCopyVenue,
    message: Message,
    received_at: datetime,
    source: str,
    following: int | None = None,
) -> Taken:
    """
    Keep a message of a venue and book what it says, once, however often it comes.

    following   the sequence number that the session expects after it; None for a file, which
                leaves the session where it is

    :raises PermissionMissing: without `trading.book_fill`.
    :raises JournalMoved: if the session does not stand at this message.
    """
    actor.require("trading.book_fill")
    with transaction.atomic():
        session = lock_session(venue.pk)
        venue = session.venue  # as it is set up now, however long the caller has been at work
        if following is not None:
            move(session, expected=following - 1, following=following, received_at=received_at)
        if message.type in _ADMINISTRATIVE and message.fault is not None:
            return Taken(InboxState.NO_TRADE, str(message.fault), "", True, message.fault)
        row, refusal = _kept(venue, message, received_at, source)
        if row.pk is not None:
            DropCopyMessage.objects.filter(pk=row.pk).update(times_seen=F("times_seen") + 1)
            return Taken(row.state, row.reason, row.trade_ref, False, refusal)
        verdict = _judge(actor, venue, row, message, refusal, received_at)
        _write(row, verdict)
        row.save(force_insert=True)
        _tell(actor, venue, row)
        if row.exec_type == ExecKind.TRADE and not row.is_conflict:
            _settle_what_waited(actor, venue, row, received_at)
    return Taken(row.state, row.reason, row.trade_ref, True, refusal)


def lock_session(venue_id: UUID) -> DropCopySession:
    """Lock a venue's session: messages are taken one after the other, whatever their way."""
    return (
        DropCopySession.objects.select_for_update(of=("self",))
        .select_related("venue")
        .get(pk=venue_id)
    )


def move(
    session: DropCopySession, *, expected: int, following: int, received_at: datetime | None = None
) -> None:
    """
    Move the incoming number of a locked session on.

    :raises JournalMoved: unless it stands where the caller thinks.
    """
    if session.next_incoming != expected:
        raise JournalMoved(
            f"the session stands at {session.next_incoming} and not at {expected}: another "
            "process has moved it."
        )
    session.next_incoming = following
    session.received_at = received_at or session.received_at
    session.save(update_fields=["next_incoming", "received_at"])


def _kept(
    venue: DropCopyVenue, message: Message, received_at: datetime, source: str
) -> tuple[DropCopyMessage, FixError | None]:
    """Return the row that has the same content, or a new one, not saved, named as far as can be."""
    digest = content_hash(message)
    earlier = DropCopyMessage.objects.filter(venue=venue, content_hash=digest).first()
    row = earlier or DropCopyMessage(
        venue=venue,
        message_type=message.type[:8],
        exec_type=message.get(150)[:1],
        refers_to=message.get(19)[:128],
        sequence_number=_number(message),
        content_hash=digest,
        raw=message.raw,
        source=source[:120],
        received_at=received_at,
        state=InboxState.UNMATCHED,
    )
    if message.type != "8":
        return row, message.fault
    try:
        row.exec_id, row.trade_date = natural_key(message, zone=venue.time_zone)
        if len(row.exec_id) > 128:
            row.exec_id = ""
            raise FixError(17, "is longer than 128 characters.")
        if message.fault is not None:
            raise message.fault
        if execution_kind(message) is not None:
            read_execution(message, zone=venue.time_zone)
    except FixError as error:
        return row, error
    return row, None


def _number(message: Message) -> int | None:
    try:
        return message.integer(34)
    except FixError:
        return None


def _judge(
    actor: Actor,
    venue: DropCopyVenue,
    row: DropCopyMessage,
    message: Message,
    refusal: FixError | None,
    received_at: datetime,
) -> _Verdict:
    """Say what becomes of a message, and do it."""
    if refusal is not None:
        return _Verdict(InboxState.UNMATCHED, refusal.tag, refusal.rule)
    if message.type != "8":
        return _Verdict(InboxState.NO_TRADE, 35, f"35={message.type} tells of no execution.")
    if row.exec_id and _conflicts(row):
        row.is_conflict = True
        return _Verdict(
            InboxState.BY_HAND,
            17,
            f"ExecID {row.exec_id} of {row.trade_date} came before with other terms; the first "
            "stands. Ask the venue.",
        )
    if execution_kind(message) is None:
        return _Verdict(InboxState.NO_TRADE, 150, f"150={row.exec_type} is news of an order.")
    return _attempt(actor, venue, row, received_at)


def _conflicts(row: DropCopyMessage) -> bool:
    same = DropCopyMessage.objects.filter(
        venue=row.venue, trade_date=row.trade_date, exec_id=row.exec_id, is_conflict=False
    )
    return same.exclude(pk=row.pk).exists()


def _attempt(
    actor: Actor, venue: DropCopyVenue, row: DropCopyMessage, received_at: datetime
) -> _Verdict:
    """Book in a savepoint, so that what a refused booking began does not stay."""
    row.attempts += 1
    try:
        with transaction.atomic():
            execution = read_execution(decode(bytes(row.raw)), zone=venue.time_zone)
            return _settled(actor, venue, row, execution, received_at)
    except FixError as error:
        return _Verdict(InboxState.UNMATCHED, error.tag, error.rule)
    except Unmatched as error:
        return _Verdict(InboxState.UNMATCHED, error.tag, error.rule)
    except ToDoByHand as error:
        return _Verdict(InboxState.BY_HAND, 0, str(error))
    except (OperationalError, InterfaceError):
        raise  # the database is away or busy: the message comes again, its number has not moved
    except Exception as error:
        # A fault of ours in one message must not hold up the executions behind it.
        logger.exception("drop copy %s: %s could not be booked", venue.code, row.exec_id)
        return _Verdict(InboxState.UNMATCHED, 0, f"{type(error).__name__}: {error}"[:400])


def _settled(
    actor: Actor,
    venue: DropCopyVenue,
    row: DropCopyMessage,
    execution: Execution,
    received_at: datetime,
) -> _Verdict:
    if execution.kind is ExecKind.TRADE:
        return _booked(actor, venue, execution, received_at)
    original = (
        DropCopyMessage.objects.select_for_update()
        .filter(
            venue=venue,
            exec_id=execution.refers_to,
            is_conflict=False,
            trade_date__lte=execution.trade_date,
        )
        .exclude(pk=row.pk)
        .order_by("-trade_date", "-id")
        .first()
    )
    if original is None:
        raise Unmatched(19, f"no execution {execution.refers_to} has come from {venue.code} yet.")
    is_cancel = execution.kind is ExecKind.CANCEL
    if original.state == InboxState.BOOKED:
        if is_cancel:
            cancel(
                actor=actor,
                trade_ref=original.trade_ref,
                exec_id=execution.exec_id,
                received_at=received_at,
            )
        else:
            fill = match_execution(venue, execution)
            correct(
                actor=actor,
                trade_ref=original.trade_ref,
                exec_id=execution.exec_id,
                fill=fill,
                received_at=received_at,
            )
        return _Verdict(InboxState.BOOKED, trade_ref=original.trade_ref)
    if original.state == InboxState.UNMATCHED:
        # It never reached the book: it is not booked any more.
        original.state = InboxState.VOID
        word = "cancelled" if is_cancel else "corrected"
        original.reason = f"{word} by {execution.exec_id} before it was booked."
        original.save(update_fields=["state", "reason"])
        if is_cancel:
            return _Verdict(InboxState.VOID, reason=f"{execution.refers_to} was not booked.")
        return _booked(actor, venue, execution, received_at)
    if original.state == InboxState.VOID and is_cancel:
        return _Verdict(InboxState.VOID, reason=f"{execution.refers_to} was void already.")
    raise ToDoByHand(
        f"{execution.refers_to}, which it is about, is {original.get_state_display().lower()}: "
        f"{original.reason}"[:400]
    )


def _booked(
    actor: Actor, venue: DropCopyVenue, execution: Execution, received_at: datetime
) -> _Verdict:
    fill = match_execution(venue, execution)
    ref = book(actor=actor, fill=fill, received_at=received_at)
    return _Verdict(InboxState.BOOKED, trade_ref=ref, remarks=" ".join(execution.remarks)[:400])


def _write(row: DropCopyMessage, verdict: _Verdict) -> None:
    row.state, row.tag, row.reason = verdict.state, verdict.tag, verdict.reason[:400]
    row.trade_ref, row.remarks = verdict.trade_ref, verdict.remarks


def _tell(actor: Actor, venue: DropCopyVenue, row: DropCopyMessage) -> None:
    if row.state == InboxState.NO_TRADE:
        return
    record_event(
        type=f"drop_copy.{row.state.lower()}",
        actor=actor,
        aggregate_type="drop_copy_message",
        aggregate_id=row.pk,
        organization_id=venue.organization_id,
        key=f"drop_copy:{venue.pk}",
        payload={
            "venue": venue.code,
            "exec_id": row.exec_id,
            "exec_type": row.exec_type,
            "trade_date": row.trade_date.isoformat() if row.trade_date else None,
            "trade_ref": row.trade_ref,
            "tag": row.tag,
            "reason": row.reason,
        },
    )


def _settle_what_waited(
    actor: Actor, venue: DropCopyVenue, row: DropCopyMessage, received_at: datetime
) -> None:
    """Try again what came before the execution that it is about."""
    for waiting in DropCopyMessage.objects.select_for_update().filter(
        venue=venue, refers_to=row.exec_id, state=InboxState.UNMATCHED
    ).order_by("id"):  # fmt: skip
        _again(actor, venue, waiting, received_at)


def _again(actor: Actor, venue: DropCopyVenue, row: DropCopyMessage, received_at: datetime) -> None:
    before = (row.state, row.tag, row.reason)
    _write(row, _attempt(actor, venue, row, received_at))
    row.save()
    if (row.state, row.tag, row.reason) != before:
        _tell(actor, venue, row)


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
            lock_session(venue.pk)
            row = DropCopyMessage.objects.select_for_update().get(pk=pk)
            if row.state != InboxState.UNMATCHED:  # settled by one before it
                settled, tried = settled + 1, tried + 1
                continue
            _again(actor, venue, row, received_at)
        tried += 1
        settled += row.state not in _WAITING
    return Retried(tried, settled)


def settle_by_hand(
    *, actor: Actor, message_id: int, trade_ref: str, reason: str
) -> DropCopyMessage:
    """
    Say that a person has done what a message asks for, or that there is nothing to do.

    trade_ref   of the trade that was cancelled, corrected or booked; empty if there is none

    :raises PermissionMissing: without `trading.book_fill`.
    :raises UnknownMessage: for a message of others, or one that does not wait.
    :raises ValueError: without a reason, or for a trade that is not there.
    """
    actor.require("trading.book_fill")
    if not reason.strip() or len(reason) > 300:
        raise ValueError("reason: say in at most 300 characters what was done.")
    with transaction.atomic():
        row = (
            DropCopyMessage.objects.visible_to(actor)
            .select_for_update(of=("self",))
            .select_related("venue")
            .filter(pk=message_id, state__in=_WAITING)
            .first()
        )
        if row is None:
            raise UnknownMessage("message: there is none of that number that waits for you.")
        own = Trade.objects.filter(organization_id=row.venue.organization_id, ref=trade_ref)
        if trade_ref and not own.exists():
            raise ValueError(f"trade_ref: there is no trade {trade_ref} in this organization.")
        row.state = InboxState.BOOKED if trade_ref else InboxState.VOID
        row.trade_ref = trade_ref
        row.remarks = f"By hand: {reason.strip()}"
        row.save()
        _tell(actor, row.venue, row)
    return row
