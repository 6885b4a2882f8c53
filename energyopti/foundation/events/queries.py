"""Reads for operators: how far each follower is, and what is parked."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Count, Q

from .followers import FOLLOWERS
from .models import FollowerCursor, ParkedEvent, ParkedState

COUNT_LIMIT = 10_000


@dataclass(frozen=True)
class FollowerState:
    """
    One follower as operators see it.

    behind            events it has yet to read, counted up to `COUNT_LIMIT`.
    oldest_at         when the oldest of them was recorded; None if it has read all.
    parked            keys that wait for a person.
    retrying          keys that will be tried again.
    waiting           events behind these.
    """

    name: str
    is_registered: bool
    moved_at: datetime
    behind: int
    oldest_at: datetime | None
    parked: int
    retrying: int
    waiting: int


def follower_states() -> list[FollowerState]:
    """Return every follower that has ever run, by name."""
    counts = {
        row["follower"]: row
        for row in ParkedEvent.objects.values("follower").annotate(
            parked=Count("id", filter=Q(state=ParkedState.PARKED)),
            retrying=Count("id", filter=Q(state=ParkedState.RETRYING)),
            waiting=Count("id", filter=Q(state=ParkedState.WAITING)),
        )
    }
    states = []
    for cursor in FollowerCursor.objects.order_by("name"):
        behind, oldest_at = lag(cursor)
        count = counts.get(cursor.name, {})
        states.append(
            FollowerState(
                name=cursor.name,
                is_registered=cursor.name in FOLLOWERS,
                moved_at=cursor.moved_at,
                behind=behind,
                oldest_at=oldest_at,
                parked=count.get("parked", 0),
                retrying=count.get("retrying", 0),
                waiting=count.get("waiting", 0),
            )
        )
    return states


def lag(cursor: FollowerCursor) -> tuple[int, datetime | None]:
    """Return how many events a follower has yet to read (≤ COUNT_LIMIT) and the oldest's time."""
    patterns = FOLLOWERS[cursor.name].patterns() if cursor.name in FOLLOWERS else None
    with connection.cursor() as rows:
        rows.execute(
            "SELECT count(*), min(recorded_at) FROM (SELECT recorded_at FROM events_event"
            " WHERE (transaction_id, id) > (%s, %s)"
            " AND (%s::text[] IS NULL OR type LIKE ANY(%s::text[]))"
            " ORDER BY transaction_id, id LIMIT %s) AS unread",
            [cursor.transaction_id, cursor.event_id, patterns, patterns, COUNT_LIMIT],
        )
        behind, oldest_at = rows.fetchone()
    return behind, oldest_at
