"""Pages of hedge targets in a browser: accessible on desk and phone, a target set after a look."""

import os
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from energyopti.accounts.roles import Role
from tests.e2e.axe import PHONE, axe_violations, look_at, overflow_width, small_targets
from tests.factories.trades import make_desk
from trading.hedging import HedgeTerms
from trading.models import HedgeTarget
from trading.services.hedging import set_hedge_targets

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def test_the_pages_are_accessible_and_a_target_is_set(page_as, base_url: str) -> None:
    desk = make_desk()
    desk.deal("S 5MW DE base Cal27 @ 85.20")
    for month, ratio in ((1, "60"), (2, "20"), (3, "50")):
        day = date(2027, month, 1)
        set_hedge_targets(
            actor=desk.officer, book_id=desk.book.pk, market="DE", first=day, last=day,
            terms=HedgeTerms(Decimal(7440), Decimal(ratio), Decimal(5)), expected_revision=0,
            reason="hedging policy 2027",
        )  # fmt: skip
    page = page_as(Role.RISK_OFFICER, organization=desk.organization)
    pages = [
        reverse("trading:hedge_targets") + "?year=2027",
        reverse("trading:hedge_targets") + "?year=2031",
        reverse("trading:hedge_target", args=[desk.book.pk, "DE", "2027-03"]),
        reverse("trading:set_hedge_targets"),
    ]

    problems = {path: look_at(page, base_url + path) for path in pages}
    page.goto(base_url + pages[3])
    page.get_by_label("First month").fill("2027-04")
    page.get_by_label("Last month").fill("2027-06")
    page.get_by_label("Own volume a month, MWh").fill("7200")
    page.get_by_label("Target ratio, %").fill("60")
    page.get_by_label("Tolerance, points").fill("5")
    page.get_by_label("Reason").fill("policy of the second quarter")
    page.get_by_role("button", name="Preview").click()
    page.wait_for_selector("text=Set 3 months")
    # A preview has no address to open again.
    problems["preview"] = axe_violations(page)
    page.set_viewport_size(PHONE)
    problems["preview, 360 px"] = [*axe_violations(page), *small_targets(page)]
    problems["preview, too wide"] = [str(overflow_width(page))] if overflow_width(page) else []
    if folder := os.environ.get("SCREENSHOTS"):
        for scheme, width in (("light", 1440), ("dark", 1440), ("light", 360)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=f"{folder}/hedge-preview-{scheme}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Set 3 months").click()
    page.wait_for_selector("text=The target of 3 months is set.")
    if folder:
        for scheme, width in (("light", 1440), ("dark", 1440), ("light", 360)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            for number, path in enumerate(pages):
                page.goto(base_url + path)
                page.screenshot(
                    path=f"{folder}/hedge-{number}-{scheme}-{width}.png", full_page=True
                )
    assert {path: found for path, found in problems.items() if found} == {}
    assert HedgeTarget.objects.count() == 6
