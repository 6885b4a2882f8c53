"""
Move a follower along the log: a batch, its handlers and the cursor in one transaction.

Order is (transaction_id, id) up to the oldest transaction still running (`pg_snapshot_xmin`):
ids are given out before commit, so "id greater than last" would pass by late commits.
"""

import logging
import time
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models.functions import Now

from .followers import Follower, Start
from .models import Event, FollowerCursor
from .parking import Attempt, attempt, park_failed, park_waiting, parked_keys, try_next_due

logger = logging.getLogger(__name__)

# A follower of rare events still moves its cursor when this many transactions lie behind it.
QUIET_TRANSACTIONS = 1000


class LogFromAnotherCluster(RuntimeError):
    """The cursor is ahead of the database's transactions: a dump was loaded elsewhere."""


@dataclass(frozen=True)
class Position:
    """A cursor, and the first transaction that may still be running when it was read."""

    transaction_id: int
    event_id: int
    horizon: int


@dataclass(frozen=True)
class Step:
    """What one call did: events read, and whether more are known to wait."""

    events: int
    more: bool


def advance(follower: Follower) -> Step:
    """
    Apply the next batch of events; the whole of it or, after an error, nothing.

    A batch in which a handler raised is done again with a savepoint for each event, so that only
    the failing one is parked. That keeps savepoints out of the ordinary case.
    """
    try:
        with transaction.atomic():
            return _advance(follower, careful=False)
    except Exception:  # whatever a handler raises is told apart in the second pass
        if not connection.is_usable():
            raise
        logger.info("follower %s: a handler failed, repeating its batch one by one", follower.name)
    with transaction.atomic():
        return _advance(follower, careful=True)


def retry_due(follower: Follower) -> int:
    """
    Try the parked events whose time has come, one transaction each, and return how many were.

    An event that succeeds frees the next of its key, which is then due at once.
    """
    deadline = time.monotonic() + follower.batch_seconds
    tried = 0
    while time.monotonic() < deadline:
        with transaction.atomic():
            # Under the cursor's lock no batch looks at the parked keys meanwhile.
            FollowerCursor.objects.select_for_update().get(name=follower.name)
            if try_next_due(follower) is Attempt.NONE_DUE:
                break
        tried += 1
    return tried


def ensure_cursor(follower: Follower) -> None:
    """Give a follower that has never run its place in the log."""
    if FollowerCursor.objects.filter(name=follower.name).exists():
        return
    begin = 0 if follower.start is Start.BEGINNING else _horizon()
    FollowerCursor.objects.get_or_create(
        name=follower.name, defaults={"transaction_id": begin, "event_id": 0}
    )


def _advance(follower: Follower, *, careful: bool) -> Step:
    position = _position(follower)
    events = _read(follower, position)
    full = len(events) == follower.batch_size
    if not events:
        if position.horizon - position.transaction_id > QUIET_TRANSACTIONS:
            _move(follower, position, position.horizon, 0)
        return Step(0, more=False)
    if not _lock(follower, position):
        return Step(0, more=True)  # another worker has moved on: look again
    passed = _apply_batch(follower, events, careful=careful)
    latest = events[passed - 1]
    _move(follower, position, latest.transaction_id, latest.pk)
    return Step(passed, more=full or passed < len(events))


def _apply_batch(follower: Follower, events: list[Event], *, careful: bool) -> int:
    """Handle or park events in order until the batch's time is up; return how many."""
    keys = [follower.key_of(event) for event in events]
    blocked = parked_keys(follower, set(keys))
    waiting: list[tuple[Event, str]] = []
    deadline = time.monotonic() + follower.batch_seconds
    passed = 0
    for event, key in zip(events, keys, strict=True):
        if key in blocked:
            waiting.append((event, key))
        elif not careful:
            follower.handle(event)
        elif (error := attempt(follower, event)) is not None:
            park_failed(follower, event, key, error)
            blocked.add(key)
        passed += 1
        if time.monotonic() > deadline:
            break
    park_waiting(follower, waiting)
    return passed


def _position(follower: Follower) -> Position:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT transaction_id, event_id,"
            " pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
            " FROM events_followercursor WHERE name = %s",
            [follower.name],
        )
        row = cursor.fetchone()
    if row is None:
        raise FollowerCursor.DoesNotExist(f"follower {follower.name} has no cursor")
    position = Position(*row)
    if position.transaction_id > position.horizon:
        raise LogFromAnotherCluster(
            f"follower {follower.name} has read up to transaction {position.transaction_id}, but "
            f"this database is only at {position.horizon}: the log was loaded into a new cluster. "
            "Run `manage.py adopt_events` as the owner (docs/events.md, “After a restore”)."
        )
    return position


def _read(follower: Follower, position: Position) -> list[Event]:
    patterns = follower.patterns()
    return list(
        Event.objects.raw(
            "SELECT * FROM events_event"
            " WHERE (transaction_id, id) > (%s, %s) AND transaction_id < %s"
            " AND (%s::text[] IS NULL OR type LIKE ANY(%s::text[]))"
            " ORDER BY transaction_id, id LIMIT %s",
            [
                *(position.transaction_id, position.event_id, position.horizon),
                *(patterns, patterns, follower.batch_size),
            ],
        )
    )


def _lock(follower: Follower, position: Position) -> bool:
    """Lock the cursor; False if it no longer stands where it was read."""
    return (
        FollowerCursor.objects.select_for_update()
        .filter(
            name=follower.name,
            transaction_id=position.transaction_id,
            event_id=position.event_id,
        )
        .exists()
    )


def _move(follower: Follower, position: Position, transaction_id: int, event_id: int) -> None:
    FollowerCursor.objects.filter(
        name=follower.name,
        transaction_id=position.transaction_id,
        event_id=position.event_id,
    ).update(transaction_id=transaction_id, event_id=event_id, moved_at=Now())


def _horizon() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])
