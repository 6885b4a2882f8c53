"""REST of trades: capture once, read one's own, be told what was wrong and where."""

import pytest
from django.test import Client

from energyopti.accounts.roles import Role
from tests.factories.accounts import make_user
from tests.factories.trades import make_desk
from trading.models import Trade

pytestmark = pytest.mark.django_db
PATH = "/api/v1/trading/trades"
DEAL = {
    "text": "B 10MW DE base Cal30 @ 85.20", "book": "EU", "counterparty": "ACME",
    "reason": "agreed on the phone",
}  # fmt: skip


@pytest.fixture
def desk():
    return make_desk()


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def post(client, body, **headers):
    return client.post(PATH, body, content_type="application/json", headers=headers)


def test_a_deal_is_captured_once_under_its_key(desk):
    client = client_of(desk.trader.user)

    first = post(client, DEAL, **{"Idempotency-Key": "k-1"})
    again = post(client, DEAL, **{"Idempotency-Key": "k-1"})

    assert first.status_code == again.status_code == 201, first.content
    body = first.json()
    assert body["notional"] == "7463520.0000"
    assert (body["hours"], body["basis"], body["book"]) == ("8760.0000", "ORDER", "EU")
    assert again.json() == body
    assert Trade.objects.count() == 1
    other = post(client, {**DEAL, "reason": "another"}, **{"Idempotency-Key": "k-1"})
    assert other.status_code in (409, 422)
    assert client.get(first["Location"]).json()["ref"] == body["ref"]


def test_a_client_reference_is_a_key_that_lasts(desk):
    client = client_of(desk.trader.user)
    body = {**DEAL, "client_reference": "fix-99"}

    assert post(client, body).status_code == 201
    assert post(client, body).status_code == 200
    refused = post(client, {**body, "text": "B 11MW DE base Cal30 @ 85.20"})
    assert (refused.status_code, refused.json()["code"]) == (409, "client_reference_reused")


def test_an_executed_deal_is_a_fill(desk):
    body = {**DEAL, "executed_at": "2026-01-05T10:00:00Z"}

    answer = post(client_of(desk.trader.user), body)

    assert answer.json()["basis"] == "FILL"
    assert answer.json()["traded_at"].startswith("2026-01-05T10:00:00")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"text": "B 10MW DE bse Cal30 @ 85"}, 400, "quick_text"),
        ({"book": "XX"}, 400, "book_unknown"),
        ({"counterparty": "XX"}, 400, "counterparty_unknown"),
        ({"text": "B 10MW DE base Cal20 @ 85"}, 400, "trade_invalid"),
        ({"reason": ""}, 409, "reason_needed"),
        ({"price": "85"}, 400, "unknown_field"),
        ({"executed_at": "2026-01-05T10:00:00"}, 400, "no_offset"),
    ],
)
def test_a_refusal_says_where_and_leaves_nothing(desk, changes, status, code):
    answer = post(client_of(desk.trader.user), {**DEAL, **changes})

    problem = answer.json()
    assert answer.status_code == status, problem
    assert answer["Content-Type"].startswith("application/problem+json")
    assert code in {problem["code"], *(e.get("code") for e in problem.get("errors", []))}
    assert not Trade.objects.exists()


def test_readers_read_their_own_books(desk):
    mine, theirs = desk.deal(), make_desk().deal()
    client = client_of(desk.trader.user)

    listed = client.get(PATH).json()["results"]

    assert [t["ref"] for t in listed] == [mine.ref]
    assert client.get(f"{PATH}/{mine.ref}").status_code == 200
    assert client.get(f"{PATH}/{theirs.ref}").status_code == 404
    assert client.get(PATH, {"side": "SELL"}).json()["results"] == []
    assert client.get(PATH, {"sied": "SELL"}).status_code == 400


def test_roles_decide_who_calls(desk):
    officer = client_of(desk.officer.user)
    operator = client_of(make_user(Role.DEVICE_OPERATOR, organization=desk.organization))

    assert officer.get(PATH).status_code == 200
    assert post(officer, DEAL).status_code == 403
    assert operator.get(PATH).status_code == 403
    assert Client().get(PATH).status_code in (401, 403)
