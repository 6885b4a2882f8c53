"""Files of a trade: confirmations, contracts, recaps. Added and withdrawn, never changed."""

import uuid

from django.db import models
from django.db.models.functions import Now


class DocumentKind(models.TextChoices):
    CONFIRMATION = "CONFIRMATION", "Confirmation"
    CONTRACT = "CONTRACT", "Contract"
    RECAP = "RECAP", "Broker's recap"
    OTHER = "OTHER", "Other"


class TradeDocument(models.Model):
    """
    One file as it was received.

    media_type  what the bytes are, told from them and not from what the browser said
    sha256      of the bytes, hexadecimal; checked whenever they are handed out
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    trade = models.ForeignKey("trading.Trade", models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=12, choices=DocumentKind)
    name = models.CharField(max_length=120)
    note = models.CharField(max_length=200, blank=True)
    media_type = models.CharField(max_length=80)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()
    added_by = models.CharField(max_length=120)
    added_by_name = models.CharField(max_length=120, blank=True)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sha256__regex="^[0-9a-f]{64}$"), name="trade_document_sha256"
            ),
            models.CheckConstraint(condition=models.Q(size__gt=0), name="trade_document_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of trade {self.trade_id}, {self.uid}"


class DocumentWithdrawal(models.Model):
    """That a file no longer counts, and why; the file stays on record."""

    append_only = True

    document = models.OneToOneField(TradeDocument, models.PROTECT, related_name="withdrawal")
    reason = models.CharField(max_length=400)
    withdrawn_by = models.CharField(max_length=120)
    withdrawn_by_name = models.CharField(max_length=120, blank=True)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ("add", "view")

    def __str__(self) -> str:
        return f"Withdrawal of document {self.document_id}"
