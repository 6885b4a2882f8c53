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


class FollowerCursor(models.Model):
    """
    How far a durable follower has read: everything up to (transaction_id, event_id) is applied.

    The row's lock is what makes two workers of one follower harmless.
    """

    name = models.CharField(max_length=80, primary_key=True)
    transaction_id = models.BigIntegerField(default=0)
    event_id = models.BigIntegerField(default=0)
    moved_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "follower"

    def __str__(self) -> str:
        return f"{self.name} at {self.transaction_id}/{self.event_id}"


class ParkedState(models.TextChoices):
    """What a parked event waits for."""

    RETRYING = "RETRYING", "Will be tried again"
    PARKED = "PARKED", "Waits for a person"
    WAITING = "WAITING", "Waits behind an earlier event of its key"


class ParkedEvent(models.Model):
    """
    An event that a follower has passed by without applying it.

    The first of a key has failed (RETRYING, then PARKED); the later ones WAIT behind it, so that
    the key keeps its order while other keys go on.
    """

    follower = models.CharField(max_length=80)
    key = models.CharField(max_length=200)
    event = models.ForeignKey(Event, models.PROTECT, related_name="+")
    transaction_id = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=ParkedState)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    next_attempt_at = models.DateTimeField(null=True)
    parked_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint("follower", "event", name="parked_event_once"),
            models.UniqueConstraint(
                "follower",
                "key",
                condition=~models.Q(state="WAITING"),
                name="parked_event_one_head",
            ),
            models.CheckConstraint(
                condition=models.Q(state="RETRYING") ^ models.Q(next_attempt_at__isnull=True),
                name="parked_event_retry_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["follower", "key", "transaction_id", "event"], name="parked_event_order"
            ),
        ]
        permissions = [("replay_parkedevent", "Can have parked events applied again")]

    def __str__(self) -> str:
        return f"{self.follower} {self.key} #{self.event_id} {self.state}"
