"""The risk pages in the scope of a book."""

from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from guardian.shortcuts import assign_perm

from energyopti.accounts.actors import Actor
from risk.services.snapshots import build_snapshot
from risk.web.home import risk_panel
from tests.factories.risk import curve, hold, quote_history
from tests.factories.trades import RECEIVED_AT, TRADED_AT, make_book, make_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    desk = make_desk()
    desk.gas = make_book(desk.organization, "GAS")
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", desk.trader.user, desk.gas)
    desk.trader = desk.again(desk.trader)
    quote_history(desk.market)
    curve(desk.market)
    build_snapshot(actor=Actor.system("test"), valued_at=TRADED_AT)
    desk.deal("B 10MW DE base Cal27 @ 80")
    desk.deal("B 2MW DE base Cal27 @ 80", book_id=desk.gas.pk)
    with time_machine.travel(RECEIVED_AT, tick=False):
        yield desk


@pytest.fixture
def client(desk) -> Client:
    client = Client()
    client.force_login(desk.officer.user)
    return client


def test_the_page_and_its_feed_are_those_of_the_chosen_book(desk, client):
    hold(desk, 777777, book_id=desk.gas.pk, confidence=Decimal("0.95"))
    first = client.get("/risk/").content.decode()
    chosen = client.get("/risk/", {"book": str(desk.gas.pk)}).content.decode()

    assert f'data-src="/ws/risk/{desk.book.pk}/"' in first
    assert f'<option value="{desk.book.pk}" selected>' in first  # the first: never “all books”
    assert "All books" not in first
    assert f'data-src="/ws/risk/{desk.gas.pk}/"' in chosen
    assert f'/risk/state/{desk.gas.pk}/"' in chosen
    assert "777,777.00" in chosen and "777,777.00" not in first
    assert "+1,488" in chosen  # 2 MW in the 744 hours of January
    assert "+7,440" in first and "+7,440" not in chosen
    assert f'data-src="/ws/risk/{desk.gas.pk}/"' in client.get("/risk/").content.decode()


def test_the_first_book_is_shown_without_being_chosen_elsewhere(desk, client):
    client.get("/risk/")

    assert '<option value="">All books</option>' in client.get("/trades/").content.decode()
    assert "selected" not in client.get("/trades/").content.decode().split("</form>")[0]


def test_a_refused_limit_has_no_bar_that_could_not_be_answered(desk, client):
    answer = client.post("/risk/limits/propose/", {"amount": "-1", "confidence": "0.99"})

    assert answer.status_code == 422
    assert 'class="scope"' not in answer.content.decode()


def test_the_panel_shows_the_chosen_book_for_one_query_more(desk, django_assert_max_num_queries):
    everything = risk_panel(desk.again(desk.trader))["risks"]
    with django_assert_max_num_queries(10):
        (one,) = risk_panel(desk.again(desk.trader), book=str(desk.gas.pk))["risks"]

    assert [risk.book.code for risk in everything] == ["EU", "GAS"]
    assert one.book.id == desk.gas.pk
    assert risk_panel(desk.again(desk.trader), book=str(make_desk().book.pk))["risks"] == []
