"""Home panels of support: what fires, and whose answer is due."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from support.models import Ticket
from support.services.alerting import evaluate_price_rules
from support.web.home import alert_panel, ticket_panel
from tests.factories.accounts import make_actor
from tests.factories.billing import make_supply
from tests.factories.support import NOON, make_rule, publish_prices

pytestmark = pytest.mark.django_db


@pytest.fixture
def supply():
    supply = make_supply()
    make_rule(supply)
    publish_prices(supply, "312.5")
    evaluate_price_rules(actor=Actor.system("test"), evaluated_at=NOON)
    return supply


def test_what_fires_is_counted_and_named(supply, django_assert_max_num_queries):
    with django_assert_max_num_queries(7):  # three of them say who asks
        panel = alert_panel(supply.reader)

    assert (panel["firing"], panel["acknowledged"]) == (1, 0)
    assert [alert.rule.name for alert in panel["alerts"]] == ["Expensive hours"]
    assert alert_panel(make_supply(name="Mill").reader)["alerts"] == []


def test_an_unanswered_ticket_becomes_overdue(supply, django_assert_max_num_queries):
    agent = make_actor(Role.SUPPORT_AGENT, organization=supply.issuer)
    ticket = Ticket.objects.get()

    with (
        time_machine.travel(ticket.due_at - timedelta(minutes=1), tick=False),
        django_assert_max_num_queries(6),
    ):
        before = ticket_panel(agent)["tickets"]
    with time_machine.travel(ticket.due_at + timedelta(minutes=1), tick=False):
        after = ticket_panel(agent)["tickets"]

    assert (before.open, before.overdue, before.next_due) == (1, 0, ticket.due_at)
    assert (after.open, after.overdue, after.next_due) == (1, 1, None)


def test_home_draws_both_for_a_support_agent(supply):
    agent = make_actor(Role.SUPPORT_AGENT, organization=supply.issuer)
    client = Client()
    client.force_login(agent.user, backend="django.contrib.auth.backends.ModelBackend")

    page = client.get("/").content.decode()

    assert "Answer overdue" in page
    assert "Expensive hours" in page
