"""From the blotter to a booked option, and to its exercise, with keys alone."""

from typing import Any

import pytest
from django.conf import settings

from tests.factories.trades import make_desk
from tests.trading.valuation.options_desk import index_in
from trading.models import OptionOutcome, Trade, TradeVersion

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]
FOCUS = """() => {
  const element = document.activeElement, style = getComputedStyle(element);
  return {
    name: element === document.body ? ''
      : element.matches('a, button') ? element.innerText.trim() : element.name || '',
    described: (element.getAttribute('aria-describedby') || '').split(' ')
      .map((id) => document.getElementById(id)?.innerText || '').join(' '),
    invalid: element.getAttribute('aria-invalid'),
    shown: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
  };
}"""


def tab_to(page: Any, name: str) -> dict[str, Any]:
    """Press Tab up to the control of a name or words; the focus must be seen all the way."""
    for _ in range(80):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus["name"] != "":
            assert focus["shown"], f"the focus on “{focus['name']}” is not to be seen"
        if focus["name"] == name:
            return focus
    raise AssertionError(f"80 tabs do not lead to “{name}”")


def test_an_option_is_booked_and_exercised_with_keys_alone(page, base_url, session_of) -> None:
    desk = make_desk()
    index_in(desk.market, "EPEX-DE-DA")
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session_of(desk.trader.user)}
    page.context.add_cookies([{**cookie, "url": base_url}])
    keys = page.keyboard

    page.goto(f"{base_url}/trades/")
    tab_to(page, "New deal")
    keys.press("Enter")
    page.wait_for_url("**/trades/new/")
    tab_to(page, "Option")
    keys.press("Enter")
    page.wait_for_url("**kind=OPTION")
    typed = {
        "style": "American", "quantity": "10", "area": "DE", "period": "Cal30",
        "index": "EPEX", "expiry": "12102029", "settlement": "Physical", "counterparty": "ACME",
    }  # fmt: skip
    for name, text in typed.items():
        tab_to(page, name)
        keys.type(text)
        if name == "expiry":
            keys.press("Tab")  # from the year to the hour
            keys.type("1200PM")
    tab_to(page, "Preview")
    keys.press("Enter")

    # The strike was left out: the page says so at its field.
    page.get_by_role("alert").wait_for()
    refused = tab_to(page, "strike")
    assert refused["invalid"] == "true"
    assert "required" in refused["described"].lower()
    keys.type("90")
    tab_to(page, "reason")
    keys.type("agreed on the phone")
    keys.press("Enter")  # previews
    page.get_by_role("button", name="Book", exact=True).wait_for()
    tab_to(page, "Book")
    keys.press("Enter")
    page.wait_for_url("**/trades/T-*/")
    tab_to(page, "Exercise")
    keys.press("Enter")
    page.wait_for_url("**/exercise/")
    booked = TradeVersion.objects.get()
    tab_to(page, f"Exercise {booked.trade.ref}")
    keys.press("Enter")
    page.wait_for_url(f"**/trades/{booked.trade.ref}/")

    outcome = OptionOutcome.objects.get()
    assert outcome.result is not None
    assert Trade.objects.get(pk=outcome.result_id).product_kind == "PHYSICAL_FORWARD"
