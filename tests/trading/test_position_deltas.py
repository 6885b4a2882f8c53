"""Positions with the deltas of options and choices: map, cell, hedges, REST, files, old runs."""

import re
from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from tests.factories.accounts import make_user
from tests.factories.trades import make_book, make_desk
from tests.trading.valuation.options_desk import (
    CLOSE,
    choose,
    option,
    quote_interest,
    quote_vols,
)
from tests.trading.valuation.structures_desk import EVENING, SWING, structure, structure_desk
from trading.deals import Direction
from trading.models import (
    OptionFamily,
    OptionGreek,
    PricingFormula,
    StructureValue,
    TradeVersion,
    ValuationRun,
)
from trading.services.lifecycle import cancel_trade
from trading.services.locks import server_time
from trading.services.pricing_models import ModelTerms
from trading.services.valuation import value_organization

pytestmark = pytest.mark.django_db
HEAT, TARGETS = "/positions/heat/", "/positions/targets/"
API, HEDGES = "/api/v1/trading/positions", "/api/v1/trading/hedge-positions"
WITH = {"deltas": "with", "date": "2027-01-15"}
QUARTER = {"from": "2027-01-01", "to": "2027-04-01", "with_deltas": "true"}


@pytest.fixture
def desk(monkeypatch):
    """A forward and a call on DE, a swing on gas; not valued yet."""
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: EVENING)
    desk = structure_desk()
    quote_interest(CLOSE)
    quote_vols(desk.market, {"Q1-27": "0.45", "Cal27": "0.35"}, at=CLOSE)
    choose(desk, ModelTerms("DE", OptionFamily.VANILLA, PricingFormula.BLACK76))
    desk.deal("B 10MW DE base Jan27 @ 85")
    desk.call = desk.deal(deal=option())
    desk.swing = desk.deal(deal=structure(SWING))
    return desk


def client_of(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def value(desk):
    return value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=EVENING
    )


def delta_of(run, month):
    return OptionGreek.objects.get(run=run, month=month).delta


def test_map_cell_hedges_and_rest_count_the_deltas_of_the_latest_run(desk):
    run, client = value(desk), client_of(desk.trader.user)
    call = delta_of(run, "2027-01-01")
    swing = StructureValue.objects.get(run=run, trade__ref=desk.swing.ref)
    gas = {row["month"]: Decimal(repr(row["delta"])) for row in swing.hedge}
    assert call > 0 and gas["2027-01-01"] > 0

    plain = client.get(HEAT, {"date": "2027-01-15"}).text
    shown = client.get(HEAT, WITH).text
    assert "without deltas" in plain and "+7,440" in plain and "TTF" not in plain
    assert f"valuation run {run.pk}" in shown and f"{7440 + call:+,.0f}" in shown
    assert f"{gas['2027-01-01']:+,.0f}" in shown
    address = reverse("trading:position_cell", args=["DE", "2027-01-01"])
    cell = client.get(address, WITH).text
    assert desk.call.ref in cell and f"{call:+,.1f}" in cell
    assert f"{7440 + call:+,.1f} MWh" in cell
    assert desk.call.ref not in client.get(address, {"date": "2027-01-15"}).text

    lines = client.get(API, QUARTER).json()
    first = next(line for line in lines["results"] if line["delivery_point"] == "DE")
    assert Decimal(first["volume"]) == 7440 + call
    assert Decimal(first["delta"]) == call
    assert lines["deltas"] == {
        "runs": [{"run": run.pk, "as_of": "2026-11-20T19:00:00Z"}],
        "unvalued": 0, "changed": 0, "ended": 0,
    }  # fmt: skip
    trades = client.get(first["trades"]).json()["results"]
    assert [Decimal(each["delta"]) for each in trades] == [0, call]
    assert sum(Decimal(each["volume"]) for each in trades) == Decimal(first["volume"])
    gas_line = next(line for line in lines["results"] if line["delivery_point"] == "TTF")
    assert Decimal(gas_line["delta"]) == Decimal(gas_line["volume"]) == gas["2027-01-01"]
    (share,) = client.get(gas_line["trades"]).json()["results"]
    assert share["trade"] == desk.swing.ref
    without = client.get(API, {**QUARTER, "with_deltas": "false"}).json()
    assert without["deltas"] is None
    assert [line["volume"] for line in without["results"]] == ["7440.000000"]

    found = client.get(HEDGES, QUARTER).json()
    row = next(each for each in found["results"] if each["market"] == "DE")
    assert Decimal(row["deltas_mwh"]) == call
    assert Decimal(row["open_mwh"]) == 7440 + call
    assert found["deltas"]["runs"][0]["run"] == run.pk
    page = client.get(TARGETS, {"year": "2027", "deltas": "with"}).text
    assert "count as hedges" in page and f"{7440 + call:+,.0f}" in page
    assert "Deltas</th>" not in client.get(TARGETS, {"year": "2027"}).text


