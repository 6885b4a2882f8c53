"""A trader signs in and books a deal with keys alone; an officer's open page shows its effect."""

import re

import pytest

from energyopti.accounts.services.roles import synchronize_roles
from tests.e2e.browsers import browser_page
from tests.factories.accounts import PASSWORD
from tests.factories.trades import make_desk
from trading.models import Trade, TradeVersion

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]
LINE = "B 10MW DE base Cal30 @ 85.20 cpty:ACME book:EU"


def test_a_deal_is_booked_with_keys_alone(live_server) -> None:
    synchronize_roles()
    desk = make_desk()
    pressed = 0

    with browser_page() as page:

        def press(key: str) -> None:
            nonlocal pressed
            page.keyboard.press(key)
            pressed += 1

        page.goto(f"{live_server.url}/accounts/login/?next=/trades/new/")
        page.focus("input[name=login]")
        page.keyboard.type(desk.trader.user.email)
        press("Tab")
        page.keyboard.type(PASSWORD)
        press("Enter")
        page.wait_for_url(lambda url: "/accounts/login/" not in url)

        # The caret stands in the box; live findings come while typing.
        assert page.evaluate("document.activeElement.name") == "text"
        page.keyboard.type(LINE.replace("base", "bse"))
        page.get_by_text("Did you mean “base”?").wait_for()
        page.keyboard.press("Control+a")
        page.keyboard.type(LINE)
        page.get_by_text("7,463,520.00 EUR").wait_for()
        press("Enter")  # previews
        page.get_by_role("button", name="Book", exact=True).wait_for()
        assert page.locator("#preview").get_by_text("87,600").count() == 1
        # No curve yet: the reason is asked for, and reached by Tab.
        while page.evaluate("document.activeElement.name") != "reason":
            press("Tab")
            assert pressed < 15
        page.keyboard.type("agreed on the phone")
        press("Enter")  # books
        page.wait_for_url("**/trades/T-*/")
        shown = page.inner_text("main")

        # Shift+Enter previews, then books and keeps what was typed.
        page.goto(f"{live_server.url}/trades/new/")
        page.keyboard.type(LINE.replace("10MW", "11MW"))
        page.get_by_text("8,209,872.00 EUR").wait_for()
        page.keyboard.press("Shift+Enter")
        page.get_by_role("button", name="Book and keep").wait_for()
        while page.evaluate("document.activeElement.name") != "reason":
            press("Tab")
            assert pressed < 25
        page.keyboard.type("by phone")
        page.keyboard.press("Shift+Enter")
        page.get_by_text(re.compile("^T-[0-9]+ is booked")).wait_for()
        assert page.input_value("input[name=text]") == LINE.replace("10MW", "11MW")

        # A form is filled in with keys, within twelve tabs from its first field.
        page.goto(f"{live_server.url}/trades/new/?kind=PHYSICAL_FORWARD")
        tabs = 0
        for name, keys in (
            ("quantity", "5"),
            ("area", "DE"),
            ("period", "Cal30"),
            ("price", "90"),
            ("counterparty", "ACME"),
        ):
            while page.evaluate("document.activeElement.name") != name:
                page.keyboard.press("Tab")
                tabs += 1
                assert tabs <= 12
            page.keyboard.type(keys)
        page.get_by_text("3,942,000.00 EUR").wait_for()

    assert TradeVersion.objects.count() == 2
    version = TradeVersion.objects.earliest("id")
    assert version.reason == "agreed on the phone"
    assert version.text == LINE
    assert Trade.objects.earliest("id").ref in shown
