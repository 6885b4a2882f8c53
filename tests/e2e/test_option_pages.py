"""Pages of options in a browser: models, an option's value and Greeks, its preview; accessible."""

import os
from dataclasses import replace
from decimal import Decimal

import pytest
from django.urls import reverse
from guardian.shortcuts import assign_perm

from energyopti.accounts.roles import Role
from energyopti.foundation.calendars import DatePeriod
from tests.e2e.axe import look_at
from tests.factories.trades import make_market
from tests.trading.valuation.options_desk import (
    CALL,
    EVENING,
    INDEX,
    TERMS_OF_SPREAD,
    option,
    option_desk,
)
from trading.deals import OptionStyle, OptionType
from trading.services.pricing_models import propose_model

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def test_the_pages_are_accessible_and_a_model_is_approved(page_as, base_url, monkeypatch) -> None:
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: EVENING)
    desk = option_desk()
    make_market("FR", time_zone="Europe/Paris")
    propose_model(actor=desk.officer, terms=TERMS_OF_SPREAD, reason="two years of history")
    strip = desk.deal(deal=option(option_type=OptionType.CAP))
    far = replace(CALL.schedule, period=DatePeriod.months(2030, 1, 3))
    unvalued = desk.deal(deal=option(schedule=far))
    early = desk.deal(deal=option(style=OptionStyle.AMERICAN))
    calendar = desk.deal(deal=option(
        option_type=OptionType.SPREAD_CALL, underlying=(INDEX, INDEX), ratio=Decimal("1.25"),
        second_period=DatePeriod.months(2027, 7, 3), strikes=(Decimal(5),), cost=Decimal(2),
    ))  # fmt: skip
    page = page_as(Role.RISK_OFFICER, organization=desk.organization)
    user = desk.organization.memberships.latest("id").user
    assign_perm("trading.view_book", user, desk.book)
    pages = [
        reverse("trading:pricing_models"),
        reverse("trading:propose_pricing_model"),
        reverse("trading:trade", args=[strip.ref]),
        reverse("trading:trade", args=[unvalued.ref]),
        reverse("trading:trade", args=[early.ref]),
        reverse("trading:trade", args=[calendar.ref]),
        reverse("trading:option_deltas"),
    ]

    problems = {path: look_at(page, base_url + path) for path in pages}
    page.goto(base_url + pages[0])
    page.get_by_role("button", name="Approve").click()
    page.wait_for_selector("text=is approved")
    page.goto(base_url + pages[2])
    panel = page.locator("#option-value").inner_text()
    if folder := os.environ.get("SCREENSHOTS"):
        for scheme, width in (("light", 1440), ("dark", 1440), ("light", 360)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            for name, path in (
                ("models", pages[0]),
                ("option", pages[2]),
                ("american", pages[4]),
                ("calendar", pages[5]),
            ):
                page.goto(f"{base_url}{path}#option-value")
                page.screenshot(path=f"{folder}/{name}-{scheme}-{width}.png", full_page=True)

    assert not {path: found for path, found in problems.items() if found}
    assert "Trade to hedge" in panel or "TRADE TO HEDGE" in panel.upper()
