"""
Write to the event log, and have parked events applied again.

Every verb that changes state calls `record_event` once, at its end.
"""

from typing import Any, Protocol
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from .models import Event, ParkedEvent, ParkedState
from .secrets import mask_change, mask_secrets


class Originator(Protocol):
    """Who did it: the part of an actor that the log needs, all opaque to the foundation."""

    @property
    def id(self) -> str: ...
    @property
    def on_behalf_of(self) -> str: ...
    @property
    def request_id(self) -> str: ...


class NotInTransaction(RuntimeError):
    """An event was about to be written outside the transaction of the change it tells of."""


def record_event(
    *,
    type: str,
    actor: Originator,
    aggregate_type: str,
    aggregate_id: object,
    organization_id: UUID | None,
    key: str = "",
    payload: dict[str, Any] | None = None,
    changes: dict[str, tuple[Any, Any]] | None = None,
    version: int = 1,
) -> Event:
    """
    Append one event in the caller's transaction and wake the followers at its commit.

    type      namespaced, past tense: "trade.captured", "schedule.published".
    key       what keeps order ("book:<id>", "device:<id>"); default is the aggregate itself.
    payload   JSON values that followers need; decimals as strings, times as ISO 8601.
    changes   field → (before, after); values of secret fields are masked here.

    :raises NotInTransaction: if no transaction is open, because then the event could be written
        without its change or the change without its event.
    """
    if not connection.in_atomic_block:
        raise NotInTransaction(f"record_event({type!r}) needs an open transaction")
    event = Event.objects.create(
        type=type,
        version=version,
        aggregate_type=aggregate_type,
        aggregate_id=str(aggregate_id),
        key=key or f"{aggregate_type}:{aggregate_id}",
        organization_id=organization_id,
        actor_id=actor.id,
        on_behalf_of=actor.on_behalf_of,
        request_id=actor.request_id,
        payload=mask_secrets(payload or {}),
        changes={
            field: mask_change(field, before, after)
            for field, (before, after) in (changes or {}).items()
        },
    )
    with connection.cursor() as cursor:
        # PostgreSQL folds equal notifications of one transaction into one, sent at commit.
        cursor.execute("SELECT pg_notify('events', '')")
    return event


class NothingParked(LookupError):
    """A replay was asked for where no event waits for a person or a retry."""


def replay_parked(*, actor: Originator, follower: str, key: str | None = None) -> list[str]:
    """
    Have a follower try its parked events again now, and return the keys concerned.

    The running follower does it, so each key keeps its order: the failed event first, those that
    wait behind it after its success. Its failures are counted anew.

    key   only this key; None is every key of the follower that has stopped.

    :raises NothingParked: if no event of that follower and key is parked.
    """
    with transaction.atomic():
        heads = ParkedEvent.objects.exclude(state=ParkedState.WAITING).filter(follower=follower)
        if key is not None:
            heads = heads.filter(key=key)
        keys = sorted(heads.select_for_update().values_list("key", flat=True))
        if not keys:
            of_key = "" if key is None else f" with key {key!r}"
            raise NothingParked(f"follower {follower!r}{of_key}: no event is parked")
        heads.update(
            state=ParkedState.RETRYING,
            attempts=0,
            next_attempt_at=Now(),
        )
        record_event(
            type="follower.replay_requested",
            actor=actor,
            aggregate_type="follower",
            aggregate_id=follower,
            organization_id=None,
            payload={"follower": follower, "keys": keys},
        )
    return keys
