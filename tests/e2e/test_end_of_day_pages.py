"""Pages of the end of day and of P&L in a browser: accessible on desk and phone, and clicked."""

import os
from datetime import UTC, datetime, time
from decimal import Decimal

import pytest
from django.urls import reverse

import trading.tasks  # noqa: F401  (the server of the test is its own worker)
from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from tests.e2e.axe import look_at
from tests.factories.accounts import make_user
from tests.factories.curves import quote
from tests.factories.trades import RECEIVED_AT, deal_of_words
from tests.trading.valuation.desk import publish, valued_desk
from trading.models import EndOfDay
from trading.services.closing_times import ClosingTerms, set_closing_time
from trading.services.end_of_day import (
    restate_end_of_day,
    run_end_of_day,
    sign_end_of_day,
    start_end_of_day,
)
from trading.services.lifecycle import amend_trade
from trading.services.pnl import ask_adjustment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def closed_days():
    """Thursday signed and restated, Friday waits for its sign-off with findings."""
    desk = valued_desk()
    second = Actor.for_user(make_user(Role.RISK_OFFICER, organization=desk.organization))
    system = Actor.system("test")
    set_closing_time(
        actor=desk.officer, organization_id=desk.organization.pk, terms=ClosingTerms("DE", time(18))
    )
    receipt = desk.deal("B 10MW DE base Cal27 @ 85.20")
    for day, price in ((19, "90.00"), (20, "91.00")):
        publish(desk.market, {"Cal27": price, "Cal27 PEAK": "110.00"}, at=at(day, 16))
        if day == 20:
            quote(desk.market, {("Q1-27", "BASE"): "99.00"}, at=at(day, 16), source="broker")
            desk.deal("B 1MW DE base Cal27 @ 90.50", traded_at=at(19, 10))
            desk.deal("S 4MW DE peak Cal27 @ 111.50", traded_at=at(20, 10))
        row = start_end_of_day(
            actor=desk.officer, organization_id=desk.organization.pk, day=at(day, 0).date(),
            as_of=at(day, 17), asked_at=at(day, 18),
        )  # fmt: skip
        run_end_of_day(actor=system, end_of_day_id=row.pk)
        if day == 19:
            sign_end_of_day(
                actor=second, end_of_day_id=row.pk, signed_at=at(day, 18), reason="seen"
            )
    amend_trade(
        actor=desk.trader, ref=receipt.ref, expected_version=1, received_at=RECEIVED_AT,
        deal=deal_of_words("B 12MW DE base Cal27 @ 85.20"), reason="two more",
    )  # fmt: skip
    thursday = EndOfDay.objects.get(day=at(19, 0).date())
    again = restate_end_of_day(
        actor=desk.officer, end_of_day_id=thursday.pk, reason="two more were agreed"
    )
    run_end_of_day(actor=system, end_of_day_id=again.pk)
    ask_adjustment(
        actor=desk.trader, book_id=desk.book.pk, day=at(20, 0).date(), amount=Decimal(-250),
        reason="broker's statement",
    )  # fmt: skip
    return desk


def test_the_pages_are_accessible_and_a_day_is_signed_and_proved(page_as, base_url: str) -> None:
    desk = closed_days()
    thursday, friday = EndOfDay.objects.filter(is_restatement=False).order_by("day")
    page = page_as(Role.RISK_OFFICER, organization=desk.organization)
    pages = [
        reverse("trading:end_of_days"),
        reverse("trading:end_of_day", args=[thursday.pk]),
        reverse("trading:end_of_day", args=[friday.pk]),
        reverse("trading:closing_time"),
        reverse("trading:pnl") + "?date=2026-11-20",
        reverse("trading:pnl") + "?date=2026-11-20&period=MTD",
    ]

    problems = {path: look_at(page, base_url + path) for path in pages}
    if folder := os.environ.get("SCREENSHOTS"):
        for scheme, width in (("light", 1440), ("dark", 1440), ("light", 360)):
            page.emulate_media(color_scheme=scheme)
            for number, path in enumerate(pages):
                page.set_viewport_size({"width": width, "height": 900})
                page.goto(base_url + path)
                page.wait_for_timeout(300)
                page.screenshot(path=f"{folder}/eod-{number}-{scheme}-{width}.png", full_page=True)
        page.set_viewport_size({"width": 1440, "height": 900})
    assert {path: found for path, found in problems.items() if found} == {}

    page.goto(base_url + pages[2])
    page.get_by_label("Why sign with").fill("the broker quotes the old contract")
    page.get_by_role("button", name="Sign off 20 Nov 2026").click()
    page.wait_for_selector("text=The day is signed off.")
    page.get_by_role("button", name="Compute again and compare").click()
    page.get_by_role("link", name="Open the result").click()
    page.wait_for_selector("#proof >> text=the same")
    friday.refresh_from_db()
    assert friday.state == "SIGNED"
    assert friday.proofs.get().result_hash == friday.run.result_hash
