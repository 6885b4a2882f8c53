"""REST of adjustments of a day's P&L: asked by one person, decided by another, seen in the P&L."""

import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_user
from tests.factories.trades import make_desk
from trading.models import PnlAdjustment

pytestmark = pytest.mark.django_db
PATH = "/api/v1/trading/pnl/adjustments"
ASKED = {"book": "EU", "day": "2026-11-23", "amount": "-250.10", "reason": "statement"}


@pytest.fixture
def desk():
    return make_desk()


def client_of(actor) -> Client:
    client = Client()
    client.force_login(actor.user)
    return client


def post(actor, path=PATH, body=ASKED, **headers):
    return client_of(actor).post(
        path, json.dumps(body), content_type="application/json", headers=headers
    )


def test_one_person_asks_and_another_approves(desk):
    asked = post(desk.trader)

    assert asked.status_code == 201, asked.content
    body = asked.json()
    assert {name: body[name] for name in ASKED} == ASKED
    assert (body["status"], body["currency"], body["requested_by"]) == (
        "PENDING", "EUR", desk.trader.id,
    )  # fmt: skip
    approved = post(desk.officer, f"{PATH}/{body['id']}/approve", {"reason": "seen it"})
    assert approved.status_code == 200, approved.content
    assert (approved.json()["status"], approved.json()["decided_by"]) == (
        "APPROVED", desk.officer.id,
    )  # fmt: skip
    read = client_of(desk.trader).get(asked["Location"]).json()
    assert (read["decision_reason"], read["decided_at"] is not None) == ("seen it", True)
    told = Event.objects.filter(aggregate_type="pnl_adjustment").values_list("type", flat=True)
    assert list(told.order_by("id")) == ["pnl.adjustment_asked", "pnl.adjustment_approved"]


def test_a_rejection_needs_a_reason_and_happens_once(desk):
    path = f"{PATH}/{post(desk.trader).json()['id']}"

    assert post(desk.officer, f"{path}/reject", {}).json()["errors"][0]["pointer"] == "/reason"
    assert post(desk.officer, f"{path}/reject", {"reason": "of October"}).status_code == 200
    again = post(desk.officer, f"{path}/approve", {})

    assert (again.status_code, again.json()["code"]) == (409, "pnl_refused")
    assert PnlAdjustment.objects.get().status == "REJECTED"


def test_nobody_decides_on_their_own(desk):
    path = f"{PATH}/{post(desk.officer).json()['id']}"

    own = post(desk.officer, f"{path}/approve", {})
    trader = post(desk.trader, f"{path}/approve", {})

    assert (own.status_code, own.json()["code"]) == (409, "second_person_needed")
    assert trader.status_code == 403
    assert PnlAdjustment.objects.get().status == "PENDING"


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"amount": "0.00"}, "/amount"),
        ({"amount": "1.005"}, "/amount"),
        ({"amount": 5}, "/amount"),
        ({"reason": " "}, "/reason"),
        ({"day": "2026-02-30"}, "/day"),
        ({"book": "NONE"}, "/book"),
        ({"status": "APPROVED"}, "/status"),
    ],
)
def test_what_is_no_adjustment_is_refused_by_field(desk, changes, pointer):
    answer = post(desk.trader, body={**ASKED, **changes})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert not PnlAdjustment.objects.exists()


def test_the_same_key_asks_once(desk):
    first, again = (post(desk.trader, **{"Idempotency-Key": "a-1"}) for _ in range(2))

    assert first.json() == again.json() and PnlAdjustment.objects.count() == 1


def test_a_list_shows_the_callers_books_alone_in_a_fixed_number_of_queries(desk):
    other = make_desk()
    foreign = post(other.trader).json()["id"]
    reader = client_of(desk.trader)

    def queries() -> int:
        reader.get(PATH)
        with CaptureQueriesContext(connection) as seen:
            assert reader.get(PATH).status_code == 200
        return len(seen)

    mine = post(desk.trader).json()["id"]
    before = queries()
    for day in ("2026-11-20", "2026-11-19"):
        post(desk.trader, body={**ASKED, "day": day})

    assert queries() == before
    found = reader.get(PATH, {"day": "2026-11-23", "status": "PENDING", "book": "eu"}).json()
    assert [row["id"] for row in found["results"]] == [mine]
    assert reader.get(f"{PATH}/{foreign}").status_code == 404
    assert post(desk.officer, f"{PATH}/{foreign}/approve", {}).status_code == 404


def test_roles_decide_who_asks_and_who_reads(desk):
    operator = make_user(Role.DEVICE_OPERATOR, organization=desk.organization)
    client = Client()
    client.force_login(operator)

    assert client.get(PATH).status_code == 403
    assert client.post(PATH, ASKED, content_type="application/json").status_code == 403
    assert Client().get(PATH).status_code == 401
