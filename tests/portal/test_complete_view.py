"""The complete view: what each role sees in one call, what it costs, and what strangers get."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from energyopti.foundation import clock
from energyopti.portal.queries.complete import PARTS, complete_view
from risk.queries.book_state import book_state
from risk.services.snapshots import build_snapshot
from tests.factories.accounts import make_key, make_organization, make_user
from tests.factories.billing import make_supply
from tests.factories.risk import curve, hold, quote_history
from tests.factories.trades import TRADED_AT, make_desk
from tests.security.tokens import access_token, call
from trading.models import Agreement

pytestmark = pytest.mark.django_db
PATH = "/api/v1/me/complete-view"


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk():
    """A book with risk, a limit that is crossed, a deal, and an agreement in force."""
    desk = make_desk("Nordwind")
    quote_history(desk.market)
    curve(desk.market)
    build_snapshot(actor=Actor.system("test"), valued_at=TRADED_AT)
    Agreement.objects.create(
        counterparty=desk.counterparty, kind="EFET", reference="EFET-1",
        signed_date=date(2026, 1, 1), effective_date=date(2026, 1, 1),
        governing_law="German law",
    )  # fmt: skip
    hold(desk, confidence=Decimal("0.99"),
        amount=Decimal("100.00"),
    )  # fmt: skip
    desk.deal("B 10MW DE base Jan27 @ 85.20", fill=True)
    return desk


def test_one_call_shows_the_desk_as_its_own_pages_do(desk):
    found = client_of(desk.officer.user).get(PATH).json()

    (agreement,) = found["contracts"]["agreements"]
    assert (agreement["counterparty"], agreement["reference"]) == ("ACME", "EFET-1")
    (trade,) = found["trades"]["newest"]
    assert (found["trades"]["count"], found["trades"]["by_status"]) == (1, {"LIVE": 1})
    assert (trade["side"], trade["book"], trade["period"]) == ("BUY", "EU", "Jan27")
    assert (trade["quantity"], trade["price"]) == ("10", "85.2")
    assert found["positions"] == [
        {
            "delivery_point": "DE", "month": "2027-01-01", "product": "BASE", "per": "HOUR",
            "unit": "MWh", "currency": "EUR", "exposure": "10", "physical": "10",
            "average_price": "85.2",
        }
    ]  # fmt: skip
    (risk,) = found["risk"]
    state = book_state(desk.book.pk)
    for name in ("var", "es", "value", "currency", "convention", "revision"):
        assert risk[name] == state[name], name
    (limit,) = risk["limits"]
    assert (limit["used"], limit["share"], limit["is_breached"]) == (
        state["var"], state["limits"][0]["share"], True,
    )  # fmt: skip
    (breach,) = risk["breaches"]
    assert breach["after"] == pytest.approx(state["var"])
    assert found["not_permitted"] == [
        "contracts.supply", "compliance.carbon_reports", "compliance.audit",
    ]  # fmt: skip
    assert "compliance" not in found and "supply" not in found["contracts"]


def test_what_a_role_may_not_see_is_absent_and_named():
    for role in Role:
        organization = make_organization(f"Of {role.value}")
        user = make_user(role, organization=organization)

        found = client_of(user).get(PATH).json()

        hidden = [name for name, part in PARTS.items() if not user.has_perm(part.permission)]
        assert found["not_permitted"] == hidden, role
        shown = set(PARTS) - set(hidden)
        for section in ("contracts", "trades", "positions", "risk", "compliance"):
            parts = {name.partition(".")[2] for name in shown if name.split(".")[0] == section}
            assert (section in found) is bool(parts), (role, section)
            if parts - {""}:
                assert set(found[section]) == parts, (role, section)


def test_an_administrator_sees_every_section_in_five_queries(desk):
    supply = make_supply()
    admin = make_user(Role.ADMIN, organization=desk.organization)
    own = make_user(Role.UTILITY_OPERATOR, organization=supply.contract.organization)
    actor = Actor.for_user(admin)
    first = complete_view(actor, now=clock.now())
    desk.deal("S 3MW DE base Feb27 @ 85.20", fill=True)
    desk.deal("S 3MW DE peak Q2-27 @ 85.20", fill=True)

    # Who asks and what is open to them is known by now; the view itself is counted.
    with CaptureQueriesContext(connection) as view:
        found = complete_view(actor, now=clock.now())

    assert len(view) == 5
    assert first["not_permitted"] == found["not_permitted"] == []
    assert found["trades"]["count"] == 3
    assert found["compliance"]["audit"]["waiting"] > 0
    (contract,) = client_of(own).get(PATH).json()["contracts"]["supply"]
    assert contract["reference"] == supply.contract.reference
    assert contract["billed_gross"] is None


@pytest.mark.parametrize(
    ("role", "most"),
    # Session, user, what it stands for, its books; then one query an app that it may see.
    [(Role.TRADER, 6), (Role.RISK_OFFICER, 6), (Role.ADMIN, 9)],
)
def test_a_whole_request_asks_little_more_than_the_view(desk, role, most):
    client = client_of(make_user(role, organization=desk.organization))
    client.get(PATH)

    with CaptureQueriesContext(connection) as whole:
        assert client.get(PATH).status_code == 200

    assert len(whole) <= most, [query["sql"][:120] for query in whole]


def test_a_stranger_gets_nothing_of_it(desk):
    stranger = make_desk("Stranger")

    found = client_of(stranger.officer.user).get(PATH).json()

    assert found["contracts"]["agreements"] == found["positions"] == found["risk"] == []
    assert found["trades"] == {"count": 0, "by_status": {}, "newest": []}
    assert Client().get(PATH).status_code == 401


def test_a_token_shows_what_its_scopes_show(desk):
    web = Client()
    key, secret = make_key("me:read", "risk:read", organization=desk.organization)
    narrow, narrow_secret = make_key("risk:read", organization=desk.organization)

    found = call(web, access_token(web, key.client_id, secret), PATH).json()
    refused = call(web, access_token(web, narrow.client_id, narrow_secret), PATH)

    assert found["risk"] == [] and "trades" not in found
    assert set(found["not_permitted"]) == set(PARTS) - {"risk"}
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")


def test_parameters_are_refused(desk):
    assert client_of(desk.officer.user).get(PATH, {"section": "risk"}).status_code == 400


def test_the_page_shows_the_same_and_says_what_is_not_open(desk):
    page = client_of(desk.officer.user).get("/me/complete-view/").content.decode()
    keeper = make_user(Role.DEVICE_OPERATOR, organization=desk.organization)
    empty = client_of(make_user(organization=desk.organization)).get("/me/complete-view/")

    state = book_state(desk.book.pk)
    assert f"{state['var']:,.2f}" in page and "EFET-1" in page and "2027-01" in page
    assert f"VaR 99 %: {state['var']:,.2f} of 100.00 EUR" in page
    assert "Not open to your roles: supply contracts, carbon reports, the audit chain." in page
    assert 'id="supply"' not in page and 'id="audit"' not in page
    assert "Nothing to show" in empty.content.decode()
    assert 'id="trades"' not in client_of(keeper).get("/me/complete-view/").content.decode()
    assert Client().get("/me/complete-view/").status_code == 302
