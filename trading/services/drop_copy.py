"""
Take what a drop copy says: keep it, book it, and move the session on, in one transaction.

An executed fill is a fact. What cannot be booked is kept in the inbox with the field and the
rule, and settled there (`drop_copy_inbox`); a message is never dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from energyopti.accounts.actors import Actor
from trading.markets.fix import (
    ExecKind,
    Execution,
    FixError,
    JournalMoved,
    Message,
    content_hash,
    execution_kind,
    natural_key,
    read_execution,
)
from trading.models import DropCopyMessage, DropCopySession, DropCopyVenue, InboxState
from trading.queries.drop_copy_matching import VenueWords

from .drop_copy_verdicts import NewFill, Verdict, again, attempt, attempt_fills, tell, write

MANAGE = "trading.manage_drop_copy"
_ADMINISTRATIVE = frozenset("012345A")
Key = tuple[date | None, str]


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


def receive_message(
    *,
    actor: Actor,
    venue: DropCopyVenue,
    message: Message,
    received_at: datetime,
    source: str,
    following: int | None = None,
) -> Taken:
    """Take one message, as `receive_messages` takes many."""
    (taken,) = receive_messages(
        actor=actor, venue=venue, messages=[message], received_at=received_at, source=source,
        following=following,
    )  # fmt: skip
    return taken


def receive_messages(
    *,
    actor: Actor,
    venue: DropCopyVenue,
    messages: Sequence[Message],
    received_at: datetime,
    source: str,
    following: int | None = None,
) -> list[Taken]:
    """
    Keep messages of a venue and book what they say in their order, each once, however often it
    comes; all of them in one transaction.

    following   the sequence number that the session expects after the last of them, which then
                are consecutive; None for a file, which leaves the session where it is

    :raises PermissionMissing: without `trading.book_fill`.
    :raises JournalMoved: if the session does not stand at the first of them.
    """
    actor.require("trading.book_fill")
    with transaction.atomic():
        session = lock_session(venue.pk)
        venue = session.venue  # as it is set up now, however long the caller has been at work
        if following is not None:
            expected = following - len(messages)
            move(session, expected=expected, following=following, received_at=received_at)
        return _Arrivals(actor, venue, received_at, source, messages).take()


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


class _Arrivals:
    """
    Messages in the order they came. New executions are gathered and booked together; whatever
    else comes waits for those before it, and is taken for itself.
    """

    def __init__(
        self,
        actor: Actor,
        venue: DropCopyVenue,
        received_at: datetime,
        source: str,
        messages: Sequence[Message],
    ) -> None:
        self.actor, self.venue = actor, venue
        self.received_at, self.source = received_at, source
        self.words = VenueWords(venue)
        self.messages = messages
        self.digests = [content_hash(message) for message in messages]
        self.taken: dict[int, Taken] = {}
        self.gathered: dict[int, NewFill] = {}
        self.rows = {
            row.content_hash: row
            for row in DropCopyMessage.objects.filter(
                venue=venue, content_hash__in=set(self.digests)
            )
        }
        names = {message.get(17)[:128] for message in messages} - {""}
        held = DropCopyMessage.objects.filter(venue=venue, exec_id__in=names, is_conflict=False)
        self.keys: set[Key] = set(held.values_list("trade_date", "exec_id")) if names else set()

    def take(self) -> list[Taken]:
        for place in range(len(self.messages)):
            self._take(place)
        self._book_gathered()
        return [self.taken[place] for place in range(len(self.messages))]

    def _take(self, place: int) -> None:
        message, digest = self.messages[place], self.digests[place]
        if message.type in _ADMINISTRATIVE and message.fault is not None:
            self.taken[place] = Taken(
                InboxState.NO_TRADE, str(message.fault), "", True, message.fault
            )
            return
        row, refusal, execution = self._read(message, digest)
        key = (row.trade_date, row.exec_id)
        is_fill = execution is not None and execution.kind is ExecKind.TRADE and not execution.legs
        if execution is not None and is_fill and digest not in self.rows and key not in self.keys:
            self.rows[digest] = row
            self.keys.add(key)
            self.gathered[place] = NewFill(row, execution)
            return
        self._book_gathered()  # what comes before it, so that it finds that booked
        if digest in self.rows:
            row = self.rows[digest]
            DropCopyMessage.objects.filter(pk=row.pk).update(times_seen=F("times_seen") + 1)
            self.taken[place] = Taken(row.state, row.reason, row.trade_ref, False, refusal)
            return
        write(row, self._judged(row, message, refusal))
        row.save(force_insert=True)
        self.rows[digest] = row
        if row.exec_id and not row.is_conflict:
            self.keys.add(key)
        tell(self.actor, self.venue, [row])
        if row.exec_type == ExecKind.TRADE and not row.is_conflict:
            self._settle_what_waited([row])
        self.taken[place] = Taken(row.state, row.reason, row.trade_ref, True, refusal)

    def _read(
        self, message: Message, digest: str
    ) -> tuple[DropCopyMessage, FixError | None, Execution | None]:
        """Return a row, not saved and named as far as can be, and what the message says."""
        row = DropCopyMessage(
            venue=self.venue,
            message_type=message.type[:8],
            exec_type=message.get(150)[:1],
            refers_to=message.get(19)[:128],
            sequence_number=_number(message),
            content_hash=digest,
            raw=message.raw,
            source=self.source[:120],
            received_at=self.received_at,
            state=InboxState.UNMATCHED,
        )
        if message.type != "8":
            return row, message.fault, None
        try:
            row.exec_id, row.trade_date = natural_key(message, zone=self.venue.time_zone)
            if len(row.exec_id) > 128:
                row.exec_id = ""
                raise FixError(17, "is longer than 128 characters.")
            if message.fault is not None:
                raise message.fault
            if execution_kind(message) is not None:
                return row, None, read_execution(message, zone=self.venue.time_zone)
        except FixError as error:
            return row, error, None
        return row, None, None

    def _judged(self, row: DropCopyMessage, message: Message, refusal: FixError | None) -> Verdict:
        """Say what becomes of a message that is not gathered, and do it."""
        if refusal is not None:
            row.is_conflict = bool(row.exec_id) and (row.trade_date, row.exec_id) in self.keys
            return Verdict(InboxState.UNMATCHED, refusal.tag, refusal.rule)
        if message.type != "8":
            return Verdict(InboxState.NO_TRADE, 35, f"35={message.type} tells of no execution.")
        if row.exec_id and (row.trade_date, row.exec_id) in self.keys:
            row.is_conflict = True
            return Verdict(
                InboxState.BY_HAND,
                17,
                f"ExecID {row.exec_id} of {row.trade_date} came before with other terms; the first"
                " stands. Ask the venue.",
            )
        if execution_kind(message) is None:
            return Verdict(InboxState.NO_TRADE, 150, f"150={row.exec_type} is news of an order.")
        return attempt(self.actor, self.words, row, self.received_at)

    def _book_gathered(self) -> None:
        if not self.gathered:
            return
        places, fills = list(self.gathered), list(self.gathered.values())
        self.gathered = {}
        verdicts = attempt_fills(self.actor, self.words, fills, self.received_at)
        rows = [fill.row for fill in fills]
        for row, verdict in zip(rows, verdicts, strict=True):
            write(row, verdict)
        DropCopyMessage.objects.bulk_create(rows)
        tell(self.actor, self.venue, rows)
        self._settle_what_waited(rows)
        for place, row in zip(places, rows, strict=True):
            self.taken[place] = Taken(row.state, row.reason, row.trade_ref, True)

    def _settle_what_waited(self, rows: Sequence[DropCopyMessage]) -> None:
        """Try again what came before the executions that it is about."""
        names = {row.exec_id for row in rows}
        waits = DropCopyMessage.objects.select_for_update().filter(
            venue=self.venue, refers_to__in=names, state=InboxState.UNMATCHED
        )
        found = list(waits.order_by("id"))
        if not found:
            return
        for waiting in found:
            again(self.actor, self.words, waiting, self.received_at)
        # A cancel that had waited may have changed them.
        changed = DropCopyMessage.objects.in_bulk([row.pk for row in rows])
        for row in rows:
            now = changed[row.pk]
            row.state, row.reason, row.trade_ref = now.state, now.reason, now.trade_ref


def _number(message: Message) -> int | None:
    try:
        return message.integer(34)
    except FixError:
        return None
