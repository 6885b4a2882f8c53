"""
Set aside events that a handler refuses, and try them again, in the order of their key.

Everything here runs in a transaction that holds the follower's cursor.
"""

from datetime import timedelta
from enum import Enum

from django.db import connection, transaction
from django.db.models.functions import Now

from .followers import Follower
from .models import Event, ParkedEvent, ParkedState

ERROR_CHARACTERS = 2000


class Attempt(Enum):
    """What became of the next parked event that was due."""

    NONE_DUE = "none due"
    APPLIED = "applied"
    FAILED = "failed"


def attempt(follower: Follower, event: Event) -> Exception | None:
    """
    Hand one event over in a savepoint; return what the handler raised, its effects undone.

    An error because the database has gone says nothing about the event and is raised.
    """
    try:
        with transaction.atomic():
            follower.handle(event)
    except Exception as error:  # a handler may fail in any way; it is kept and shown
        if not connection.is_usable():
            raise
        return error
    return None


def parked_keys(follower: Follower, keys: set[str]) -> set[str]:
    """Return those keys of which events are parked."""
    return set(
        ParkedEvent.objects.filter(follower=follower.name, key__in=keys)
        .exclude(state=ParkedState.WAITING)
        .values_list("key", flat=True)
    )


def park_failed(follower: Follower, event: Event, key: str, error: Exception) -> None:
    """Park an event after its first failure, as the head of its key."""
    parked = ParkedEvent(
        follower=follower.name, key=key, event=event, transaction_id=event.transaction_id
    )
    _note_failure(follower, parked, error)
    parked.save(force_insert=True)


def park_waiting(follower: Follower, events: list[tuple[Event, str]]) -> None:
    """Park events behind the head of their key."""
    if events:
        ParkedEvent.objects.bulk_create(
            ParkedEvent(
                follower=follower.name,
                key=key,
                event=event,
                transaction_id=event.transaction_id,
                state=ParkedState.WAITING,
            )
            for event, key in events
        )


def try_next_due(follower: Follower) -> Attempt:
    """Hand over the parked event that has been due longest, if there is one."""
    head = (
        ParkedEvent.objects.filter(
            follower=follower.name, state=ParkedState.RETRYING, next_attempt_at__lte=Now()
        )
        .select_related("event")
        .order_by("next_attempt_at", "id")
        .first()
    )
    if head is None:
        return Attempt.NONE_DUE
    if (error := attempt(follower, head.event)) is not None:
        _note_failure(follower, head, error)
        head.save()
        return Attempt.FAILED
    head.delete()
    _free_next(follower, head.key)
    return Attempt.APPLIED


def _free_next(follower: Follower, key: str) -> None:
    following = (
        ParkedEvent.objects.filter(follower=follower.name, key=key)
        .order_by("transaction_id", "event_id")
        .first()
    )
    if following is not None:
        following.state = ParkedState.RETRYING
        following.next_attempt_at = Now()
        following.save()


def _note_failure(follower: Follower, parked: ParkedEvent, error: Exception) -> None:
    parked.attempts += 1
    parked.error = f"{type(error).__name__}: {error}"[:ERROR_CHARACTERS]
    if parked.attempts >= follower.attempts:
        parked.state, parked.next_attempt_at = ParkedState.PARKED, None
    else:
        parked.state = ParkedState.RETRYING
        parked.next_attempt_at = Now() + timedelta(seconds=follower.pause_seconds(parked.attempts))
