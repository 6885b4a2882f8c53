"""
Write to the event log, and have parked events applied again.

Every verb that changes state calls `record_event` once, at its end.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now

from ..copying import copy_rows
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


@dataclass(frozen=True)
class NewEvent:
    """One of many events that are written together; the fields are those of `record_event`."""

    aggregate_id: object
    organization_id: UUID | None
    key: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)


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
    _check_transaction(type)
    event = _event(
        type, actor, aggregate_type, version,
        NewEvent(aggregate_id, organization_id, key, payload or {}, changes or {}),
    )  # fmt: skip
    event.save(force_insert=True)
    _wake_followers()
    return event


def record_events(
    *,
    type: str,
    actor: Originator,
    aggregate_type: str,
    events: Iterable[NewEvent],
    version: int = 1,
) -> None:
    """
    Append events of one type in their order, as `record_event` does one by one.

    :raises NotInTransaction: if no transaction is open.
    """
    _check_transaction(type)
    copy_rows([_event(type, actor, aggregate_type, version, each) for each in events])
    _wake_followers()


def _check_transaction(type: str) -> None:
    if not connection.in_atomic_block:
        raise NotInTransaction(f"record_event({type!r}) needs an open transaction")


def _event(type: str, actor: Originator, aggregate_type: str, version: int, new: NewEvent) -> Event:
    return Event(
        type=type,
        version=version,
        aggregate_type=aggregate_type,
        aggregate_id=str(new.aggregate_id),
        key=new.key or f"{aggregate_type}:{new.aggregate_id}",
        organization_id=new.organization_id,
        actor_id=actor.id,
        on_behalf_of=actor.on_behalf_of,
        request_id=actor.request_id,
        payload=mask_secrets(new.payload),
        changes={
            name: mask_change(name, before, after) for name, (before, after) in new.changes.items()
        },
    )


def _wake_followers() -> None:
    with connection.cursor() as cursor:
        # PostgreSQL folds equal notifications of one transaction into one, sent at commit.
        cursor.execute("SELECT pg_notify('events', '')")


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
