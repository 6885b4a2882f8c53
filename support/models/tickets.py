"""Tickets: a conversation with a status and a time by which it must be answered."""

from django.db import models
from django.db.models.functions import Now

from energyopti.accounts.models.ownership import OwnedQuerySet

from .alerts import Severity


class TicketStatus(models.TextChoices):
    """Where a ticket stands."""

    OPEN = "OPEN", "Open"
    WAITING = "WAITING", "Waiting for the customer"
    SOLVED = "SOLVED", "Solved"


class TicketSequence(models.Model):
    """The latest ticket number; one row, whose lock makes numbers follow each other."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    latest = models.PositiveIntegerField(default=1000)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="ticket_sequence_single"),
        ]

    def __str__(self) -> str:
        return f"tickets up to {self.latest}"


class Ticket(models.Model):
    """
    Something an organization wants answered.

    alert     the alert that opened it; one ticket an alert.
    due_at    when the first answer is due, by severity; `answered_at` stops that clock.
    """

    number = models.PositiveIntegerField(unique=True)
    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, related_name="tickets"
    )
    subject = models.CharField(max_length=200)
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.INFO)
    status = models.CharField(max_length=8, choices=TicketStatus, default=TicketStatus.OPEN)
    alert = models.OneToOneField("support.Alert", models.PROTECT, null=True, related_name="ticket")
    opened_by = models.CharField(max_length=120)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(db_default=Now())

    objects = OwnedQuerySet.as_manager()

    class Meta:
        permissions = [
            ("open_ticket", "Can open tickets"),
            ("answer_ticket", "Can write in tickets"),
            ("handle_ticket", "Can change status and write internal notes"),
        ]
        indexes = [models.Index(fields=["organization", "-number"], name="ticket_organization")]

    def __str__(self) -> str:
        return f"#{self.number} {self.subject}"


class TicketMessage(models.Model):
    """One message of a ticket's thread; internal notes are for those who handle tickets."""

    append_only = True

    ticket = models.ForeignKey(Ticket, models.PROTECT, related_name="messages")
    author_id = models.CharField(max_length=120)
    body = models.TextField()
    is_internal = models.BooleanField(default=False)
    written_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(body=""), name="ticket_message_has_body"),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} by {self.author_id}"
