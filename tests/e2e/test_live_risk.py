"""An officer's open risk page shows a trader's deal within a second, in a real browser."""

import time

import pytest
from django.test import Client

from energyopti.accounts.actors import Actor
from energyopti.accounts.services.roles import synchronize_roles
from risk.services.snapshots import build_snapshot
from tests.e2e.browsers import browser_page
from tests.e2e.serving import in_a_thread, served
from tests.factories.risk import curve, quote_history
from tests.factories.trades import TRADED_AT, make_desk

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
