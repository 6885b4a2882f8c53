"""The proof beside the event log: one chained hash for each event."""

from django.db import models
from django.db.models.functions import Now


class AuditRecord(models.Model):
    """
    The link of one event in the hash chain, added by the follower `audit` and never changed.

    hash = SHA-256(previous_hash ‖ RFC 8785 form of the event with its `seq`). `seq` counts from 1
    without a gap. The reference to the event has no database constraint: an event that somebody
    removed must be missed by `verify_audit`, not guarded by the table that proves its absence.
    """

    append_only = True

    seq = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField(
        "events.Event", models.DO_NOTHING, db_constraint=False, related_name="audit_record"
    )
    event_uid = models.UUIDField(unique=True)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(seq__gte=1), name="audit_record_counts"),
            models.UniqueConstraint("previous_hash", name="audit_record_one_successor"),
        ]

    def __str__(self) -> str:
        return f"#{self.seq} {self.hash[:12]}"
