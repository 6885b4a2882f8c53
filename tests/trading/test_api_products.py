"""REST of every product, of past moments, and of changes that carry the version they saw."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from energyopti.accounts.roles import Role
from energyopti.foundation import clock
from tests.factories.accounts import make_user
from tests.factories.trades import make_counterparty, make_desk
from trading.api import trade_examples
from trading.models import PriceIndex, Trade, TradeVersion

pytestmark = pytest.mark.django_db
PATH = "/api/v1/trading/trades"
FORWARD = {
    "product": "PHYSICAL_FORWARD", "side": "BUY", "market": "DE", "period": "Cal30",
    "quantity": "10", "price": "85.20",
}  # fmt: skip


@pytest.fixture
def desk():
    desk = make_desk()
    PriceIndex.objects.create(
        code="EPEX-DE-DA", market=desk.market, name="Day-ahead", currency="EUR", price_unit="MWh",
        frequency="PERIOD", publication_time="12:57", source="test",
    )  # fmt: skip
    return desk


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def post(client, body, path=PATH, **headers):
    return client.post(path, body, content_type="application/json", headers=headers)


def captured(client, **terms):
    body = {"terms": FORWARD | terms, "book": "EU", "counterparty": "ACME", "reason": "agreed"}
    return post(client, body)


@pytest.mark.parametrize(
    "example",
    [trade_examples.TERMS, trade_examples.SWAP, trade_examples.FUTURE, trade_examples.PROFILE,
     trade_examples.PPA, trade_examples.OPTION, trade_examples.SPREAD],
    ids=lambda example: example.name,
)  # fmt: skip
def test_each_documented_product_is_captured_and_read_back(desk, example):
    client = client_of(desk.trader.user)

    answer = post(client, example.value)

    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["product"] == example.value["terms"]["product"]
    assert answer["ETag"] == '"1"'
    assert client.get(answer["Location"]).json() == body
    assert len(body["terms"]["legs"]) >= 1
    assert [v["event"] for v in body["versions"]] == ["CAPTURE"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"product": "SWAP"}, "/terms/index"),
        ({"index": "EPEX-DE-DA"}, "/terms/index"),
        ({"market": "XX"}, "/terms/market"),
        ({"unit": "bbl"}, "/terms/unit"),
        ({"period": "2030-05-01..2030-04-01"}, "/terms/period"),
        ({"quantity": "0"}, "/terms/quantity"),
        ({"quantity": 10}, "/terms/quantity"),
        ({"colour": "red"}, "/terms/colour"),
        ({"shape": "NIGHT"}, "/terms/shape"),
    ],
)
def test_a_bad_term_is_pointed_at(desk, changes, pointer):
    answer = captured(client_of(desk.trader.user), **changes)

    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not Trade.objects.exists()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"ratio": "0"}, "/terms/option/ratio"),
        ({"ratio": "1.81818181"}, "/terms/option/ratio"),
        ({"ratio": "2", "ratio_unit": "furlong"}, "/terms/option/ratio_unit"),
        ({"cost": "-1"}, "/terms/option/cost"),
        ({"second_period": "Julember"}, "/terms/option/second_period"),
        ({"type": "CALL", "underlying": ["EPEX-DE-DA"], "ratio": "2"}, "/terms/option/ratio"),
    ],
)
def test_a_bad_term_of_a_spread_is_pointed_at(desk, changes, pointer):
    option = {"style": "EUROPEAN", "type": "SPREAD_CALL", "strikes": ["5"],
              "underlying": ["EPEX-DE-DA", "EPEX-DE-DA"], "second_period": "Q3-30",
              "expiry": "2029-12-20T11:00:00Z"}  # fmt: skip
    if "underlying" in changes:
        del option["second_period"]

    terms = {"product": "OPTION", "side": "BUY", "market": "DE", "period": "Q1-30",
             "quantity": "10", "option": option | changes}  # fmt: skip
    answer = post(
        client_of(desk.trader.user),
        {"terms": terms, "book": "EU", "counterparty": "ACME", "reason": "agreed"},
    )

    assert answer.status_code == 400, answer.content
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_text_and_terms_are_one_or_the_other(desk):
    client = client_of(desk.trader.user)

    assert post(client, {"book": "EU", "counterparty": "ACME"}).status_code == 400
    both = {"text": "B 1MW DE base Cal30 @ 1", "terms": FORWARD}
    assert post(client, both).status_code == 400


def test_a_change_carries_the_version_it_saw(desk):
    client = client_of(desk.trader.user)
    ref = captured(client).json()["ref"]
    amend = {"terms": FORWARD | {"quantity": "12"}, "reason": "both sides agreed"}
    path = f"{PATH}/{ref}/amend"

    assert post(client, amend, path).status_code == 428
    assert post(client, amend, path, **{"If-Match": "3"}).status_code == 400
    done = post(client, amend, path, **{"If-Match": '"1"'})
    stale = post(client, amend | {"reason": "me too"}, path, **{"If-Match": '"1"'})

    assert done.status_code == 200, done.content
    assert (done["ETag"], done.json()["quantity"]) == ('"2"', "12.000000")
    assert [v["event"] for v in done.json()["versions"]] == ["CAPTURE", "AMEND"]
    problem = stale.json()
    assert (stale.status_code, problem["code"]) == (412, "stale_version")
    assert stale["Content-Type"].startswith("application/problem+json")
    assert (problem["seen"]["quantity"], problem["held"]["quantity"]) == (
        "10.000000", "12.000000",
    )  # fmt: skip
    assert stale["ETag"] == '"2"'
    assert TradeVersion.objects.count() == 2


def test_a_change_sent_twice_under_a_key_is_made_once(desk):
    client = client_of(desk.trader.user)
    ref = captured(client).json()["ref"]
    headers = {"If-Match": '"1"', "Idempotency-Key": "k-9"}
    body = {"terms": FORWARD | {"price": "86"}, "reason": "typing slip"}

    first = post(client, body, f"{PATH}/{ref}/correct", **headers)
    again = post(client, body, f"{PATH}/{ref}/correct", **headers)

    assert first.status_code == again.status_code == 200
    assert again.json() == first.json()
    assert TradeVersion.objects.count() == 2


def test_terminate_novate_and_cancel(desk):
    make_counterparty(desk.organization, "BRISE")
    client = client_of(desk.trader.user)
    first, second, third = (captured(client).json()["ref"] for _ in range(3))
    seen = {"If-Match": '"1"'}

    ended = post(
        client,
        {"from_date": "2030-07-01", "reason": "agreed",
         "fee": {"amount": "1000", "currency": "EUR", "direction": "PAY"}},
        f"{PATH}/{first}/terminate", **seen,
    )  # fmt: skip
    passed = post(
        client, {"counterparty": "brise", "from_date": "2030-07-01", "reason": "agreed"},
        f"{PATH}/{second}/novate", **seen,
    )  # fmt: skip
    gone = post(client, {"reason": "never was"}, f"{PATH}/{third}/cancel", **seen)
    again = post(client, {"reason": "again"}, f"{PATH}/{third}/cancel", **{"If-Match": '"2"'})

    assert (ended.status_code, ended.json()["status"]) == (200, "TERMINATED"), ended.content
    assert ended.json()["delivery_end"] == "2030-06-30T22:00:00Z"
    assert (passed.status_code, passed.json()["status"]) == (200, "NOVATED"), passed.content
    assert Trade.objects.get(replaces__ref=second).counterparty.code == "BRISE"
    assert (gone.status_code, gone.json()["status"]) == (200, "CANCELLED"), gone.content
    assert (again.status_code, again.json()["code"]) == (409, "transition_forbidden")


def test_four_eyes_and_drafts(desk):
    desk.book.four_eyes_from = Decimal(1)
    desk.book.save()
    client = client_of(desk.trader.user)
    seen = {"If-Match": '"1"'}

    waiting = captured(client).json()
    own = post(client, {}, f"{PATH}/{waiting['ref']}/release", **seen)
    body = {"terms": FORWARD, "book": "EU", "counterparty": "ACME", "draft": True}
    draft = post(client, body).json()
    sent = post(client, {"reason": "agreed"}, f"{PATH}/{draft['ref']}/submit", **seen)

    assert waiting["status"] == "PENDING"
    assert own.status_code in (403, 409)
    assert draft["status"] == "DRAFT"
    assert (sent.status_code, sent.json()["status"]) == (200, "PENDING"), sent.content


def test_another_persons_trade_is_not_there_to_be_changed(desk):
    theirs = make_desk().deal().ref
    client = client_of(desk.trader.user)

    answer = post(client, {"reason": "x"}, f"{PATH}/{theirs}/cancel", **{"If-Match": '"1"'})
    operator = client_of(make_user(Role.DEVICE_OPERATOR, organization=desk.organization))
    mine = desk.deal().ref

    assert answer.status_code == 404
    refused = post(operator, {"reason": "x"}, f"{PATH}/{mine}/cancel", **{"If-Match": '"1"'})
    assert refused.status_code == 403
    officer = client_of(desk.officer.user)
    again = post(officer, {"reason": "x"}, f"{PATH}/{mine}/cancel", **{"If-Match": '"1"'})
    assert again.status_code in (403, 404)
    assert set(Trade.objects.values_list("status", flat=True)) == {"LIVE"}


def test_a_past_moment_shows_what_held_then(desk):
    client = client_of(desk.trader.user)
    ref = captured(client).json()["ref"]
    between = TradeVersion.objects.get().recorded_at + timedelta(microseconds=1)
    post(
        client, {"terms": FORWARD | {"quantity": "12"}, "reason": "agreed"},
        f"{PATH}/{ref}/amend", **{"If-Match": '"1"'},
    )  # fmt: skip
    captured(client, period="Cal31")

    then = client.get(PATH, {"as_of": between.isoformat()}).json()["results"]
    now = client.get(PATH).json()["results"]
    before = client.get(PATH, {"as_of": "2001-01-01T00:00:00Z"}).json()["results"]
    future = client.get(PATH, {"as_of": (clock.now() + timedelta(days=1)).isoformat()})

    assert [(t["ref"], t["quantity"], t["version"]) for t in then] == [(ref, "10.000000", 1)]
    assert {t["quantity"] for t in now} == {"12.000000", "10.000000"}
    assert before == []
    assert (future.status_code, future.json()["code"]) == (400, "as_of_not_past")


def test_the_list_is_filtered_in_a_fixed_number_of_queries(desk, django_assert_max_num_queries):
    client = client_of(desk.trader.user)
    for period in ("Cal30", "Cal31", "Q1-30", "Q2-30"):
        captured(client, period=period)
    captured(client, product="SWAP", index="EPEX-DE-DA")

    with django_assert_max_num_queries(14):
        listed = client.get(PATH, {"product": "PHYSICAL_FORWARD", "status": "LIVE"})

    assert len(listed.json()["results"]) == 4
    assert client.get(PATH, {"counterparty": "nobody"}).json()["results"] == []


def test_the_export_streams_what_the_list_shows_safe_for_spreadsheets(desk):
    client = client_of(desk.trader.user)
    body = {"terms": FORWARD, "book": "EU", "counterparty": "ACME", "reason": "agreed"}
    post(client, body | {"client_reference": "=1+1"})
    captured(client, side="SELL", period="Cal31")
    make_desk().deal()

    answer = client.get(f"{PATH}/export", {"side": "BUY"})
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))

    assert answer["Content-Type"].startswith("text/csv")
    assert [(r["product"], r["quantity"], r["price"], r["client_reference"]) for r in rows] == [
        ("PHYSICAL_FORWARD", "10", "85.2", "'=1+1"),
    ]  # fmt: skip
    assert rows[0]["delivery_start"] == "2029-12-31T23:00:00.000000Z"
    assert client.get(f"{PATH}/export", {"sied": "BUY"}).status_code == 400
    assert Client().get(f"{PATH}/export").status_code in (401, 403)
