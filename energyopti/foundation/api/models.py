"""Answers kept for requests that carried an Idempotency-Key."""

from django.db import models
from django.db.models.functions import Now


class StoredAnswer(models.Model):
    """
    What a client was answered under one of its keys; written in the transaction of the effect.

    A row exists if and only if the effect was committed. `fingerprint` is the SHA-256 of route,
    version and body, by which another request under the same key is told from a repetition.
    """

    id = models.BigAutoField(primary_key=True)
    client = models.CharField(max_length=140)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    stored_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client", "key"], name="api_answer_once"),
        ]
        indexes = [models.Index(fields=["stored_at"], name="api_answer_age")]

    def __str__(self) -> str:
        return f"{self.client} {self.key}"
