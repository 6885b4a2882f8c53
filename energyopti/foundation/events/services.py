"""Write to the event log. Every verb that changes state calls `record_event` once, at its end."""

from typing import Any, Protocol
from uuid import UUID

from django.db import connection

from .models import Event

MASK = "***"
SECRET_WORDS = ("password", "secret", "token", "private_key", "api_key", "authorization", "pan")


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
        changes=mask_secrets(
            {
                field: {"before": before, "after": after}
                for field, (before, after) in (changes or {}).items()
            }
        ),
    )
    with connection.cursor() as cursor:
        # PostgreSQL folds equal notifications of one transaction into one, sent at commit.
        cursor.execute("SELECT pg_notify('events', '')")
    return event


def mask_secrets(value: Any) -> Any:
    """Return the value with everything under a secret-sounding key replaced by a mask."""
    if isinstance(value, dict):
        return {
            name: MASK
            if any(word in str(name).lower() for word in SECRET_WORDS)
            else mask_secrets(item)
            for name, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [mask_secrets(item) for item in value]
    return value
