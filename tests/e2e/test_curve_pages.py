"""Pages of curves in a browser: accessible, quiet, and a curve made and published by keyboard."""

import os
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from tests.e2e.axe import look_at
from tests.factories.accounts import make_organization, make_user
from tests.factories.curves import QUOTES, SYSTEM, four_eyes, quote, three_markets
from trading.models import Compounding, CurveMethod, VolKind
from trading.services.curve_publication import approve_version, submit_version
from trading.services.curves import build_version, edit_node
from trading.services.rates import (
    FxForwardDraft,
    InterestDraft,
    VolDraft,
    book_fx_forwards,
    book_interest,
    book_vols,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]
_SHIFTS = """() => new Promise((done) => {
  let total = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) total += entry.value;
  }).observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(total), 400);
})"""


def curves_of_three_markets() -> None:
    """A smooth curve that waits with an edited node, a flat one, and rates of all three kinds."""
    markets = three_markets()
    close = (timezone.now() - timedelta(hours=1)).replace(microsecond=0)
    for code, market in markets.items():
        quote(market, at=close)
        if code == "PJM":
            continue
        method = CurveMethod.MAXIMUM_SMOOTHNESS if code == "DE" else CurveMethod.FLAT
        version = build_version(
            actor=SYSTEM, definition=four_eyes(market, method), as_of=close, reason="close"
        )
        if code == "DE":
            version = edit_node(
                actor=SYSTEM, version=version, contract="Mar27", load="BASE", price=95.0,
                reason="the broker's screen froze",
            )  # fmt: skip
        submit_version(actor=SYSTEM, version=version)
    on = close.date()
    book_interest(
        actor=SYSTEM, currency="EUR", compounding=Compounding(Compounding.CONTINUOUS),
        drafts=[InterestDraft(on + timedelta(days=90 * n), Decimal("0.02")) for n in range(1, 5)],
        valid_from=close, source="bank",
    )  # fmt: skip
    book_fx_forwards(
        actor=SYSTEM, base="EUR", quote="USD", valid_from=close, source="bank",
        drafts=[
            FxForwardDraft(on + timedelta(days=2 + 90 * n), Decimal("1.1") + n * Decimal("0.003"))
            for n in range(4)
        ],
    )  # fmt: skip
    book_vols(
        actor=SYSTEM, market=markets["DE"], kind=VolKind(VolKind.LOGNORMAL), valid_from=close,
        source="broker",
        drafts=[
            VolDraft(contract, on + timedelta(days=days), Decimal(k), Decimal("0.3") + Decimal(d))
            for contract, days in (("Cal28", 300), ("Cal29", 600))
            for k, d in (("0.8", "0.08"), ("1", "0.04"), ("1.2", "0.06"))
        ],
    )  # fmt: skip


def test_curve_pages_are_accessible_and_do_not_jump(page_as, base_url: str) -> None:
    curves_of_three_markets()
    page = page_as(Role.RISK_OFFICER, organization=make_organization())
    pages = [
        reverse("trading:curves"),
        reverse("trading:curve", args=["DE", "MARK"]),
        reverse("trading:curve", args=["DE", "MARK"]) + "?version=1",
        reverse("trading:curve", args=["GB", "MARK"]),
        reverse("trading:rates"),
        reverse("trading:import_quotes"),
        reverse("trading:define_curve", args=["PJM"]),
    ]

    problems = {path: look_at(page, base_url + path) for path in pages}
    for path in pages:
        for width in (1440, 360):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(base_url + path)
            if (shift := page.evaluate(_SHIFTS)) > 0.05:
                problems[path].append(f"{width} px: layout shift {shift:.3f}")

    if folder := os.environ.get("SCREENSHOTS"):
        for scheme, width in (("light", 1440), ("dark", 1440), ("light", 360)):
            page.emulate_media(color_scheme=scheme)
            for number, path in enumerate(pages):
                page.set_viewport_size({"width": width, "height": 900})
                page.goto(base_url + path)
                page.wait_for_timeout(300)
                page.screenshot(path=f"{folder}/{number}-{scheme}-{width}.png", full_page=True)
    assert {path: found for path, found in problems.items() if found} == {}


def tab_to(page, is_it: str) -> None:
    """Tab until a condition on the focused element `e` holds, as a person without a mouse does."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if page.evaluate(f"(e => {is_it})(document.activeElement)"):
            return
    raise AssertionError(f"no control with {is_it} within 120 tabs")


def press_until(page, text: str) -> None:
    """Tab to the control with a text and press Enter on it."""
    tab_to(page, f"e.textContent.trim() === {text!r}")
    page.keyboard.press("Enter")


def type_into(page, name: str, text: str) -> None:
    """Tab on to the field of a name, in the form that comes next, and type."""
    tab_to(page, f"e.name === {name!r}")
    page.keyboard.type(text)


def test_a_curve_is_edited_and_published_by_two_keyboards(page_as, base_url: str) -> None:
    market = three_markets()["DE"]
    close = timezone.now() - timedelta(hours=1)
    quote(market, at=close - timedelta(days=1))
    organization, address = make_organization(), reverse("trading:curve", args=["DE", "MARK"])
    definition = four_eyes(market)
    yesterday = build_version(actor=SYSTEM, definition=definition, as_of=close - timedelta(days=1))
    submit_version(actor=SYSTEM, version=yesterday)
    officer = Actor.for_user(make_user(Role.RISK_OFFICER, organization=organization))
    approve_version(actor=officer, version=yesterday)
    quote(market, {**QUOTES["DE"], ("Jan27", "BASE"): "103.25"}, at=close)
    page = page_as(Role.TRADER, path=address, organization=organization)

    press_until(page, "Build from the latest quotes")
    page.wait_for_url("**version=2")
    shown = page.inner_text("main")
    # Quotes beside the curve, the conflict with its amount, and yesterday's curve beside today's.
    assert "BASE of v1" in page.content() and "101.75" in page.content()
    assert "Built from" in shown and "Cal27" in shown and "Conflict" in shown
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Jan27")).first
    assert "103.25" in row.inner_text()
    type_into(page, "contract", "Mar27")
    type_into(page, "price", "95")
    type_into(page, "reason", "the screen of the broker froze")
    page.keyboard.press("Enter")
    page.wait_for_url("**version=3")
    assert "the screen of the broker froze" in page.inner_text("main")
    press_until(page, "Submit for approval")
    page.wait_for_selector("text=waits for approval")
    page_as(Role.RISK_OFFICER, path=address + "?version=3", organization=organization)
    type_into(page, "reason", "agrees with the sheet")
    press_until(page, "Approve and publish")
    page.wait_for_selector("text=Version 3 is decided.")
    press_until(page, "Build again and compare")
    page.wait_for_selector("text=The same.")

    assert "Published" in page.inner_text("main")
    assert [v.status for v in definition.versions.order_by("number")] == [
        "PUBLISHED", "DRAFT", "PUBLISHED",
    ]  # fmt: skip
