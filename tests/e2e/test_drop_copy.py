"""The inbox of a drop copy in a browser: accessible, and a fill assigned and booked there."""

import os

import pytest
from django.urls import reverse
from guardian.shortcuts import assign_perm

from energyopti.accounts.models import User
from energyopti.accounts.roles import Role
from tests.e2e.axe import look_at
from tests.factories.trades import make_desk
from tests.trading.fix.reports import fill
from tests.trading.fix.test_booking import take
from tests.trading.fix.venues import make_venue
from trading.models import DropCopyMessage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def test_what_waits_is_found_assigned_and_booked(page_as, base_url: str) -> None:
    desk = make_desk()
    venue = make_venue(desk)
    take(venue, fill(2, "E1"))
    take(venue, fill(3, "C1", t150="H", t19="E1"))
    take(venue, fill(4, "E2", t1="ACC9"))
    take(venue, fill(5, "E3", t55="NOPE"))
    page = page_as(Role.TRADER, organization=desk.organization)
    for user in User.objects.filter(groups__name=Role.TRADER):
        for level in ("view_book", "trade_book"):
            assign_perm(f"trading.{level}", user, desk.book)
    waiting = DropCopyMessage.objects.get(exec_id="E2")
    address = base_url + reverse("trading:drop_copy_message", args=[waiting.pk])
    inbox = base_url + reverse("trading:drop_copy")

    problems = {path: look_at(page, path) for path in (inbox, address)}
    if folder := os.environ.get("SCREENSHOTS"):
        for scheme, width in (("light", 1440), ("dark", 1440), ("light", 360)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            for name, path in (("inbox", inbox), ("message", address)):
                page.goto(path)
                page.screenshot(path=f"{folder}/fx-{name}-{scheme}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(inbox + "?state=WAITING")
    page.get_by_role("link", name=str(waiting.pk), exact=True).click()
    page.get_by_label("Book", exact=False).first.select_option(label="EU, EU power")
    page.get_by_role("button", name="Book", exact=True).click()

    page.get_by_text("is booked.").wait_for()
    waiting.refresh_from_db()
    assert waiting.state == "BOOKED" and waiting.trade_ref
    assert {path: found for path, found in problems.items() if found} == {}
