"""Open tickets, write in them, and move their status."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event

from ..models import Alert, Severity, Ticket, TicketMessage, TicketSequence, TicketStatus

ANSWER_WITHIN = {
    Severity.CRITICAL: timedelta(hours=1),
    Severity.WARNING: timedelta(hours=8),
    Severity.INFO: timedelta(hours=24),
}
"""How soon a first answer is due."""


class TicketRefused(ValueError):
    """A ticket or message breaks a rule; names the field and the rule."""


def open_ticket(
    *,
    actor: Actor,
    organization_id: UUID,
    subject: str,
    body: str,
    opened_at: datetime,
    severity: Severity = Severity.INFO,  # type: ignore[assignment]  # mypy has no Django plugin
) -> Ticket:
    """
    Open a ticket for an organization of the actor.

    :raises TicketRefused: for an organization that is not the actor's, or empty text.
    """
    actor.require("support.open_ticket")
    if organization_id not in actor.organization_ids:
        raise TicketRefused("organization: choose one of your organizations.")
    if not subject.strip():
        raise TicketRefused("subject: say in a few words what this is about.")
    if len(subject) > 200:
        raise TicketRefused("subject: use 200 characters at most.")
    if not body.strip():
        raise TicketRefused("body: describe what happened.")
    return _open(
        actor=actor,
        organization_id=organization_id,
        subject=subject.strip(),
        body=body.strip(),
        severity=severity,
        alert=None,
        opened_at=opened_at,
    )


def open_ticket_for_alert(*, actor: Actor, alert: Alert, opened_at: datetime) -> Ticket:
    """Open the one ticket of an alert; called again it returns that ticket."""
    present = Ticket.objects.filter(alert=alert).first()
    if present is not None:
        return present
    return _open(
        actor=actor,
        organization_id=alert.organization_id,
        subject=f"{alert.rule.name}"[:200],
        body=f"Opened by an alert: {alert.reason}",
        severity=Severity(alert.severity),
        alert=alert,
        opened_at=opened_at,
    )


def answer_ticket(
    *, actor: Actor, ticket: Ticket, body: str, written_at: datetime
) -> TicketMessage:
    """
    Write into a ticket's thread, for its organization to read.

    The first answer by somebody who handles tickets stops the clock of the promised time; the
    customer's answer opens a ticket that waited for it or was solved.
    """
    actor.require("support.answer_ticket")
    with transaction.atomic():
        locked = _locked(actor, ticket)
        message = _write(locked, actor, body, written_at, is_internal=False)
        before = locked.status
        if actor.may("support.handle_ticket"):
            locked.answered_at = locked.answered_at or written_at
        elif locked.status != TicketStatus.OPEN:
            locked.status = TicketStatus.OPEN
        locked.save(update_fields=["answered_at", "status"])
        _tell(actor, locked, "ticket.answered", before)
    return message


def note_ticket(*, actor: Actor, ticket: Ticket, body: str, written_at: datetime) -> TicketMessage:
    """Write an internal note, which the customer never sees."""
    actor.require("support.handle_ticket")
    with transaction.atomic():
        locked = _locked(actor, ticket)
        message = _write(locked, actor, body, written_at, is_internal=True)
        _tell(actor, locked, "ticket.noted", locked.status)
    return message


def set_ticket_status(*, actor: Actor, ticket: Ticket, status: TicketStatus) -> Ticket:
    """Move a ticket to another status; the same one again changes nothing."""
    actor.require("support.handle_ticket")
    with transaction.atomic():
        locked = _locked(actor, ticket)
        before = locked.status
        if before != status:
            locked.status = status
            locked.save(update_fields=["status"])
            _tell(actor, locked, "ticket.status_changed", before)
    return locked


def _open(
    *,
    actor: Actor,
    organization_id: UUID,
    subject: str,
    body: str,
    severity: Severity,
    alert: Alert | None,
    opened_at: datetime,
) -> Ticket:
    with transaction.atomic():
        TicketSequence.objects.get_or_create(id=1)
        sequence = TicketSequence.objects.select_for_update().get(id=1)
        sequence.latest += 1
        sequence.save(update_fields=["latest"])
        ticket = Ticket.objects.create(
            number=sequence.latest,
            organization_id=organization_id,
            subject=subject,
            severity=severity,
            alert=alert,
            opened_by=actor.id,
            opened_at=opened_at,
            due_at=opened_at + ANSWER_WITHIN[severity],
        )
        TicketMessage.objects.create(
            ticket=ticket, author_id=actor.id, body=body, written_at=opened_at
        )
        record_event(
            type="ticket.opened",
            actor=actor,
            aggregate_type="ticket",
            aggregate_id=ticket.number,
            organization_id=organization_id,
            payload={"severity": severity, "alert": alert.pk if alert else None},
        )
    return ticket


def _locked(actor: Actor, ticket: Ticket) -> Ticket:
    found: Ticket = Ticket.objects.select_for_update().get(
        pk=ticket.pk, organization_id__in=actor.organization_ids
    )
    return found


def _write(
    ticket: Ticket, actor: Actor, body: str, written_at: datetime, *, is_internal: bool
) -> TicketMessage:
    text = body.strip()
    if not text:
        raise TicketRefused("body: write something.")
    if len(text) > 20_000:
        raise TicketRefused("body: use 20,000 characters at most.")
    return TicketMessage.objects.create(
        ticket=ticket,
        author_id=actor.id,
        body=text,
        is_internal=is_internal,
        written_at=written_at,
    )


def _tell(actor: Actor, ticket: Ticket, kind: str, before: str) -> None:
    record_event(
        type=kind,
        actor=actor,
        aggregate_type="ticket",
        aggregate_id=ticket.number,
        organization_id=ticket.organization_id,
        changes={"status": (str(before), str(ticket.status))} if before != ticket.status else {},
    )
