"""REST of positions: written volumes, past moments, stages, pages, and the trades of a line."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from energyopti.accounts.roles import Role
from tests.factories.accounts import make_user
from tests.factories.trades import RECEIVED_AT, deal_of_words, make_book, make_desk
from trading.models import TradeVersion
from trading.services.lifecycle import amend_trade

pytestmark = pytest.mark.django_db
PATH = "/api/v1/trading/positions"
FIRST = {"from": "2027-01-01", "to": "2027-04-01"}


@pytest.fixture
def desk():
    return make_desk()


def client_of(actor) -> Client:
    client = Client()
    client.force_login(actor.user)
    return client


def lines(client, **asked):
    answer = client.get(PATH, asked)
    assert answer.status_code == 200, answer.content
    return [(line["period"], line["volume"]) for line in answer.json()["results"]]


@pytest.fixture
def quarter(desk):
    """10 MW base in the first quarter, 4 MW peak sold in January: 21 peak days, 743 h in March."""
    desk.deal("B 10MW DE base Q1-27 @ 85")
    desk.deal("S 4MW DE peak Jan27 @ 90")
    return desk


def test_lines_say_what_is_held_where_and_when(quarter):
    found = client_of(quarter.trader).get(PATH, FIRST).json()

    first = found["results"][0]
    assert {name: first[name] for name in ("book", "delivery_point", "commodity", "unit")} == {
        "book": "EU", "delivery_point": "DE", "commodity": "POWER", "unit": "MWh",
    }  # fmt: skip
    assert (first["start"], first["end"]) == ("2026-12-31T23:00:00Z", "2027-01-31T23:00:00Z")
    assert [(line["period"], line["volume"]) for line in found["results"]] == [
        ("2027-01-01", "6432.000000"), ("2027-02-01", "6720.000000"),
        ("2027-03-01", "7430.000000"),
    ]  # fmt: skip
    assert (found["unsplit"], found["unknown"], found["next"]) == (0, 0, None)


def test_lines_of_each_length_sum_to_the_same(quarter):
    client = client_of(quarter.trader)
    day = {"from": "2027-01-04", "to": "2027-01-05"}

    assert lines(client, granularity="quarter", **FIRST) == [("2027-01-01", "20582.000000")]
    assert lines(client, granularity="year", **FIRST) == [("2027-01-01", "20582.000000")]
    assert lines(client, granularity="day", **day) == [("2027-01-04", "192.000000")]
    hours = lines(client, granularity="hour", **day)
    assert dict(hours)["2027-01-04.8"] == "10.000000"
    assert dict(hours)["2027-01-04.9"] == "6.000000"
    assert sum(Decimal(volume) for _, volume in hours) == 192
    assert [period for period, _ in hours] == [f"2027-01-04.{hour}" for hour in range(1, 25)]


def test_a_line_leads_to_trades_that_sum_to_it(quarter):
    client = client_of(quarter.trader)
    line = client.get(PATH, FIRST).json()["results"][0]

    trades = client.get(line["trades"]).json()["results"]

    assert [(t["side"], t["volume"]) for t in trades] == [
        ("BUY", "7440.000000"), ("SELL", "-1008.000000"),
    ]  # fmt: skip
    assert sum(Decimal(t["volume"]) for t in trades) == Decimal(line["volume"])


def test_a_past_moment_shows_what_was_recorded_by_then(desk):
    receipt = desk.deal("B 10MW DE base Jan27 @ 85")
    version = TradeVersion.objects.get()
    amend_trade(
        actor=desk.trader, ref=receipt.ref, expected_version=1, received_at=RECEIVED_AT,
        deal=deal_of_words("B 12MW DE base Jan27 @ 85"), reason="two more",
    )  # fmt: skip
    client = client_of(desk.trader)
    then = version.recorded_at.isoformat()

    now = client.get(PATH, FIRST).json()["results"]
    past = client.get(PATH, {**FIRST, "as_of": then}).json()["results"]
    (share,) = client.get(past[0]["trades"]).json()["results"]

    assert (now[0]["volume"], past[0]["volume"]) == ("8928.000000", "7440.000000")
    assert (share["version"], share["volume"]) == (1, "7440.000000")
    before = (version.recorded_at - timedelta(microseconds=1)).isoformat()
    assert lines(client, as_of=before, **FIRST) == []


def test_filters_choose_book_commodity_and_delivery_point(quarter):
    client = client_of(quarter.trader)

    for chosen in ({"book": "eu"}, {"commodity": "power"}, {"delivery_point": "DE"}):
        assert len(lines(client, **chosen, **FIRST)) == 3
    for other in ({"book": "US"}, {"commodity": "EUA"}, {"delivery_point": "FR"},
                  {"stage": "PENDING"}):  # fmt: skip
        assert lines(client, **other, **FIRST) == []


def test_pages_follow_each_other_both_ways(quarter):
    client = client_of(quarter.trader)

    first = client.get(PATH, {**FIRST, "page_size": 2}).json()
    second = client.get(first["next"]).json()
    back = client.get(second["previous"]).json()

    assert [line["period"] for line in first["results"]] == ["2027-01-01", "2027-02-01"]
    assert [line["period"] for line in second["results"]] == ["2027-03-01"]
    assert (first["previous"], second["next"]) == (None, None)
    assert back["results"] == first["results"]


def test_the_number_of_queries_does_not_grow(quarter):
    client = client_of(quarter.trader)
    client.get(PATH, FIRST)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(PATH, FIRST)
    for mw in (1, 2, 3):
        quarter.deal(f"B {mw}MW DE base Q1-27 @ 85")
        quarter.deal(f"S {mw}MW DE peak Feb27 @ 85")

    with CaptureQueriesContext(connection) as many:
        client.get(PATH, FIRST)

    assert len(many) == len(few)


@pytest.mark.parametrize(
    ("asked", "parameter"),
    [
        ({"from": "2027-01-01", "to": "2027-01-01"}, "to"),
        ({"to": "2027-01-01"}, "from"),
        ({"granularity": "hour", "from": "2027-01-01", "to": "2027-03-01"}, "to"),
        ({"granularity": "week"}, "granularity"),
        ({"as_of": "2100-01-01T00:00:00Z"}, "as_of"),
        ({"bok": "EU"}, "bok"),
        ({"cursor": "made-up"}, "cursor"),
    ],
)
def test_what_cannot_be_listed_is_refused_by_name(desk, asked, parameter):
    answer = client_of(desk.trader).get(PATH, asked)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == parameter


def test_a_period_that_no_line_names_is_refused(desk):
    asked = {"book": "EU", "delivery_point": "DE", "unit": "MWh"}
    client = client_of(desk.trader)

    for period in ("2027-01-02", "2027-01-01.1", "x", "9999-12-31"):
        answer = client.get(f"{PATH}/trades", {**asked, "period": period})
        assert (answer.status_code, answer.json()["code"]) == (400, "period_refused"), period


def test_strangers_get_nothing_and_other_roles_are_turned_away(quarter):
    stranger = make_desk("Stranger")
    make_book(stranger.organization, "XX")
    line = client_of(quarter.trader).get(PATH, FIRST).json()["results"][0]
    keeper = Client()
    keeper.force_login(make_user(Role.DEVICE_OPERATOR, organization=quarter.organization))

    assert lines(client_of(stranger.trader), **FIRST) == []
    assert client_of(stranger.trader).get(line["trades"]).json()["results"] == []
    assert keeper.get(PATH).status_code == keeper.get(line["trades"]).status_code == 403
    assert Client().get(PATH).status_code == 401
