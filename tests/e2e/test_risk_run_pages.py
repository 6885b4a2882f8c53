"""Risk runs in a browser: asked for there, read down to a scenario, and accessible."""

import os

import pytest
from django.urls import reverse
from guardian.shortcuts import assign_perm

from energyopti.accounts.roles import Role
from risk.models import RiskRun, RunKind, RunMethod
from risk.queries.run_terms import RunTerms
from risk.queries.runs import pnl_of_trades
from risk.services.runs import ask_risk_run, make_run
from tests.e2e.axe import look_at
from tests.risk.test_runs import SYSTEM, desk_with_trades

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def made(desk, method: RunMethod) -> RiskRun:
    run = ask_risk_run(
        actor=desk.again(desk.officer), book_id=desk.book.pk,
        terms=RunTerms(method=method, paths=2000), kind=RunKind.AD_HOC,
    )  # fmt: skip
    make_run(actor=SYSTEM, run_id=run.pk)
    return RiskRun.objects.select_related("outcome").get(pk=run.pk)


def test_a_run_is_asked_for_and_all_its_pages_are_accessible(page_as, base_url) -> None:
    desk = desk_with_trades()
    made(desk, RunMethod.HISTORICAL)
    run, simulated = made(desk, RunMethod.HISTORICAL), made(desk, RunMethod.MONTE_CARLO)
    parametric = made(desk, RunMethod.DELTA_NORMAL)
    ref = next(iter(pnl_of_trades(run.outcome)))
    page = page_as(Role.RISK_OFFICER, organization=desk.organization)
    assign_perm("trading.view_book", desk.organization.memberships.latest("id").user, desk.book)
    pages = {
        "runs": reverse("risk:runs"),
        "run": reverse("risk:run", args=[run.pk]) + "?by=MONTH",
        "monte-carlo": reverse("risk:run", args=[simulated.pk]),
        "parametric": reverse("risk:run", args=[parametric.pk]),
        "component": reverse("risk:run-component", args=[run.pk]) + "?by=MARKET&key=DE",
        "trade": reverse("risk:run-trade", args=[run.pk, ref]),
        "scenario": reverse("risk:run-scenario", args=[run.pk, 3]),
        "compare": reverse("risk:run-compare", args=[run.pk]),
    }

    problems = {name: look_at(page, base_url + path) for name, path in pages.items()}
    if folder := os.environ.get("SCREENSHOTS"):
        for scheme, width in (("light", 1440), ("dark", 1440), ("light", 360)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            for name, path in pages.items():
                page.goto(f"{base_url}{path}")
                page.screenshot(path=f"{folder}/{name}-{scheme}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(base_url + pages["runs"])
    page.get_by_label("Confidences in %").fill("99.5")
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/risk/runs/*-*/")

    assert not {name: found for name, found in problems.items() if found}
    latest = RiskRun.objects.latest("requested_at")
    assert [str(one) for one in latest.confidences] == ["0.99500"]
