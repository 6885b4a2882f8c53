"""Price processes in a browser: approved there, the time value that follows, and accessible."""

import os
from datetime import timedelta

import pytest
from django.urls import reverse
from guardian.shortcuts import assign_perm

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from tests.e2e.axe import look_at
from tests.factories.trading import make_prices
from tests.trading.valuation.structures_desk import EVENING, STORAGE, structure, structure_desk
from trading.models import CalibrationBasis, Market, PriceProcess, ProcessKind
from trading.pricing import MeanRevertingSpot
from trading.services.calibrations import CalibrationTerms, calibrate
from trading.services.locks import server_time
from trading.services.price_processes import propose_calibrated
from trading.services.valuation import value_organization

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def fitted(desk):
    """A hundred gas days of prices, and the fit of a process to them."""
    import numpy as np

    market = Market.objects.get(code="TTF")
    until = market.calendar.date_of(EVENING) - timedelta(days=1)
    first = until - timedelta(days=99)
    days = MeanRevertingSpot(20.0, 1.2, is_lognormal=True).simulate(
        times=(np.arange(100) + 1) / 365, curve=30.0, scenarios=1,
        generator=np.random.default_rng(4), antithetic=False,
    )  # fmt: skip
    values = []
    for n, price in enumerate(days.spot[0].tolist()):
        hours = market.calendar.day(first + timedelta(days=n)).hours
        values += [f"{price:.2f}"] * int(hours * 60 // market.period_minutes)
    make_prices(market, market.calendar.day(first).start, values, received_at=EVENING)
    terms = CalibrationTerms(
        "TTF", ProcessKind.SPOT_LOGNORMAL, CalibrationBasis.FIXINGS, until, first_date=first
    )
    return calibrate(actor=desk.officer, terms=terms, as_of=EVENING, known_at=server_time())


def test_a_process_is_seen_approved_and_gives_the_store_its_time_value(
    page_as, base_url, monkeypatch
) -> None:
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: EVENING)
    desk = structure_desk()
    held = desk.deal(deal=structure(STORAGE))
    fit = fitted(desk)
    propose_calibrated(actor=desk.officer, calibration_id=fit.pk, reason="a hundred days")
    page = page_as(Role.RISK_OFFICER, organization=desk.organization)
    assign_perm("trading.view_book", desk.organization.memberships.latest("id").user, desk.book)
    processes = reverse("trading:price_processes")
    trade = reverse("trading:trade", args=[held.ref])

    page.goto(base_url + processes)
    page.get_by_role("button", name="Approve").click()
    page.wait_for_selector("text=is approved")
    assert PriceProcess.objects.get().status == "APPROVED"
    value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=EVENING
    )
    pages = [
        processes,
        reverse("trading:calibrate_process"),
        reverse("trading:propose_price_process"),
        reverse("trading:process_calibration", args=[fit.pk]),
        trade,
    ]
    problems = {path: look_at(page, base_url + path) for path in pages}
    page.goto(base_url + trade)
    panel = page.locator("#structure").inner_text()
    if folder := os.environ.get("SCREENSHOTS"):
        for scheme, width in (("light", 1440), ("dark", 1440), ("light", 360)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            for name, path in (("processes", pages[0]), ("fit", pages[3]), ("store", trade)):
                page.goto(f"{base_url}{path}")
                page.screenshot(path=f"{folder}/{name}-{scheme}-{width}.png", full_page=True)

    assert not {path: found for path, found in problems.items() if found}
    assert "Time value of the choices" in panel
    assert "least-squares Monte Carlo" in panel
