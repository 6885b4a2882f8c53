"""The home panel of risk: value at risk beside its limit, own books only, few queries."""

from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from energyopti.accounts.actors import Actor
from risk.services.snapshots import build_snapshot
from risk.web.home import risk_panel
from tests.factories.risk import curve, hold, quote_history
from tests.factories.trades import RECEIVED_AT, TRADED_AT, Desk, make_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    desk = make_desk()
    quote_history(desk.market)
    curve(desk.market)
    build_snapshot(actor=Actor.system("test"), valued_at=TRADED_AT)
    desk.deal("B 10MW DE base Cal27 @ 80")
    with time_machine.travel(RECEIVED_AT, tick=False):
        yield desk


def limited(desk: Desk, amount: str) -> None:
    hold(desk, Decimal(amount), confidence=Decimal("0.95"))


def test_each_book_stands_beside_its_limit(desk, django_assert_max_num_queries):
    limited(desk, "1000000")
    risk_panel(desk.again(desk.trader))  # a basis is read once a process

    with django_assert_max_num_queries(9):
        (risk,) = risk_panel(desk.again(desk.trader))["risks"]

    assert risk.es >= risk.var > 0
    assert (risk.limit, risk.confidence) == (Decimal(1000000), Decimal("0.95"))
    assert risk.valued_at == TRADED_AT
    assert (risk.level, risk.breaches) == ("good", 0)


@pytest.mark.parametrize(("share", "level"), [("1.1", "warn"), ("0.9", "bad")])
def test_level_says_how_near_the_limit_is(desk, share, level):
    limited(desk, "1000000")
    (before,) = risk_panel(desk.again(desk.trader))["risks"]
    limited(desk, f"{before.var * float(share):.2f}")

    (risk,) = risk_panel(desk.again(desk.trader))["risks"]

    assert risk.level == level


def test_a_book_without_limit_has_no_level(desk):
    (risk,) = risk_panel(desk.trader)["risks"]

    assert (risk.limit, risk.level) == (None, "")


def test_another_desk_sees_none_of_it(desk):
    assert risk_panel(make_desk("theirs").trader)["risks"] == []


def test_home_draws_it(desk):
    limited(desk, "1000000")
    client = Client()
    client.force_login(desk.trader.user)

    page = client.get("/").content.decode()

    assert "Risk against limits" in page
    assert f"Limit of {desk.book.code}, VaR 95 %" in page
