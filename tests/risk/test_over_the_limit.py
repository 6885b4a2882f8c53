"""Over the limit, as people and programs meet it: an order is stopped, a fill is a breach."""

import json
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from energyopti.foundation.events.models import Event
from risk.models import LimitBreach
from risk.services.rebase import recompute_all
from tests.factories.risk import hold
from tests.factories.trades import RECEIVED_AT, deal_of_words
from trading.models import Trade
from trading.services.four_eyes import set_four_eyes
from trading.services.lifecycle import amend_trade, approve_amendment, decline_amendment

from .test_changes import colleague
from .test_live_numbers import SYSTEM, ready_desk, var_of

pytestmark = pytest.mark.django_db
LINE = "B 10MW DE base Cal27 @ 85"


@pytest.fixture
def desk():
    desk = ready_desk()
    desk.deal("B 1MW DE base Cal27 @ 85")
    limit = Decimal(str(round(var_of(desk) * 2, 2)))
    hold(desk, limit)
    return desk


@pytest.fixture
def trader(desk):
    client = Client()
    client.force_login(desk.trader.user)
    return client


def breach_of(ref):
    told = Event.objects.get(type="limit.breached").payload
    return told["cause"] == ref and LimitBreach.objects.count() == 1


def test_over_rest_an_order_is_stopped_and_a_fill_is_booked_with_a_breach(desk, trader) -> None:
    body = {"text": LINE, "book": "EU", "counterparty": "ACME", "reason": "as agreed"}

    def post(**more):
        return trader.post(
            "/api/v1/trading/trades", json.dumps({**body, **more}), content_type="application/json"
        )

    stopped = post()
    assert (stopped.status_code, stopped.json()["code"]) == (409, "trade_stopped")
    assert Trade.objects.count() == 1 and not LimitBreach.objects.exists()

    booked = post(executed_at="2026-11-20T09:41:07Z")

    assert (booked.status_code, booked.json()["status"]) == (201, "LIVE")
    verdicts = {check["check"]: check["outcome"] for check in booked.json()["checks"]}
    assert verdicts["limits"] == "HARD"
    assert breach_of(booked.json()["ref"])


def test_on_the_ticket_an_order_is_stopped_and_a_fill_is_booked_with_a_breach(desk, trader) -> None:
    address = reverse("trading:ticket")
    entry = {"kind": "LINE", "text": f"{LINE} cpty:ACME book:EU", "reason": "as agreed",
             "client_reference": "r-1", "basis": "ORDER"}  # fmt: skip

    def book(entry):
        shown = trader.post(address, entry)
        return trader.post(address, entry | {"previewed": shown.context["entry"].fingerprint})

    stopped = book(entry)
    assert stopped.status_code == 422
    assert Trade.objects.count() == 1 and not LimitBreach.objects.exists()

    assert book({**entry, "basis": "FILL"}).status_code == 302

    assert breach_of(Trade.objects.latest("id").ref)


def test_an_amendment_that_waits_is_reserved_in_risk_and_in_no_value(desk) -> None:
    set_four_eyes(actor=desk.officer, book_id=desk.book.pk, amount=Decimal(1_000_000))
    ref, before = Trade.objects.get().ref, var_of(desk)
    words = {"ref": ref, "received_at": RECEIVED_AT, "reason": "grown"}
    larger = deal_of_words("B 1.5MW DE base Cal27 @ 85")

    amend_trade(actor=desk.trader, deal=larger, expected_version=1, **words)

    assert var_of(desk) == pytest.approx(before)
    assert recompute_all(actor=SYSTEM) <= 1e-9
    decline_amendment(actor=desk.trader, expected_version=2, **words)
    assert recompute_all(actor=SYSTEM) <= 1e-9
    amend_trade(actor=desk.trader, deal=larger, expected_version=3, **words)
    approve_amendment(actor=colleague(desk), expected_version=4, **words)
    assert var_of(desk) == pytest.approx(1.5 * before)
    assert recompute_all(actor=SYSTEM) <= 1e-9
