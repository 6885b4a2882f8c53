"""In a real browser: a choice reloads the page, is in the URL, outlives filters and navigation."""

import pytest
from django.test import Client
from guardian.shortcuts import assign_perm

from energyopti.accounts.services.roles import synchronize_roles
from tests.e2e.browsers import browser_page
from tests.factories.trades import make_book, make_desk

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def test_a_chosen_book_is_kept_by_filters_and_by_the_next_page(live_server) -> None:
    synchronize_roles()
    desk = make_desk()
    gas = make_book(desk.organization, "GAS")
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", desk.trader.user, gas)
    desk.trader = desk.again(desk.trader)
    ours = desk.deal("B 10MW DE base Cal29 @ 85")
    theirs = desk.deal("B 7MW DE base Cal29 @ 85", book_id=gas.pk)
    client = Client()
    client.force_login(desk.trader.user)
    session = client.cookies["sessionid"].value

    with browser_page() as page:
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        page.goto(f"{live_server.url}/trades/")
        page.get_by_text(ours.ref).first.wait_for()
        with page.expect_navigation():
            page.locator("form.scope select[name=book]").select_option(str(gas.pk))
        address, rows = page.url, page.inner_text("#rows")

        with page.expect_response(lambda answer: "side=BUY" in answer.url):
            page.locator("form.filters select[name=side]").select_option("BUY")
        page.wait_for_url(lambda url: "side=BUY" in url)
        filtered = page.url
        page.get_by_role("link", name="Positions").first.click()
        page.wait_for_url("**/positions/")
        kept = page.locator("form.scope select[name=book]").input_value()
        days = page.locator("form.scope input[type=date]").count()
        positions = page.inner_text("main")

    assert f"book={gas.pk}" in address
    assert theirs.ref in rows and ours.ref not in rows
    assert f"book={gas.pk}" in filtered
    assert kept == str(gas.pk)
    assert "+7.000" in positions and "+17.000" not in positions
    assert days == 0
