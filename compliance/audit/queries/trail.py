"""The audit trail as people read it: their events, each with its place in the chain."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Now, Substr

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization, User
from energyopti.foundation.events.models import Event

from ..models import AuditRecord


class NoSuchEvent(LookupError):
    """No event that the actor may see has the identifier."""


@dataclass(frozen=True)
class Change:
    """One field before and after."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class EventDetail:
    """One event as its page shows it; the chain's fields are None until it is chained."""

    event: Any
    actor: str
    organization: str
    changes: tuple[Change, ...]
    payload: tuple[tuple[str, Any], ...]
    seq: int | None
    previous_hash: str | None
    hash: str | None


def visible_events(actor: Actor) -> "QuerySet[Event]":
    """
    Return the events that the actor may see: those of its organizations.

    Events of no organization (markets, factors, tasks) are for the operating company.
    """
    visible = Q(organization_id__in=actor.organization_ids)
    operates = Organization.objects.filter(
        id__in=actor.own_organization_ids, parent__isnull=True
    ).exists()
    if actor.is_system or operates:
        visible |= Q(organization_id__isnull=True)
    return Event.objects.filter(visible)


def trail(actor: Actor) -> "QuerySet[Event]":
    """Return visible events with the names of actor and organization and the place in the chain."""
    email = User.objects.filter(pk=Cast(Substr(OuterRef("actor_id"), 6), User._meta.pk))
    name = Organization.objects.filter(pk=OuterRef("organization_id"))
    return visible_events(actor).annotate(
        actor_name=Case(
            When(
                # Only well-formed ids are cast: a foreign form of id must not break the page.
                actor_id__regex=r"^user:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
                then=Coalesce(Subquery(email.values("email")[:1]), F("actor_id")),
            ),
            default=F("actor_id"),
            output_field=CharField(),
        ),
        organization_name=Coalesce(Subquery(name.values("name")[:1]), Value("")),
        seq=F("audit_record__seq"),
    )


def events_of(actor: Actor, aggregate_type: str, aggregate_id: str) -> "QuerySet[Event]":
    """Return the visible events of one subject, newest first."""
    found = trail(actor).filter(aggregate_type=aggregate_type, aggregate_id=aggregate_id)
    return found.order_by("-pk")


def event_detail(actor: Actor, uid: uuid.UUID) -> EventDetail:
    """
    Return one event with what changed.

    :raises NoSuchEvent: also if it belongs to somebody else; the two look the same.
    """
    event = trail(actor).select_related("audit_record").filter(uid=uid).first()
    if event is None:
        raise NoSuchEvent(f"event: there is no event {uid}.")
    record = getattr(event, "audit_record", None)
    return EventDetail(
        event=event,
        actor=event.actor_name,
        organization=event.organization_name,
        changes=tuple(
            Change(field, change.get("before"), change.get("after"))
            for field, change in event.changes.items()
        ),
        payload=tuple(event.payload.items()),
        seq=record.seq if record else None,
        previous_hash=record.previous_hash if record else None,
        hash=record.hash if record else None,
    )


@dataclass(frozen=True)
class TrailSummary:
    """
    The trail at a glance.

    recorded       visible events of the window
    unchained      of all visible events those that the chain does not hold yet
    newest_at      when the newest visible event was recorded
    chain_length   records of the whole chain
    """

    recorded: int
    unchained: int
    newest_at: datetime | None
    chain_length: int


def trail_summary(actor: Actor, *, window: timedelta) -> TrailSummary:
    """Return counts; `window` is measured back from the database's now, as events are."""
    events = visible_events(actor)
    found = events.aggregate(
        recorded=Count("pk", filter=Q(recorded_at__gte=Now() - window)),
        unchained=Count("pk", filter=Q(audit_record__isnull=True)),
        newest=Max("recorded_at"),
    )
    length = AuditRecord.objects.order_by("-seq").values_list("seq", flat=True).first()
    return TrailSummary(found["recorded"], found["unchained"], found["newest"], length or 0)
