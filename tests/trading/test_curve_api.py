"""Quotes and curve versions over REST."""

import json
from datetime import UTC, datetime

import pytest
from django.test import Client

from energyopti.accounts.roles import Role
from tests.factories.accounts import make_organization, make_user
from tests.factories.curves import four_eyes, three_markets
from trading.models import Quote

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
AT = "2026-11-20T17:00:00Z"
BODY = {
    "market": "DE",
    "source": "exchange",
    "quality": "SETTLEMENT",
    "quotes": [
        {"contract": "Cal27", "value": "88.50", "valid_from": AT},
        {"contract": "Cal27", "load": "PEAK", "value": "99.80", "bid": "99", "valid_from": AT},
    ],
}
CURVE = "/api/v1/trading/curves/DE/MARK/versions"


@pytest.fixture
def market(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: NOW)
    market = three_markets()["DE"]
    four_eyes(market)
    return market


@pytest.fixture
def company():
    return make_organization()


def signed_in(role, company):
    client = Client()
    client.force_login(
        make_user(role, organization=company),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def post(client, path, body, **headers):
    return client.post(path, json.dumps(body), content_type="application/json", headers=headers)


def test_quotes_are_booked_once_and_a_version_goes_to_publication(market, company):
    trader, officer = signed_in(Role.TRADER, company), signed_in(Role.RISK_OFFICER, company)

    first = post(trader, "/api/v1/trading/quotes", BODY, **{"Idempotency-Key": "one"})
    same = post(trader, "/api/v1/trading/quotes", BODY, **{"Idempotency-Key": "one"})
    again = post(trader, "/api/v1/trading/quotes", BODY)
    built = post(trader, CURVE, {"reason": "close"}).json()
    early = post(officer, f"{CURVE}/1", {"action": "approve"})
    post(trader, f"{CURVE}/1", {"action": "submit"})
    own = post(trader, f"{CURVE}/1", {"action": "approve"})
    done = post(officer, f"{CURVE}/1", {"action": "approve", "reason": "fine"})

    assert first.json() == same.json() == {"read": 2, "new": 2, "corrected": 0}
    assert again.json() == {"read": 2, "new": 0, "corrected": 0} and Quote.objects.count() == 2
    assert (built["version"], built["status"]) == (1, "DRAFT")
    assert (early.status_code, own.status_code, done.status_code) == (400, 403, 200)
    shown = trader.get(f"{CURVE}/1").json()
    assert shown["status"] == "PUBLISHED"
    assert {point["load"] for point in shown["points"]} == {"BASE", "PEAK", "OFFPEAK"}
    assert trader.get(f"{CURVE}/1/proof").json()["is_same"] is True
    assert [row["version"] for row in trader.get(CURVE).json()] == [1]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"market": "NONE"}, 404),
        ({"colour": "red"}, 400),
        ({"quotes": []}, 400),
        ({"quality": "GUESS"}, 400),
        ({"quotes": [{"contract": "Cat27", "value": "1", "valid_from": AT}]}, 400),
        ({"quotes": [{"contract": "Cal27", "load": "X", "value": "1", "valid_from": AT}]}, 400),
        ({"quotes": [{"contract": "Cal27", "value": 1.5, "valid_from": AT}]}, 400),
        ({"quotes": [{"contract": "Cal27", "value": "1", "ask": "0", "valid_from": AT}]}, 400),
        ({"quotes": [{"contract": "Cal27", "value": "1", "valid_from": "2026-11-20T17:00"}]}, 400),
    ],
)
def test_quotes_that_cannot_be_are_refused_and_none_is_booked(market, company, changes, status):
    answer = post(signed_in(Role.TRADER, company), "/api/v1/trading/quotes", {**BODY, **changes})

    assert answer.status_code == status, answer.content
    assert not Quote.objects.exists()


def test_what_is_not_there_and_who_may_not(market, company):
    trader = signed_in(Role.TRADER, company)
    reader = signed_in(Role.ESG_OFFICER, company)

    assert trader.get(f"{CURVE}/4").status_code == 404
    assert trader.get("/api/v1/trading/curves/DE/NONE/versions").status_code == 404
    assert post(trader, CURVE, {}).status_code == 400
    assert post(reader, CURVE, {}).status_code == 403
    assert post(reader, "/api/v1/trading/quotes", BODY).status_code == 403
