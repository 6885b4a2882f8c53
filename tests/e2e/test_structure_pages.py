"""Pages of contracts with choices in a browser: value, plan, a nomination; accessible."""

import os

import pytest
from django.urls import reverse
from guardian.shortcuts import assign_perm

import trading.tasks  # noqa: F401  # the server of the test is its own worker
from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from tests.e2e.axe import axe_violations, look_at, overflow_width, small_targets
from tests.trading.valuation.structures_desk import (
    EVENING,
    RIGHT,
    STORAGE,
    SWING,
    structure,
    structure_desk,
)
from trading.services.valuation import value_organization
from trading.web.product_forms import form_of_deal

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
    said = page.locator("#days").inner_text()
    # Taken back by keyboard alone, at the width of a phone.
    page.set_viewport_size({"width": 360, "height": 740})
    page.get_by_role("button", name="Take back 1 Dec 2026").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("text=2026-12-01 is taken back")
    gone = page.locator("#days").inner_text()
    page.locator("#id_quantities").fill("-121")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=at most 120 can be injected")
    refused = look_now(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(base_url + pages[0])
    page.get_by_role("button", name="Value now").click()
    page.wait_for_url("**/jobs/**")
    page.goto(base_url + pages[0])
    panel = page.locator("#structure")
    chart = panel.locator("eop-chart canvas").count()
    words = panel.inner_text()
    if folder := os.environ.get("SCREENSHOTS"):
        for scheme, width in (("light", 1440), ("dark", 1440), ("light", 360)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{base_url}{pages[0]}#structure")
            page.screenshot(path=f"{folder}/store-{scheme}-{width}.png", full_page=True)
        page.goto(base_url + pages[-1])
        page.screenshot(path=f"{folder}/nominate-360.png", full_page=True)

    assert not {path: found for path, found in problems.items() if found}
    assert chart
    assert "linear programme" in words
    assert "By revaluation" in words
    assert "at a kink" in words
    assert "-50" in said
    assert "-50" not in gone
    assert not refused


def test_the_ticket_shows_the_value_before_booking(page_as, base_url, monkeypatch) -> None:
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: EVENING)
    desk = structure_desk()
    page = page_as(Role.TRADER, organization=desk.organization)
    user = desk.organization.memberships.latest("id").user
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", user, desk.book)
    deal = structure(STORAGE)
    form = form_of_deal(deal)
    page.goto(f"{base_url}{reverse('trading:ticket')}?kind={form.kind}")
    said = {**form.initial_of(deal), "counterparty": "ACME", "book": "EU"}
    for name, value in said.items():
        control = page.locator(f"#ticket [name={name}]")
        if not control.count() or value in (None, ""):
            continue
        if control.evaluate("control => control.tagName") == "SELECT":
            control.select_option(str(value))
        else:
            control.fill(str(value))

    # Typing alone brings the preview, and the preview its value.
    page.wait_for_selector("#structure-preview >> text=linear programme", timeout=60_000)
    typed = page.locator("#preview").inner_text()
    problems = look_now(page)
    page.set_viewport_size({"width": 360, "height": 740})
    narrow = look_now(page)
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/ticket-360.png", full_page=True)
        page.set_viewport_size({"width": 1440, "height": 900})
        page.screenshot(path=f"{folder}/ticket-1440.png", full_page=True)

    assert "Working volume" in typed
    assert "Cycles of the working volume" in typed
    assert not problems
    assert not narrow


def look_now(page) -> list[str]:
    """Return what is wrong with the page as it stands."""
    wide = overflow_width(page)
    return [*axe_violations(page), *([f"{wide} px too wide"] if wide else []), *small_targets(page)]
