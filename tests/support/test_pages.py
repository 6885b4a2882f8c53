"""Pages of alerts, rules and tickets: own organization only, roles, verbs, text that stays text."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from support.models import Alert, AlertRule, Ticket
from support.services.alerting import evaluate_price_rules
from support.services.ticketing import open_ticket
from tests.factories.accounts import make_user
from tests.factories.billing import Supply, make_supply
from tests.factories.support import NOON, make_rule, publish_prices

pytestmark = pytest.mark.django_db


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def alarmed_bakery() -> tuple[Supply, Alert]:
    supply = make_supply()
    make_rule(supply)
    publish_prices(supply, "312.5")
    (alert,) = evaluate_price_rules(actor=Actor.system("test"), evaluated_at=NOON)
    return supply, alert


def test_inbox_leads_to_alert_and_ticket(alarmed_bakery: tuple[Supply, Alert]) -> None:
    supply, alert = alarmed_bakery
    client = signed_in(supply.reader.user)

    inbox = client.get("/alerts/").content.decode()
    page = client.get(f"/alerts/{alert.pk}/").content.decode()
    client.post(f"/alerts/{alert.pk}/acknowledge/")

    assert "Expensive hours" in inbox
    assert f"/support/{alert.ticket.number}/" in inbox
    assert "312.5 &gt; 150 EUR/MWh" in page
    alert.refresh_from_db()
    assert alert.state == "ACKNOWLEDGED"
    assert client.get(f"/support/{alert.ticket.number}/").status_code == 200


def test_stranger_finds_nothing(alarmed_bakery: tuple[Supply, Alert]) -> None:
    _, alert = alarmed_bakery
    rule = AlertRule.objects.get()
    stranger = signed_in(make_supply(name="Mill").reader.user)

    for path in (f"/alerts/{alert.pk}/", f"/support/{alert.ticket.number}/"):
        assert stranger.get(path).status_code == 404, path
    for path in (f"/alerts/{alert.pk}/acknowledge/", f"/alerts/rules/{rule.pk}/switch/"):
        assert stranger.post(path).status_code == 404, path
    for path in ("/alerts/", "/alerts/rules/", "/support/"):
        assert "Expensive hours" not in stranger.get(path).content.decode(), path
    alert.refresh_from_db()
    assert alert.state == "FIRING"


@pytest.mark.parametrize("path", ["/alerts/", "/alerts/rules/", "/alerts/rules/new/", "/alerts/1/"])
def test_role_without_alerts_is_refused(path: str) -> None:
    officer = make_user(Role.ESG_OFFICER, organization=make_supply().customer)

    assert signed_in(officer).get(path).status_code == 403


def test_rule_is_created_and_switched(alarmed_bakery: tuple[Supply, Alert]) -> None:
    supply, _ = alarmed_bakery
    client = signed_in(supply.reader.user)
    entered = {
        "organization": supply.customer.pk,
        "name": "Cheap hours",
        "market": supply.market.code,
        "metric": "PRICE_BELOW",
        "threshold": "-5.50",
        "severity": "INFO",
        "cooldown_minutes": "60",
    }

    refused = client.post("/alerts/rules/new/", {**entered, "name": "Expensive hours"})
    created = client.post("/alerts/rules/new/", entered)
    rule = AlertRule.objects.get(name="Cheap hours")
    client.post(f"/alerts/rules/{rule.pk}/switch/", {"state": "off"})

    assert refused.status_code == 422
    assert "already a rule" in refused.content.decode()
    assert created.status_code == 302
    rule.refresh_from_db()
    assert (rule.threshold, rule.is_enabled) == (Decimal("-5.5"), False)
    assert "Cheap hours" in client.get("/alerts/rules/").content.decode()


def test_ticket_is_opened_answered_and_handled(alarmed_bakery: tuple[Supply, Alert]) -> None:
    supply, _ = alarmed_bakery
    client = signed_in(supply.reader.user)
    agent = signed_in(make_user(Role.SUPPORT_AGENT, organization=supply.issuer))

    empty = client.post("/support/new/", {"subject": "x"})
    opened = client.post(
        "/support/new/",
        {
            "organization": supply.customer.pk,
            "subject": "<b>Silent</b>",
            "body": "<script>alert(1)</script>",
            "severity": "INFO",
        },
    )
    path = opened["Location"]
    agent.post(path, {"body": "Known bug", "is_internal": "on"})
    agent.post(path, {"body": "We look into it"})
    agent.post(f"{path}status/", {"status": "WAITING"})

    page = client.get(path).content.decode()
    assert empty.status_code == 422
    assert "<script>alert(1)" not in page
    assert "We look into it" in page
    assert "Known bug" not in page
    assert "Known bug" in agent.get(path).content.decode()
    assert Ticket.objects.latest("number").status == "WAITING"
    assert client.post(f"{path}status/", {"status": "SOLVED"}).status_code == 403
    assert client.post(path, {"body": ""}).status_code == 422


def test_list_needs_the_same_queries_for_many_tickets(
    alarmed_bakery: tuple[Supply, Alert],
) -> None:
    supply, _ = alarmed_bakery
    client = signed_in(supply.reader.user)
    client.get("/support/")
    with CaptureQueriesContext(connection) as for_one:
        client.get("/support/")
    for i in range(3):
        open_ticket(
            actor=supply.reader,
            organization_id=supply.customer.pk,
            subject=f"Question {i}",
            body="?",
            opened_at=NOON,
        )

    with CaptureQueriesContext(connection) as for_four:
        client.get("/support/")

    assert len(for_four) <= len(for_one) <= 24
