"""Recompute the hash chain from the event log and name the first place where it breaks."""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection

from energyopti.foundation.events.models import Event, FollowerCursor, ParkedEvent

from ..models import AuditRecord
from .links import GENESIS, body_of, exact_events, link_hash

_BATCH = 1000


@dataclass(frozen=True)
class Break:
    """The first broken place: which record (or event), and what does not fit."""

    where: str
    reason: str


@dataclass(frozen=True)
class Verification:
    """
    What a walk along the chain found.

    records     links that hold, from the first
    head        hash of the last of them
    waiting     events that the follower has yet to chain; not an error
    broken      None if everything holds
    """

    records: int
    head: str
    waiting: int
    broken: Break | None


def verify_chain(*, report: Callable[[int, int], None] | None = None) -> Verification:
    """
    Walk the whole chain and then look for events that it lacks.

    report    called with (records walked, records in all) after each batch

    Found are: a changed, removed or swapped event; a changed, removed or inserted record; an
    event put into the log behind the follower's back; records cut off at the end while the
    follower's cursor still stands behind them. Somebody who owns the database and rewrites
    events, chain and cursor together is found only by a checkpoint kept elsewhere, which later
    versions add.
    """
    total = AuditRecord.objects.count()
    head, walked = GENESIS, 0
    while True:
        records = list(AuditRecord.objects.filter(seq__gt=walked).order_by("seq")[:_BATCH])
        if not records:
            break
        events = {
            event.pk: event
            for event in exact_events().filter(pk__in=[record.event_id for record in records])
        }
        for record in records:
            reason = _fault(record, events.get(record.event_id), walked + 1, head)
            if reason:
                broken = Break(f"record {record.seq} (event {record.event_id})", reason)
                return Verification(walked, head, 0, broken)
            head, walked = record.hash, record.seq
        if report:
            report(walked, total)
    missing, waiting = _unchained()
    if missing is None:
        return Verification(walked, head, waiting, None)
    passed = Break(f"event {missing}", "the follower has passed it, and the chain has no record")
    return Verification(walked, head, waiting, passed)


def _fault(record: AuditRecord, event: Event | None, seq: int, previous_hash: str) -> str:
    """Return what is wrong with a record, or nothing."""
    if record.seq != seq:
        return f"record {seq} is missing"
    if record.previous_hash != previous_hash:
        return "it does not follow from the record before"
    if event is None:
        return "its event is no longer in the log"
    if event.uid != record.event_uid:
        return "it belongs to another event"
    if link_hash(previous_hash, body_of(event, seq)) != record.hash:
        return "its event was changed after it was chained"
    return ""


def _unchained() -> tuple[int | None, int]:
    """Return the first event that the follower passed without a record, and how many wait."""
    cursor_row = FollowerCursor.objects.filter(name="audit").first()
    position = (cursor_row.transaction_id, cursor_row.event_id) if cursor_row else (0, 0)
    parked = ParkedEvent.objects.filter(follower="audit").count()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT min(event.id) FROM events_event AS event
            WHERE (event.transaction_id, event.id) <= (%s, %s)
              AND NOT EXISTS (SELECT FROM audit_auditrecord WHERE event_id = event.id)
              AND NOT EXISTS (SELECT FROM events_parkedevent AS parked
                              WHERE parked.event_id = event.id AND parked.follower = 'audit')
            """,
            position,
        )
        (missing,) = cursor.fetchone()
        cursor.execute(
            "SELECT count(*) FROM events_event WHERE (transaction_id, id) > (%s, %s)", position
        )
        (unread,) = cursor.fetchone()
    return missing, unread + parked
