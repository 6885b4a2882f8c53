"""Alerts, rules and tickets of the actor's organizations."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization, User
from trading.queries.markets import market_by_code, market_summaries

from ..models import Alert, AlertRule, Ticket

__all__ = ["market_by_code"]


class NotThere(LookupError):
    """There is no such row for this actor; a foreign one looks the same."""


@dataclass(frozen=True)
class ThreadMessage:
    """One message as the thread shows it; no address is shown to those who do not handle it."""

    author: str
    body: str
    is_internal: bool
    written_at: datetime


def visible_alerts(actor: Actor) -> "QuerySet[Alert]":
    """Return the alerts that the actor may see, unordered."""
    return Alert.objects.visible_to(actor).select_related("rule__market", "organization", "ticket")


def visible_rules(actor: Actor) -> "QuerySet[AlertRule]":
    """Return the alert rules that the actor may see, unordered."""
    return AlertRule.objects.visible_to(actor).select_related("market", "organization")


def visible_tickets(actor: Actor) -> "QuerySet[Ticket]":
    """Return the tickets that the actor may see, unordered."""
    return Ticket.objects.visible_to(actor).select_related("organization", "alert")


def one_of(rows: "QuerySet[Any]", **key: Any) -> Any:
    """
    Return the one row.

    :raises NotThere: if it is not among them.
    """
    found = rows.filter(**key).first()
    if found is None:
        raise NotThere("There is nothing here for you.")
    return found


def thread(actor: Actor, ticket: Ticket) -> list[ThreadMessage]:
    """Return a ticket's messages, the oldest first; internal ones for those who handle tickets."""
    handles = actor.may("support.handle_ticket")
    messages = ticket.messages.order_by("pk")
    if not handles:
        messages = messages.filter(is_internal=False)
    messages = list(messages)
    ids = {m.author_id.removeprefix("user:") for m in messages if m.author_id.startswith("user:")}
    users = {f"user:{user.pk}": user for user in User.objects.filter(pk__in=ids)}
    return [
        ThreadMessage(
            author=_shown(message.author_id, users.get(message.author_id), actor, handles),
            body=message.body,
            is_internal=message.is_internal,
            written_at=message.written_at,
        )
        for message in messages
    ]


def own_organizations(actor: Actor) -> "QuerySet[Any]":
    """Return the organizations for which the actor may create rules and tickets, by name."""
    return Organization.objects.filter(id__in=actor.organization_ids).order_by("name")


def market_codes(actor: Actor) -> list[str]:
    """Return the codes of the markets that can be watched."""
    return [summary.market.code for summary in market_summaries(actor=actor)]


def _shown(author_id: str, user: User | None, actor: Actor, handles: bool) -> str:
    if author_id == actor.id:
        return "You"
    if user is None:
        return "Automatic" if author_id.startswith("system:") else "Somebody"
    if handles:
        return str(user.email)
    return str(user.name or "Somebody")
