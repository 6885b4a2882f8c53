"""The append-only event log: one row is the domain event, the audit record and the queue."""

import uuid
from typing import Any

from django.db import models
from django.db.models.functions import Now


class CurrentTransactionId(models.Func):
    """`pg_current_xact_id()` as bigint: the 64-bit id of the transaction that writes the row."""

    template = "(pg_current_xact_id()::text::bigint)"
    output_field = models.BigIntegerField()


class Event(models.Model):
    """
    Something that happened, written in the transaction of the verb that did it, never changed.

    `transaction_id` is filled by the database. Followers read in (transaction_id, id) order up to
    `pg_snapshot_xmin`, because ids commit out of order. `key` orders and blocks: events of one key
    are applied one after the other, and a poisoned one blocks only its key. Actor and organization
    are opaque ids: the foundation knows no accounts.
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    transaction_id = models.BigIntegerField(db_default=CurrentTransactionId(), editable=False)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)
    type = models.CharField(max_length=80)
    version = models.PositiveSmallIntegerField(default=1)
    aggregate_type = models.CharField(max_length=60)
    aggregate_id = models.CharField(max_length=80)
    key = models.CharField(max_length=120)
    organization_id = models.UUIDField(null=True)
    actor_id = models.CharField(max_length=120)
    on_behalf_of = models.CharField(max_length=120, blank=True)
    request_id = models.CharField(max_length=80, blank=True)
    payload = models.JSONField(default=dict)
    changes = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["transaction_id", "id"], name="event_follow"),
            models.Index(fields=["aggregate_type", "aggregate_id", "id"], name="event_aggregate"),
            models.Index(fields=["organization_id", "-id"], name="event_organization"),
            models.Index(fields=["type", "-id"], name="event_type"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.aggregate_type} {self.aggregate_id} #{self.pk}"

    def data(self) -> dict[str, Any]:
        """Return the payload with the identity of the event, as followers and webhooks see it."""
        return {
            "id": str(self.uid),
            "type": self.type,
            "version": self.version,
            "aggregate": {"type": self.aggregate_type, "id": self.aggregate_id},
            "recorded_at": self.recorded_at.isoformat(),
            "organization_id": str(self.organization_id) if self.organization_id else None,
            "payload": self.payload,
        }
