"""An officer's open risk page shows a trader's deal within a second, in real browsers."""

import time
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from energyopti.accounts.actors import Actor
from energyopti.accounts.services.roles import synchronize_roles
from risk.models import RiskNumber
from risk.services.snapshots import build_snapshot
from tests.e2e.axe import axe_violations
from tests.e2e.browsers import browser_page
from tests.e2e.serving import in_a_thread, served
from tests.e2e.test_trade_race import open_as
from tests.factories.risk import curve, hold, quote_history
from tests.factories.trades import TRADED_AT, make_desk
from tests.servers import started
from trading.models import TradeVersion

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def test_the_officers_page_follows_the_traders_deal() -> None:
    synchronize_roles()
    desk = make_desk()
    quote_history(desk.market)
    curve(desk.market)
    build_snapshot(actor=Actor.system("test"), valued_at=TRADED_AT)
    client = Client()
    client.force_login(desk.officer.user)
    session = client.cookies["sessionid"].value

    with served() as base, browser_page() as page:
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": base}])
        page.goto(f"{base}/risk/")
        page.locator("live-feed[data-state=live]").wait_for()
        before = page.locator("[data-live=var]").inner_text()
        rows_before = page.locator("#positions tbody tr").count()

        in_a_thread(lambda: desk.deal("B 10MW DE base Cal27 @ 80"))
        started = time.perf_counter()
        page.locator("risk-page[data-revision='1']").wait_for(timeout=1000)
        seconds = time.perf_counter() - started
        page.wait_for_function("document.querySelector('[data-live=var]').textContent !== '0.00'")

        assert (before, rows_before) == ("0.00", 0)
        assert page.locator("#positions tbody tr").count() == 12
        assert page.locator("#positions tbody tr").first.inner_text().startswith("2027-01")
        assert seconds < 1, f"{seconds:.3f} s"


def test_a_deal_is_named_a_hard_limit_stops_the_next_and_a_lost_redis_is_said(
    page, base_url, session_of
) -> None:
    if not started:
        pytest.skip("the Redis server is not the tests' own")
    desk = make_desk()
    quote_history(desk.market)
    curve(desk.market)
    build_snapshot(actor=Actor.system("test"), valued_at=TRADED_AT)
    officer = open_as(page, desk.officer.user, base_url, session_of)
    trader = open_as(page, desk.trader.user, base_url, session_of)
    officer.goto(f"{base_url}/risk/")
    officer.locator("live-feed[data-state=live]").wait_for()

    book(trader, base_url, "B 10MW DE base Cal27 @ 80 cpty:ACME book:EU")
    trader.wait_for_url("**/trades/T-*/")
    ref = trader.url.rstrip("/").rsplit("/", 1)[1]
    officer.locator("#changes").get_by_role("link", name=ref).wait_for(timeout=1000)
    var = RiskNumber.objects.latest("sequence").var
    assert officer.locator("[data-live=var]").inner_text() == f"{var:,.2f}"

    assert officer.locator("#limits meter").count() == 0
    in_a_thread(lambda: hold(desk, Decimal(f"{1.5 * var:.2f}")))
    officer.locator("#limits [data-limit-used]", has_text=f"{var:,.2f}").wait_for(timeout=2000)
    preview(trader, base_url, "B 10MW DE base Cal27 @ 80 cpty:ACME book:EU")
    trader.get_by_text("over the limit of").first.wait_for()
    said = trader.inner_text("main")
    assert f"from {var:,.2f} to {2 * var:,.2f} EUR" in said
    assert trader.get_by_role("button", name="Book", exact=True).count() == 0
    assert TradeVersion.objects.count() == 1

    started[0].running["valkey"].stop()
    officer.locator("live-feed[data-state=lost]").wait_for(timeout=10_000)
    assert "Live feed lost" in officer.inner_text("live-feed")
    assert officer.locator("[data-live=var].feed-lost").count() == 1
    in_a_thread(lambda: desk.deal("S 4MW DE base Cal27 @ 81"))
    started[0].restart("valkey")
    officer.locator("live-feed[data-state=live]").wait_for(timeout=20_000)
    officer.locator("risk-page[data-revision='2']").wait_for()
    now = RiskNumber.objects.latest("sequence").var
    officer.locator("[data-live=var]", has_text=f"{now:,.2f}").wait_for(timeout=2000)
    assert now == pytest.approx(0.6 * var)
    assert officer.locator(".feed-lost").count() == 0
    assert axe_violations(officer) == []


def preview(page: Any, base_url: str, line: str) -> None:
    """Write a deal into the ticket and look at it."""
    page.goto(f"{base_url}/trades/new/")
    page.fill("input[name=text]", line)
    page.keyboard.press("Enter")


def book(page: Any, base_url: str, line: str) -> None:
    """Preview a deal and book it, with a reason if one is asked for."""
    preview(page, base_url, line)
    button = page.get_by_role("button", name="Book", exact=True)
    button.wait_for()
    if page.locator("input[name=reason]").count():
        page.fill("input[name=reason]", "agreed on the phone")
    button.click()
