"""Open alerts and tickets, counted for home pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, Q

from energyopti.accounts.actors import Actor

from ..models import AlertState, TicketStatus
from .inbox import visible_alerts, visible_tickets


@dataclass(frozen=True)
class TicketCounts:
    """
    Tickets that are not solved.

    open       wait for us; `waiting` wait for the customer
    overdue    unanswered, their first answer was due before the time asked for
    next_due   the earliest due time of those unanswered and not overdue
    """

    open: int
    waiting: int
    overdue: int
    next_due: datetime | None


def ticket_counts(actor: Actor, *, at: datetime) -> TicketCounts:
    """Count the actor's unsolved tickets in one query."""
    unanswered = Q(answered_at__isnull=True) & ~Q(status=TicketStatus.SOLVED)
    return TicketCounts(
        **visible_tickets(actor).aggregate(
            open=Count("pk", filter=Q(status=TicketStatus.OPEN)),
            waiting=Count("pk", filter=Q(status=TicketStatus.WAITING)),
            overdue=Count("pk", filter=unanswered & Q(due_at__lt=at)),
            next_due=Min("due_at", filter=unanswered & Q(due_at__gte=at)),
        )
    )


def unresolved_alerts(actor: Actor, *, count: int) -> list[Any]:
    """Return the newest alerts that are not resolved, the firing before the acknowledged."""
    alerts = visible_alerts(actor).exclude(state=AlertState.RESOLVED)
    return list(alerts.order_by("-state", "-fired_at", "-pk")[:count])


def alert_counts(actor: Actor) -> dict[str, int]:
    """Return how many alerts are firing and how many acknowledged, by state; one query."""
    rows = visible_alerts(actor).exclude(state=AlertState.RESOLVED).order_by()
    return dict(rows.values_list("state").annotate(Count("pk")))
