"""The ticket of every product, the trade's page and its verbs: light, dark, on a phone; by axe."""

import re

import pytest
from django.conf import settings

from tests.e2e.axe import axe_violations, look_at, overflow_width
from tests.factories.trades import RECEIVED_AT, deal_of_words, make_desk
from trading.services.capture import save_draft
from trading.services.lifecycle import amend_trade
from trading.web.product_forms import FORMS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]
DEAL = "B 10MW DE base Cal30 @ 85.20"


@pytest.fixture
def desk(page, base_url, session_of):
    """A desk whose trader the page is signed in as."""
    desk = make_desk()
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session_of(desk.trader.user)}
    page.context.add_cookies([{**cookie, "url": base_url}])
    return desk


def test_every_ticket_is_fit_to_be_used(desk, page, base_url) -> None:
    found = {form.kind: look_at(page, f"{base_url}/trades/new/?kind={form.kind}") for form in FORMS}
    page.set_viewport_size({"width": 1280, "height": 900})
    for form in FORMS:
        page.goto(f"{base_url}/trades/new/?kind={form.kind}")
        if excess := overflow_width(page):
            found[form.kind].append(f"1280 px: {excess} px too wide")
    assert {kind: problems for kind, problems in found.items() if problems} == {}


def test_a_trade_and_its_verbs_are_fit_to_be_used(desk, page, base_url) -> None:
    receipt = desk.deal(DEAL)
    amend_trade(
        actor=desk.trader, ref=receipt.ref, expected_version=1, reason="more",
        deal=deal_of_words("B 12MW DE base Cal30 @ 84"), received_at=RECEIVED_AT,
    )  # fmt: skip
    save_draft(
        actor=desk.trader, deal=deal_of_words(DEAL), book_id=desk.book.pk,
        counterparty_id=desk.counterparty.pk, traded_at=RECEIVED_AT, received_at=RECEIVED_AT,
    )  # fmt: skip
    base = f"{base_url}/trades/"
    verbs = ("amend/", "correct/", "novate/", "terminate/", "cancel/", "")
    found = {verb: look_at(page, f"{base}{receipt.ref}/{verb}") for verb in verbs}
    found["waiting"] = look_at(page, f"{base}waiting/")
    assert {path: problems for path, problems in found.items() if problems} == {}


def test_a_previewed_ticket_and_a_refused_one_are_fit_to_be_used(desk, page, base_url) -> None:
    for line, words in (
        (f"{DEAL} cpty:ACME book:EU", re.compile("Hours")),
        ("B 10MW DE bse Cal30 @ 1", re.compile("Did you mean")),
    ):
        page.goto(f"{base_url}/trades/new/")
        page.fill("input[name=text]", line)
        page.locator("#preview").get_by_text(words).first.wait_for()
        page.get_by_role("button", name="Preview").click()
        page.locator("#preview section").wait_for()
        assert axe_violations(page) == []
