"""Pages of contracts with choices in a browser: value, plan, a nomination; accessible."""

import os

import pytest
from django.urls import reverse
from guardian.shortcuts import assign_perm

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from tests.e2e.axe import look_at
from tests.trading.valuation.structures_desk import (
    EVENING,
    RIGHT,
    STORAGE,
    SWING,
    structure,
    structure_desk,
)
from trading.services.valuation import value_organization

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def test_the_pages_are_accessible_and_a_day_is_nominated(page_as, base_url, monkeypatch) -> None:
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: EVENING)
    desk = structure_desk()
    valued = [desk.deal(deal=structure(one)) for one in (STORAGE, RIGHT)]
    value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=EVENING
    )
    bare = desk.deal(deal=structure(SWING))
    page = page_as(Role.TRADER, organization=desk.organization)
    user = desk.organization.memberships.latest("id").user
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", user, desk.book)
    pages = [reverse("trading:trade", args=[one.ref]) for one in (*valued, bare)]
    pages.append(reverse("trading:nominate", args=[valued[0].ref]))

    problems = {path: look_at(page, base_url + path) for path in pages}
    page.goto(base_url + pages[0])
    page.locator("#id_day").fill("2026-12-01")
    page.locator("#id_quantities").fill("-50")
    page.get_by_role("button", name="Nominate").click()
    page.wait_for_selector("text=2026-12-01 is nominated.")
    panel = page.locator("#structure")
    chart = panel.locator("eop-chart canvas").count()
    words = panel.inner_text()
    if folder := os.environ.get("SCREENSHOTS"):
        for scheme, width in (("light", 1440), ("dark", 1440), ("light", 360)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{base_url}{pages[0]}#structure")
            page.screenshot(path=f"{folder}/store-{scheme}-{width}.png", full_page=True)

    assert not {path: found for path, found in problems.items() if found}
    assert chart
    assert "linear programme" in words
    assert "-50" in words
