"""What one person proposes and another decides on: numbered versions, never overwritten."""

from django.db import models
from django.db.models.functions import Now


class VersionStatus(models.TextChoices):
    """Where a version stands; only an approved one counts."""

    PENDING = "PENDING", "Waits for approval"
    APPROVED = "APPROVED", "Approved"
    DECLINED = "DECLINED", "Declined"


class ProposedVersion(models.Model):
    """
    One version of something that two persons stand for.

    Decided once, by another person than who proposed; nothing else of a row changes.

    number          counted from 1 for what the version is of
    decided_at      real time; from then on a cut of knowledge knows the decision
    """

    number = models.PositiveIntegerField()
    reason = models.CharField(max_length=400)
    proposed_by = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(db_default=Now())
    status = models.CharField(max_length=8, choices=VersionStatus, default=VersionStatus.PENDING)
    decided_by = models.CharField(max_length=120, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_reason = models.CharField(max_length=400, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"v{self.number}"


def two_persons(name: str) -> list[models.CheckConstraint]:
    """Return the constraints of a table of versions, their names after `name`."""
    return [
        models.CheckConstraint(
            condition=models.Q(status="PENDING", decided_by="", decided_at__isnull=True)
            | (
                models.Q(status__in=["APPROVED", "DECLINED"], decided_at__isnull=False)
                & ~models.Q(decided_by="")
                & ~models.Q(decided_by=models.F("proposed_by"))
            ),
            name=f"{name}_decided_by_another",
        ),
        models.CheckConstraint(condition=~models.Q(reason=""), name=f"{name}_has_a_reason"),
    ]
