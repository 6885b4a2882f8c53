"""An option on its page, in the ticket and over REST: value, Greeks, hedge, who may see them."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Money
from tests.factories.accounts import make_user
from tests.factories.trades import make_book, make_desk
from tests.trading.valuation.options_desk import (
    CALL,
    CLOSE,
    EVENING,
    option,
    option_desk,
    quote_vols,
)
from trading.deals import Direction, OptionType
from trading.models import OptionGreek
from trading.pricing import black76
from trading.queries.option_values import option_of_trade, options_of_legs
from trading.queries.trades import trade_by_ref
from trading.services.locks import server_time
from trading.services.valuation import value_organization

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]


@pytest.fixture
def desk(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: EVENING)
    return option_desk()


def client_of(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def run_of(desk):
    return value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=EVENING
    )


def test_the_page_shows_value_greeks_hedge_model_and_the_same_by_revaluation(desk):
    receipt = desk.deal(deal=option())
    run = run_of(desk)
    client = client_of(desk.trader.user)

    page = client.get(reverse("trading:trade", args=[receipt.ref])).content.decode()

    assert f"valuation run {run.pk}" in page
    for words in ("Value and Greeks", "Trade to hedge", "By revaluation", "Black-76, lognormal",
                  "agrees", "moved by 0.001 up",
                  "version 1", "0.4500", "ACT/365", "Gamma DE", "Delta, MWh",
                  "Gamma, MWh per EUR/MWh", "Vega, EUR per 1 % point of volatility",
                  "Theta, EUR per day", "Forward, EUR/MWh",
                  "base Q1-27 strike 100.00 EUR/MWh", "Strike 100 EUR/MWh"):  # fmt: skip
        assert words in page, words
    blotter = client.get(reverse("trading:trades")).text
    assert "strike 100.00" in blotter and 'class="gives-way"' in blotter
    view = option_of_trade(
        trade_by_ref(desk.trader, receipt.ref), now=EVENING, known_at=server_time()
    )
    stored = {g.month: g for g in OptionGreek.objects.filter(run=run)}
    for row in view.greeks:
        assert row.delta == pytest.approx(float(stored[row.month].delta), abs=1e-5)
        assert row.revalued == pytest.approx(row.delta, rel=1e-6)
        assert row.hedge == -row.delta
    value = run.values.get()
    assert view.value == pytest.approx(float(value.unrealised), abs=0.01)
    assert view.cash == (Money(Decimal("-86360.00"), "EUR"),)
    for row in view.compared:
        assert row.formula == pytest.approx(row.revalued, rel=5e-3), row.name


def test_an_option_without_a_value_says_what_to_do_and_one_before_its_first_run_is_valued_now(desk):
    far = replace(CALL.schedule, period=DatePeriod.months(2030, 1, 3))
    unquoted = desk.deal(deal=option(schedule=far))
    fresh = desk.deal(deal=option(strikes=(Decimal(101),)))
    client = client_of(desk.trader.user)

    page = client.get(reverse("trading:trade", args=[unquoted.ref])).content.decode()
    assert "no lognormal volatility is quoted for a contract that covers 2030-01-01" in page
    page = client.get(reverse("trading:trade", args=[fresh.ref])).content.decode()
    assert "on the curves of now" in page and "Trade to hedge" in page


def test_queries_of_the_page_do_not_grow_with_the_months(desk):
    one = desk.deal(deal=option())
    strip = desk.deal(deal=option(CALL, option_type=OptionType.CAP))
    run_of(desk)
    version, other = (trade_by_ref(desk.trader, each.ref) for each in (one, strip))

    def queries(of):
        with CaptureQueriesContext(connection) as found:
            view = option_of_trade(of, now=EVENING, known_at=server_time())
        return view, len(found)

    (_, few), (view, many) = queries(version), queries(other)
    assert len(view.rights) == 3 and few == many


def test_rest_answers_the_same_and_refuses_what_is_no_option_or_nobodys_business(desk):
    receipt = desk.deal(deal=option())
    forward = desk.deal("B 10MW DE base Cal27 @ 85.20")
    run = run_of(desk)
    address = f"/api/v1/trading/trades/{receipt.ref}/option-value"
    client = client_of(desk.trader.user)

    found = client.get(address)

    assert found.status_code == 200, found.content
    body = found.json()
    assert (body["run"], body["currency"], body["findings"]) == (run.pk, "EUR", [])
    assert body["value"] == pytest.approx(float(run.values.get(trade__ref=receipt.ref).unrealised),
                                          abs=0.01)  # fmt: skip
    assert [row["month"] for row in body["greeks"]] == ["2027-01-01", "2027-02-01", "2027-03-01"]
    assert body["rights"][0]["model"] == "BLACK76"
    assert body["cash"] == [{"currency": "EUR", "amount": "-86360.00"}]
    none = client.get(f"/api/v1/trading/trades/{forward.ref}/option-value")
    assert (none.status_code, none.json()["code"]) == (409, "no_option")
    stranger = client_of(make_desk("Stranger").trader.user)
    assert stranger.get(address).status_code == 404
    steward = make_user(Role.ESG_OFFICER, organization=desk.organization)
    assert client_of(steward).get(address).status_code == 403


def test_the_ticket_shows_what_an_option_would_be_worth_before_it_is_booked(desk):
    quote_vols(desk.market, {"Q1-27": "0.50"}, at=CLOSE)
    client = client_of(desk.trader.user)
    form = {
        "kind": "OPTION", "area": "DE", "product": "base", "period": "Q1-27", "quantity": "10",
        "unit": "MW:HOUR", "side": "BUY", "option_type": "CALL", "style": "EUROPEAN",
        "index": "EPEX-DE-DA", "strike": "100", "expiry": "2026-12-20T12:00", "premium": "4",
        "settlement": "CASH", "counterparty": "ACME", "book": "EU",
        "basis": "ORDER", "client_reference": "t-1",
    }  # fmt: skip

    shown = client.post(reverse("trading:parse"), form).content.decode()

    assert "on the curves of now" in shown and "Trade to hedge" in shown, shown[:2000]
    legs = [(0, 1, replace(CALL, premium=Decimal(4)))]
    view = options_of_legs(legs, as_of=EVENING, known_at=server_time())
    assert f"{view.value:,.2f}"[-6:] in shown
    assert "Value, with the premium" in shown and f"{view.together:,.2f}"[-6:] in shown
    assert view.together == pytest.approx(view.value - 86_360)
    # What the premium implies gives the premium back.
    assert view.implied is not None and "Volatility that the premium implies" in shown
    again = black76(
        forward=95.0, strike=100.0, volatility=view.implied, discount=view.rights[0].discount,
        expiry=(CALL.expiry - EVENING).total_seconds() / (365 * 86400),
    )  # fmt: skip
    assert float(again.price) == pytest.approx(4.0)
    assert view.rights[0].expires_at == datetime(2026, 12, 20, 11, tzinfo=UTC)


def test_option_deltas_are_a_page_of_positions_and_rest_by_book_and_month(desk):
    desk.deal(deal=option())
    desk.deal(deal=option(direction=Direction.PAY, strikes=(Decimal(120),), premium=Decimal(0)))
    run = run_of(desk)
    other = make_book(desk.organization, "OTHER")
    client = client_of(desk.trader.user)
    page = reverse("trading:option_deltas")

    shown = client.get(page)
    with CaptureQueriesContext(connection) as few:
        client.get(page)
    listed = client.get("/api/v1/trading/option-positions").json()["results"]

    assert f"valuation run {run.pk}" in shown.content.decode()
    assert shown.content.decode().count("DE base") == 3
    stored = OptionGreek.objects.filter(run=run, month="2027-01-01")
    assert [row["trades"] for row in listed] == [2, 2, 2]
    assert Decimal(listed[0]["delta"]) == sum(greek.delta for greek in stored)
    assert Decimal(listed[0]["hedge"]) == -Decimal(listed[0]["delta"])
    desk.deal(deal=option(option_type=OptionType.PUT))
    run_of(desk)
    with CaptureQueriesContext(connection) as many:
        assert client.get(page).status_code == 200
    assert len(few) == len(many)
    empty = client.get(f"/api/v1/trading/option-positions?book={other.pk}").json()["results"]
    assert empty == []
    stranger = make_desk("Stranger")
    assert b"No deltas" in client_of(stranger.trader.user).get(page).content
    steward = make_user(Role.ESG_OFFICER, organization=desk.organization)
    assert client_of(steward).get(page).status_code == 403
