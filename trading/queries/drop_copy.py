"""Drop copies as people see them: where sessions stand, and what waits in the inbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from energyopti.accounts.actors import Actor
from trading.markets.fix import FIELD_NAMES, decode
from trading.models import DropCopyMessage, DropCopyVenue, InboxState

VIEW = "trading.view_drop_copy"
OPEN_STATES = (InboxState.UNMATCHED, InboxState.BY_HAND)


class UnknownVenue(LookupError):
    """There is no such drop-copy venue for this actor."""


class UnknownMessage(LookupError):
    """There is no such message in an inbox of this actor's, or it waits for nobody."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """Where a venue's session stands and how much waits for a person."""

    code: str
    name: str
    next_incoming: int
    next_outgoing: int
    is_connected: bool
    connected_at: datetime | None
    disconnected_at: datetime | None
    received_at: datetime | None
    latest_alert: str
    booked: int
    unmatched: int
    by_hand: int


@dataclass(frozen=True, slots=True)
class InboxRow:
    """A message with what became of it; `text` has | for the separator."""

    id: int
    venue: str
    exec_id: str
    exec_type: str
    trade_date: date | None
    state: str
    tag: int
    reason: str
    remarks: str
    trade_ref: str
    times_seen: int
    received_at: datetime
    text: str


def venue_for(actor: Actor, code: str) -> DropCopyVenue:
    """
    Return one of the actor's venues by code, whatever its case.

    :raises PermissionMissing: without `trading.view_drop_copy`.
    :raises UnknownVenue: for any other.
    """
    actor.require(VIEW)
    venue = (
        DropCopyVenue.objects.visible_to(actor)
        .select_related("session", "clearing_house")
        .filter(code__iexact=code)
        .first()
    )
    if venue is None:
        raise UnknownVenue(f"venue: there is no drop copy of “{code}” for you.")
    return venue


def sessions(actor: Actor) -> list[SessionRow]:
    """Return the actor's venues by code; one query. :raises PermissionMissing: as `venue_for`."""
    actor.require(VIEW)

    def counted(state: InboxState) -> Count:
        return Count("messages", filter=Q(messages__state=state))

    venues = (
        DropCopyVenue.objects.visible_to(actor)
        .select_related("session")
        .annotate(
            booked=counted(InboxState.BOOKED),
            unmatched=counted(InboxState.UNMATCHED),
            by_hand=counted(InboxState.BY_HAND),
        )
        .order_by("code")
    )
    return [_session_row(venue) for venue in venues]


def _session_row(venue: DropCopyVenue) -> SessionRow:
    at = venue.session
    connected = at.connected_at is not None and (
        at.disconnected_at is None or at.disconnected_at < at.connected_at
    )
    return SessionRow(
        venue.code, venue.name, at.next_incoming, at.next_outgoing, connected, at.connected_at,
        at.disconnected_at, at.received_at, at.latest_alert,
        venue.booked, venue.unmatched, venue.by_hand,
    )  # fmt: skip


def inbox(
    actor: Actor,
    *,
    venue_id: UUID | None = None,
    states: Sequence[str] = OPEN_STATES,
    limit: int = 200,
) -> list[InboxRow]:
    """
    Return the latest messages in some states, what waits for a person unless said otherwise.

    One query.

    :raises PermissionMissing: without `trading.view_drop_copy`.
    """
    actor.require(VIEW)
    rows = DropCopyMessage.objects.visible_to(actor).filter(state__in=list(states))
    if venue_id is not None:
        rows = rows.filter(venue_id=venue_id)
    return [
        InboxRow(
            row.pk, row.venue.code, row.exec_id, row.exec_type, row.trade_date, row.state,
            row.tag, row.reason, row.remarks, row.trade_ref, row.times_seen, row.received_at,
            bytes(row.raw).decode("latin-1").replace("\x01", "|"),
        )
        for row in rows.select_related("venue").order_by("-id")[:limit]
    ]  # fmt: skip


def inbox_rows(actor: Actor) -> QuerySet[DropCopyMessage]:
    """Return the messages of the actor's organizations; :raises PermissionMissing: as `inbox`."""
    actor.require(VIEW)
    rows: QuerySet[DropCopyMessage] = DropCopyMessage.objects.visible_to(actor)
    return rows.select_related("venue")


def message_for(actor: Actor, message_id: int) -> DropCopyMessage:
    """
    Return one message of the actor's organizations.

    :raises PermissionMissing: without `trading.view_drop_copy`.
    :raises UnknownMessage: for any other.
    """
    found = inbox_rows(actor).filter(pk=message_id).first()
    if found is None:
        raise UnknownMessage("message: there is no such message for you.")
    return found


def fields_of(row: DropCopyMessage) -> list[tuple[int, str, str]]:
    """Return the fields of a message in their order: tag, name (empty if unknown), value."""
    found = decode(bytes(row.raw)).fields
    return [(tag, FIELD_NAMES.get(tag, ""), value.decode("latin-1")) for tag, value in found]


def history_of(row: DropCopyMessage) -> list[DropCopyMessage]:
    """Return the other messages of a venue about the same execution, oldest first."""
    about = {name for name in (row.exec_id, row.refers_to) if name}
    if not about:
        return []
    same = DropCopyMessage.objects.filter(venue_id=row.venue_id).filter(
        Q(exec_id__in=about) | Q(refers_to__in=about)
    )
    return list(same.exclude(pk=row.pk).order_by("id")[:50])


def products_of(venue: DropCopyVenue) -> list[tuple[int, str]]:
    """Return a venue's mapped products for a choice."""
    rows = venue.products.select_related("market").order_by("symbol", "security_id", "cfi")
    return [
        (
            row.pk,
            " ".join(
                filter(None, (row.symbol, row.security_id, row.cfi, "→", row.market.code,
                              row.get_product_kind_display(), row.shape.lower(), row.period))
            ),
        )
        for row in rows
    ]  # fmt: skip
