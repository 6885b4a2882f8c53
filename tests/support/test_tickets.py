"""Tickets: numbers, threads, internal notes, the clock of the first answer."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from support.models import Severity, Ticket, TicketStatus
from support.queries.inbox import thread
from support.services.ticketing import (
    TicketRefused,
    answer_ticket,
    note_ticket,
    open_ticket,
    set_ticket_status,
)
from tests.factories.accounts import make_actor, make_organization
from tests.factories.support import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Actor:
    issuer = make_organization("Voltara")
    return make_actor(Role.ENERGY_MANAGER, organization=make_organization("Bakery", parent=issuer))


@pytest.fixture
def agent(customer: Actor) -> Actor:
    issuer = customer.user.memberships.get().organization.parent  # type: ignore[union-attr]
    return make_actor(Role.SUPPORT_AGENT, organization=issuer)


def opened(customer: Actor, **fields: object) -> Ticket:
    return open_ticket(
        **{  # type: ignore[arg-type]
            "actor": customer,
            "organization_id": next(iter(customer.organization_ids)),
            "subject": "Battery is silent",
            "body": "Since this morning.",
            "opened_at": NOON,
            **fields,
        }
    )


def test_numbers_follow_each_other(customer: Actor) -> None:
    first, second = opened(customer), opened(customer, severity=Severity.CRITICAL)

    assert second.number == first.number + 1
    assert (first.due_at, second.due_at) == (
        NOON + timedelta(hours=24),
        NOON + timedelta(hours=1),
    )


def test_customer_never_sees_internal_notes_nor_addresses(customer: Actor, agent: Actor) -> None:
    ticket = opened(customer)
    note_ticket(actor=agent, ticket=ticket, body="Known firmware bug", written_at=NOON)
    answer_ticket(actor=agent, ticket=ticket, body="We look into it", written_at=NOON)

    seen = thread(customer, ticket)
    handled = thread(agent, ticket)

    assert [m.body for m in seen] == ["Since this morning.", "We look into it"]
    assert [m.author for m in seen] == ["You", "Somebody"]
    assert [m.is_internal for m in handled] == [False, True, False]
    assert handled[0].author == customer.user.email  # type: ignore[union-attr]


def test_first_answer_stops_the_clock_and_customer_reopens(customer: Actor, agent: Actor) -> None:
    ticket = opened(customer)
    answer_ticket(actor=customer, ticket=ticket, body="Any news?", written_at=NOON)
    ticket.refresh_from_db()
    unanswered = ticket.answered_at
    answer_ticket(
        actor=agent, ticket=ticket, body="Restart it", written_at=NOON + timedelta(hours=1)
    )
    set_ticket_status(actor=agent, ticket=ticket, status=TicketStatus.SOLVED)
    answer_ticket(actor=customer, ticket=ticket, body="Silent again", written_at=NOON)

    ticket.refresh_from_db()
    assert unanswered is None
    assert ticket.answered_at == NOON + timedelta(hours=1)
    assert ticket.status == TicketStatus.OPEN
    changed = Event.objects.filter(changes__has_key="status").order_by("pk")
    assert [event.changes["status"]["after"] for event in changed] == ["SOLVED", "OPEN"]


def test_customer_may_not_handle(customer: Actor) -> None:
    ticket = opened(customer)

    with pytest.raises(PermissionMissing, match=r"support\.handle_ticket"):
        note_ticket(actor=customer, ticket=ticket, body="x", written_at=NOON)
    with pytest.raises(PermissionMissing, match=r"support\.handle_ticket"):
        set_ticket_status(actor=customer, ticket=ticket, status=TicketStatus.SOLVED)


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"subject": " "}, "subject"), ({"subject": "x" * 201}, "subject"), ({"body": ""}, "body")],
)
def test_empty_or_endless_text_is_refused(
    customer: Actor, fields: dict[str, object], field: str
) -> None:
    with pytest.raises(TicketRefused, match=rf"^{field}: "):
        opened(customer, **fields)


def test_foreign_organization_is_refused(customer: Actor) -> None:
    with pytest.raises(TicketRefused, match="organization"):
        opened(customer, organization_id=make_organization("Foreign").pk)


def test_messages_cannot_be_rewritten(customer: Actor) -> None:
    opened(customer)

    with (
        pytest.raises(IntegrityError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE support_ticketmessage SET body = 'never said'")
