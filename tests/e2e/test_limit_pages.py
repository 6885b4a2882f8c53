"""Limits, breaches, correlations and the risk page in a browser, light, dark and narrow."""

import os
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from guardian.shortcuts import assign_perm

from energyopti.accounts.roles import Role
from energyopti.foundation import clock
from risk.enums import LimitMeasure
from risk.models import LimitBreach
from risk.services.limits import propose_increase
from tests.e2e.axe import look_at
from tests.factories.risk import hold
from tests.risk.test_runs import desk_with_trades

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def test_pages_of_limits_breaches_and_correlations_are_accessible(page_as, base_url) -> None:
    desk = desk_with_trades()
    limit = hold(desk, 1)
    hold(desk, 500, measure=LimitMeasure.NET_VOLUME, unit="MW", market="DE")
    desk.deal("B 5MW DE base Cal27 @ 80", fill=True, actor=desk.again(desk.trader))
    now = clock.now()
    propose_increase(
        actor=desk.again(desk.officer), limit_id=limit.pk, amount=Decimal(1000), reason="year end",
        start_at=now, end_at=now + timedelta(days=2), at=now,
    )  # fmt: skip
    page = page_as(Role.RISK_OFFICER, organization=desk.organization)
    assign_perm("trading.view_book", desk.organization.memberships.latest("id").user, desk.book)
    pages = {
        "home": reverse("risk:home"),
        "limits": reverse("risk:limits"),
        "propose": reverse("risk:propose_limit"),
        "limit": reverse("risk:limit", args=[limit.pk]),
        "breaches": reverse("risk:breaches"),
        "breach": reverse("risk:breach", args=[LimitBreach.objects.latest("id").pk]),
        "correlations": reverse("risk:correlations"),
        "stress": reverse("risk:stress"),
    }

    problems = {name: look_at(page, base_url + path) for name, path in pages.items()}
    if folder := os.environ.get("SCREENSHOTS"):
        for scheme, width in (("light", 1440), ("dark", 1440), ("light", 360)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            for name, path in pages.items():
                page.goto(f"{base_url}{path}")
                page.screenshot(path=f"{folder}/{name}-{scheme}-{width}.png", full_page=True)

    assert not {name: found for name, found in problems.items() if found}
