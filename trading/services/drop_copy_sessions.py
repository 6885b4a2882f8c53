"""A FIX session's memory, which `trading.markets.fix` calls its journal: numbers, alerts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import psycopg
from django.db import InterfaceError, OperationalError, connection, transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.leases import Lease
from trading.markets.fix import FixError, JournalUnavailable, Message, Numbers
from trading.models import DropCopySession, DropCopyVenue

from .drop_copy import MANAGE, lock_session, move, receive_messages

_AWAY = (OperationalError, InterfaceError, psycopg.OperationalError)


def lease_name(venue: DropCopyVenue) -> str:
    """Return the name under which one process at a time holds a venue's session."""
    return f"drop-copy:{venue.code.lower()}"


class SessionJournal:
    """
    Remember one venue's session in PostgreSQL; every method is one transaction.

    :raises JournalUnavailable: from each, while the database is away; nothing was written then.
    :raises JournalMoved: if another process has moved the session.
    """

    def __init__(
        self,
        *,
        venue: DropCopyVenue,
        lease: Lease,
        clock: Callable[[], datetime],
    ) -> None:
        self._venue, self._lease, self._clock = venue, lease, clock

    @property
    def _actor(self) -> Actor:
        # An actor remembers what it may reach; a process that runs for weeks asks anew each time.
        return Actor.system(f"drop-copy:{self._venue.code}")

    def numbers(self) -> Numbers:
        """Return the next numbers, in and out."""
        with _database():
            row = DropCopySession.objects.get(pk=self._venue.pk)
            return Numbers(row.next_incoming, row.next_outgoing)

    def take_outgoing(self) -> int:
        """Return the number of the message that goes out next; it is never given again."""
        with _database(), transaction.atomic():
            row = lock_session(self._venue.pk)
            number, row.next_outgoing = row.next_outgoing, row.next_outgoing + 1
            row.save(update_fields=["next_outgoing"])
            return number

    def accept(self, messages: Sequence[Message], following: int) -> list[FixError | None]:
        """Book consecutive messages and move on, together; return what their sender should know."""
        with _database():
            taken = receive_messages(
                actor=self._actor,
                venue=self._venue,
                messages=messages,
                received_at=self._clock(),
                source="session",
                following=following,
            )
            return [each.refusal for each in taken]

    def advance(self, following: int) -> None:
        """Move on without booking; never back."""
        with _database(), transaction.atomic():
            row = lock_session(self._venue.pk)
            if following < row.next_incoming:
                move(row, expected=following, following=following)  # raises: not ours any more
            row.next_incoming, row.received_at = following, self._clock()
            row.save(update_fields=["next_incoming", "received_at"])

    def restart(self, incoming: int, outgoing: int) -> None:
        """Begin again at other numbers, and leave an event of the old ones."""
        with _database():
            _restart(self._actor, self._venue, incoming, outgoing, "agreed by Logon")

    def alert(self, kind: str, text: str) -> None:
        """Leave an event that a rule can tell a person of; the same one once until a Logon."""
        with _database(), transaction.atomic():
            row = lock_session(self._venue.pk)
            said = f"{kind}: {text}"[:400]
            if row.latest_alert == said:
                return
            row.latest_alert = said
            row.save(update_fields=["latest_alert"])
            self._tell("drop_copy.alert", {"alert": kind, "text": text[:400]})

    def connected(self) -> None:
        """Take note of a Logon."""
        with _database(), transaction.atomic():
            row = lock_session(self._venue.pk)
            row.connected_at, row.latest_alert = self._clock(), ""
            row.save(update_fields=["connected_at", "latest_alert"])
            self._tell("drop_copy.connected", {"next_incoming": row.next_incoming})

    def disconnected(self, reason: str) -> None:
        """Take note of the end of a connection."""
        with _database(), transaction.atomic():
            row = lock_session(self._venue.pk)
            row.disconnected_at = self._clock()
            row.save(update_fields=["disconnected_at"])
            self._tell("drop_copy.disconnected", {"reason": reason[:400]})

    def may_go_on(self) -> bool:
        """Say whether this process still holds the venue."""
        with _database():
            return self._lease.hold()

    def close(self) -> None:
        """End this thread's database connection."""
        connection.close()

    def _tell(self, type: str, payload: dict[str, object]) -> None:
        _tell(self._actor, self._venue, type, payload)


@contextmanager
def _database() -> Iterator[None]:
    try:
        yield
    except _AWAY as error:
        connection.close()
        raise JournalUnavailable(f"the database does not answer ({error})") from error


def reset_session(
    *, actor: Actor, venue: DropCopyVenue, incoming: int, outgoing: int, reason: str
) -> None:
    """
    Put a session to other numbers, after the venue's desk agreed to them.

    :raises PermissionMissing: without `trading.manage_drop_copy`.
    :raises ValueError: for numbers below 1, or without a reason.
    """
    actor.require(MANAGE)
    if min(incoming, outgoing) < 1:
        raise ValueError("sequence: numbers begin at 1.")
    if not reason.strip():
        raise ValueError("reason: say why the numbers change.")
    _restart(actor, venue, incoming, outgoing, reason.strip())


def _restart(actor: Actor, venue: DropCopyVenue, incoming: int, outgoing: int, reason: str) -> None:
    with transaction.atomic():
        row = lock_session(venue.pk)
        before = (row.next_incoming, row.next_outgoing)
        row.next_incoming, row.next_outgoing = incoming, outgoing
        row.save(update_fields=["next_incoming", "next_outgoing"])
        record_event(
            type="drop_copy.sequence_reset",
            actor=actor,
            aggregate_type="drop_copy_venue",
            aggregate_id=venue.pk,
            organization_id=venue.organization_id,
            key=f"drop_copy:{venue.pk}",
            payload={"venue": venue.code, "reason": reason},
            changes={
                "next_incoming": (before[0], incoming),
                "next_outgoing": (before[1], outgoing),
            },
        )


def _tell(actor: Actor, venue: DropCopyVenue, type: str, payload: dict[str, object]) -> None:
    record_event(
        type=type,
        actor=actor,
        aggregate_type="drop_copy_venue",
        aggregate_id=venue.pk,
        organization_id=venue.organization_id,
        key=f"drop_copy:{venue.pk}",
        payload={"venue": venue.code, **payload},
    )
