"""Events and chains with few words."""

from typing import Any
from uuid import UUID

from django.db import transaction

from compliance.audit.services.chaining import chain_event
from energyopti.accounts.actors import Actor
from energyopti.foundation.events.models import Event
from energyopti.foundation.events.services import record_event


def make_event(
    kind: str = "trade.captured",
    *,
    actor: Actor | None = None,
    organization_id: UUID | None = None,
    payload: dict[str, Any] | None = None,
    changes: dict[str, tuple[Any, Any]] | None = None,
    subject: str = "T-1",
) -> Event:
    with transaction.atomic():
        return record_event(
            type=kind,
            actor=actor or Actor.system("test"),
            aggregate_type="trade",
            aggregate_id=subject,
            organization_id=organization_id,
            payload=payload if payload is not None else {"price": "85.20", "weight": 0.1},
            changes=changes if changes is not None else {"state": ("draft", "captured")},
        )


def make_chain(length: int = 3) -> list[Event]:
    """Record events and chain each, as the follower does one after the other."""
    events = [make_event(subject=f"T-{i}", payload={"number": i}) for i in range(length)]
    for event in events:
        chain_event(event)
    return events
