"""Messages that leave the house about an alert, and whether they arrived."""

from django.db import models
from django.db.models.functions import Now


class Channel(models.TextChoices):
    """How a notification travels."""

    EMAIL = "EMAIL", "E-mail"
    APPRISE = "APPRISE", "Messaging service"


class DeliveryState(models.TextChoices):
    """Where a notification stands."""

    PENDING = "PENDING", "To be sent"
    SENT = "SENT", "Handed over"
    FAILED = "FAILED", "Given up"


class Notification(models.Model):
    """
    One message to one recipient, written with the alert and delivered after commit.

    recipient    an e-mail address; empty for the rule's messaging address, which may hold a
                 secret and is read from the rule when the message is sent.
    """

    alert = models.ForeignKey("support.Alert", models.PROTECT, related_name="notifications")
    channel = models.CharField(max_length=8, choices=Channel)
    recipient = models.EmailField(blank=True)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    state = models.CharField(max_length=8, choices=DeliveryState, default=DeliveryState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=400, blank=True)
    written_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "alert", "channel", "recipient", name="notification_recipient_once"
            ),
        ]
        indexes = [
            models.Index("id", condition=models.Q(state="PENDING"), name="notification_pending"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.recipient} {self.state}"