def test_files_say_with_which_run_and_carry_the_same_numbers(desk):
    run, client = value(desk), client_of(desk.trader.user)
    call = delta_of(run, "2027-01-01")

    heat = client.get(HEAT, {**WITH, "format": "csv"})
    hedge = client.get(TARGETS, {"year": "2027", "deltas": "with", "format": "csv"})
    sheet = client.get(HEAT, {**WITH, "format": "xlsx"})
    plain = client.get(HEAT, {"date": "2027-01-15", "format": "csv"})

    assert "with-deltas" in heat["Content-Disposition"]
    assert "with-deltas" in hedge["Content-Disposition"]
    assert "deltas" not in plain["Content-Disposition"]
    assert str(7440 + call) in heat.getvalue().decode()
    assert str(call) in hedge.getvalue().decode() and b"TTF" not in plain.getvalue()
    cells = [
        str(cell)
        for page in load_workbook(BytesIO(sheet.getvalue()))
        for row in page.iter_rows(values_only=True)
        for cell in row
    ]
    words = f"with, by valuation run {run.pk} of 2026-11-20 19:00 UTC"
    assert any(words in cell for cell in cells)


def test_no_run_an_old_one_and_what_happened_since_are_said(desk, monkeypatch):
    client = client_of(desk.trader.user)
    assert "Nothing has been valued yet" in client.get(HEAT, WITH).text
    run = value(desk)
    before = server_time()
    assert "Old deltas" not in client.get(HEAT, WITH).text

    desk.deal(deal=option(strikes=(Decimal(110),)))
    cancel_trade(
        actor=desk.again(desk.trader), ref=desk.call.ref, expected_version=1,
        received_at=EVENING, reason="typed twice",
    )  # fmt: skip
    later = max(before, EVENING) + timedelta(hours=25)
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: later)
    page = client.get(HEAT, WITH).text

    assert "Old deltas" in page
    assert "1 option or contract with choices was traded or changed since" in page
    assert "exercised, expired or ended since and is left out" in page
    lines = client.get(API, QUARTER).json()
    assert (lines["deltas"]["changed"], lines["deltas"]["ended"]) == (1, 1)
    power = [line for line in lines["results"] if line["delivery_point"] == "DE"]
    assert [line["delta"] for line in power] == ["0.000000"]
    # As of before, the option was still there, and its deltas were those of the same run.
    past = client.get(API, {**QUARTER, "as_of": before.isoformat()})
    assert past.json()["deltas"]["ended"] == 0
    assert past.json()["results"][0]["delta"] == str(delta_of(run, "2027-01-01"))
    early = TradeVersion.objects.order_by("recorded_at").first().recorded_at
    empty = client.get(API, {**QUARTER, "as_of": early.isoformat()}).json()
    assert empty["deltas"]["runs"] == []


def test_hours_say_that_a_delta_has_none_delivery_is_refused_and_others_see_nothing(desk):
    value(desk)
    client = client_of(desk.trader.user)

    day = client.get(HEAT, {**WITH, "by": "day"})
    assert "lots, certificates, deltas" in day.text and "TTF" not in day.text
    assert client.get(HEAT, {**WITH, "measure": "physical"}).status_code == 400
    assert client.get(HEAT, {"deltas": "some"}).status_code == 400
    for refused in ({"measure": "physical"}, {"stage": "PENDING"}):
        answer = client.get(API, {**QUARTER, **refused})
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (
            400, "with_deltas",
        )  # fmt: skip
    stranger = client_of(make_desk("Stranger").trader.user)
    assert "Nothing has been valued yet" in stranger.get(HEAT, WITH).text
    assert stranger.get(API, QUARTER).json()["results"] == []
    operator = client_of(make_user(Role.DEVICE_OPERATOR, organization=desk.organization))
    assert operator.get(HEAT, WITH).status_code == 403


def test_queries_do_not_grow_with_options_books_and_months(desk):
    client = client_of(desk.trader.user)
    pages = [
        (HEAT, WITH), (TARGETS, {"year": "2027", "deltas": "with"}), (API, QUARTER),
        (reverse("trading:position_cell", args=["DE", "2027-01-01"]), WITH),
    ]  # fmt: skip

    def queries():
        counts = []
        for address, asked in pages:
            client.get(address, asked)
            with CaptureQueriesContext(connection) as seen:
                assert client.get(address, asked).status_code == 200
            counts.append(len(seen))
        return counts

    value(desk)
    few = queries()
    child = make_book(desk.organization, "EU2", parent=desk.book)
    for strike in (90, 95, 105):
        desk.deal(deal=option(strikes=(Decimal(strike),)))
        desk.deal(
            deal=option(direction=Direction.PAY, strikes=(Decimal(strike),)), book_id=child.pk,
            actor=desk.again(desk.trader),
        )  # fmt: skip
    value(desk)

    assert queries() == few
    plain = [(HEAT, {"date": "2027-01-15"}), (TARGETS, {"year": "2027"})]
    with CaptureQueriesContext(connection) as seen:
        for address, asked in plain:
            client.get(address, asked)
    read = " ".join(query["sql"] for query in seen)
    for model in (OptionGreek, StructureValue, ValuationRun):
        assert not re.search(rf"\b{model._meta.db_table}\b", read)
