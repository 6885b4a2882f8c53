"""What is hashed of an event, and how one hash follows from the one before."""

import hashlib
from typing import Any

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from compliance.canonical import canonical_json, read_exactly
from energyopti.foundation.events.models import Event

GENESIS = "0" * 64
"""What the first record names as its predecessor."""


def exact_events() -> "QuerySet[Event]":
    """
    Return a queryset of events that carries payload and changes as the database's own text.

    Through Python's floats, two different numbers in a payload could look alike.
    """
    return Event.objects.annotate(
        payload_text=Cast("payload", TextField()), changes_text=Cast("changes", TextField())
    )


def body_of(event: Any, seq: int) -> dict[str, Any]:
    """Return what is hashed of an event from `exact_events`: every column, and its number."""
    return {
        "seq": str(seq),
        "id": str(event.pk),
        "uid": str(event.uid),
        "transaction_id": str(event.transaction_id),
        "recorded_at": event.recorded_at.isoformat(),
        "type": event.type,
        "version": event.version,
        "aggregate_type": event.aggregate_type,
        "aggregate_id": event.aggregate_id,
        "key": event.key,
        "organization_id": str(event.organization_id) if event.organization_id else None,
        "actor_id": event.actor_id,
        "on_behalf_of": event.on_behalf_of,
        "request_id": event.request_id,
        "payload": read_exactly(event.payload_text),
        "changes": read_exactly(event.changes_text),
    }


def link_hash(previous_hash: str, body: dict[str, Any]) -> str:
    """Return SHA-256(previous hash ‖ RFC 8785 form of the body), in hexadecimal."""
    return hashlib.sha256(bytes.fromhex(previous_hash) + canonical_json(body)).hexdigest()
