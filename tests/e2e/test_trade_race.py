"""Two people change one trade in two browsers: one is first, and the other's is not lost."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from guardian.shortcuts import assign_perm

from energyopti.accounts.roles import Role
from tests.e2e.axe import axe_violations
from tests.factories.accounts import make_user
from tests.factories.trades import make_desk
from trading.models import TradeVersion

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def open_as(page: Any, user: Any, base_url: str, session_of: Callable[..., str]) -> Any:
    """Return a page of a browser of its own, signed in as somebody."""
    context = page.context.browser.new_context()
    context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session_of(user), "url": base_url}]
    )
    return context.new_page()


def test_two_browsers_race_and_neither_change_is_lost(page, base_url, session_of) -> None:
    desk = make_desk()
    second = make_user(Role.TRADER, organization=desk.organization)
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", second, desk.book)
    receipt = desk.deal("B 10MW DE base Cal30 @ 85.20")
    address = f"{base_url}/trades/{receipt.ref}/amend/"
    ours = open_as(page, desk.trader.user, base_url, session_of)
    theirs = open_as(page, second, base_url, session_of)

    # Both read version 1; one changes the quantity, the other the price.
    for browser, field, value, why in (
        (ours, "quantity", "12", "more of it"),
        (theirs, "price", "77.5", "dearer than said"),
    ):
        browser.goto(address)
        browser.fill(f"input[name={field}]", value)
        browser.fill("input[name=reason]", why)
        browser.get_by_role("button", name="Preview").click()
        browser.get_by_text("Terms that change").wait_for(state="attached")
    do = f"Amend {receipt.ref}"
    ours.get_by_role("button", name=do).click()
    ours.wait_for_url(f"**/trades/{receipt.ref}/")
    theirs.get_by_role("button", name=do).click()

    theirs.get_by_text("Somebody else was faster").wait_for()
    shown = theirs.inner_text("main")
    assert "You read, version 1" in shown and "Holds now, version 2" in shown
    assert theirs.input_value("input[name=price]") == "77.5"
    assert theirs.input_value("input[name=reason]") == "dearer than said"
    assert TradeVersion.objects.count() == 2
    assert axe_violations(theirs) == []

    # The second takes the first's quantity over and sends the own price again.
    theirs.fill("input[name=quantity]", "12")
    theirs.get_by_role("button", name="Preview").click()
    theirs.get_by_text("Terms that change").wait_for(state="attached")
    theirs.get_by_role("button", name=do).click()
    theirs.wait_for_url(f"**/trades/{receipt.ref}/")
    found = list(TradeVersion.objects.order_by("version").values_list("quantity", "price"))
    assert [(int(q), float(p)) for q, p in found] == [(10, 85.2), (12, 85.2), (12, 77.5)]


def test_a_dialog_cancels_with_a_reason(page, base_url, session_of) -> None:
    desk = make_desk()
    receipt = desk.deal("B 10MW DE base Cal30 @ 85.20")
    browser = open_as(page, desk.trader.user, base_url, session_of)

    browser.goto(f"{base_url}/trades/{receipt.ref}/")
    browser.get_by_role("button", name="Cancel …").click()
    dialog = browser.get_by_role("dialog")
    dialog.wait_for()
    assert axe_violations(browser) == []
    browser.fill("#cancel-reason", "entered twice")
    dialog.get_by_role("button", name=f"Cancel {receipt.ref}").click()
    browser.locator("h1").get_by_text("Cancelled").wait_for()
    assert TradeVersion.objects.latest("version").reason == "entered twice"
