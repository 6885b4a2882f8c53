"""The open blotter in a browser: live rows, the chip, sums, tag and undo; the heat map; axe."""

import pytest
from django.test import Client

from energyopti.accounts.services.roles import synchronize_roles
from tests.e2e.axe import axe_violations, overflow_width, small_targets
from tests.e2e.browsers import browser_page
from tests.e2e.serving import in_a_thread, served
from tests.factories.trades import RECEIVED_AT, deal_of_words, make_desk
from trading.models import Trade
from trading.services.lifecycle import amend_trade

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def signed_in(desk) -> str:
    client = Client()
    client.force_login(desk.trader.user)
    return client.cookies["sessionid"].value


def test_the_open_blotter_follows_the_desk_and_keeps_the_selection() -> None:
    synchronize_roles()
    desk = make_desk()
    first = desk.deal("B 10MW DE base Cal27 @ 85")
    desk.deal("S 4MW DE base Cal27 @ 90")

    with served() as base, browser_page() as page:
        page.context.add_cookies([{"name": "sessionid", "value": signed_in(desk), "url": base}])
        page.goto(f"{base}/trades/")
        page.locator("live-feed[data-state=live]").wait_for()
        row = page.locator(f'tr[data-row="{first.trade_id}"]')
        for _ in range(2):
            page.keyboard.press("j")
        page.keyboard.press("x")
        page.locator(".sums").get_by_text("+87,600.0 MWh").wait_for()

        def change() -> None:
            desk.deal("B 1MW DE base Cal28 @ 80", actor=desk.again(desk.trader))
            amend_trade(
                actor=desk.again(desk.trader), ref=first.ref, expected_version=1,
                deal=deal_of_words("B 12MW DE base Cal27 @ 86"), received_at=RECEIVED_AT,
                reason="the client asked",
            )  # fmt: skip

        in_a_thread(change)
        page.locator("[data-news-link]", has_text="1 new").wait_for()
        row.get_by_text("86.00").wait_for()

        # The standard columns fit; those that give way are named.
        page.locator(".narrow-note").wait_for()
        assert page.locator(".table-wrap").evaluate("e => e.scrollWidth <= e.clientWidth")
        # Nothing has moved: two rows as before, the changed one is still selected, the sums follow.
        assert page.locator("data-table tbody tr").count() == 2
        assert row.locator("input[name=select]").is_checked()
        page.locator(".sums").get_by_text("+105,120.0 MWh").wait_for()
        page.locator("[data-news-link]").click()
        page.wait_for_function("document.querySelectorAll('data-table tbody tr').length === 3")

        page.keyboard.press("j")
        page.keyboard.press("x")
        page.get_by_role("button", name="Tag …", exact=True).click()
        page.get_by_label("Tag").fill("hedge")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Undo").wait_for()
        assert "hedge" in page.locator("data-table").inner_text()
        look(page, "blotter after tagging")
        page.get_by_role("button", name="Undo").click()
        page.get_by_text("Undone: took").wait_for()
        assert "hedge" not in page.locator("data-table").inner_text()

        page.wait_for_load_state("networkidle")  # a request cut off would keep its connection
        page.goto(f"{base}/positions/heat/?date=2027-03-01")
        look(page, "heat map")
        page.locator("table.heat td a").first.focus()
        page.keyboard.press("Enter")
        page.get_by_text("Adds, MWh").first.wait_for()
        look(page, "cell")
        page.wait_for_load_state("networkidle")

    assert Trade.objects.filter(tags=["hedge"]).count() == 0


def look(page, name: str) -> None:
    """Hold a page to axe and to a phone's width, light and dark."""
    for width, scheme in ((1440, "light"), (360, "dark")):
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        assert axe_violations(page) == [], (name, width, scheme)
        assert overflow_width(page) == 0, (name, width, scheme)
        assert small_targets(page) == [], (name, width, scheme)
    page.set_viewport_size({"width": 1440, "height": 800})
    page.emulate_media(color_scheme="light")
