"""Scenarios and stresses in a browser: approved, compared and run there, and accessible."""

import os

import pytest
from django.urls import reverse
from guardian.shortcuts import assign_perm

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from risk.models import ScenarioDefinition, ScenarioSet, StressScenario, Weighting
from risk.services.scenario_comparisons import compare
from risk.services.scenario_definitions import DefinitionTerms, propose_definition
from risk.services.snapshots import build_snapshot
from risk.services.stress_runs import run_stresses
from risk.services.stresses import decide_stress, propose_library
from tests.e2e.axe import look_at
from tests.factories.accounts import make_user
from tests.factories.risk import curve, quote_history
from tests.factories.trades import TRADED_AT, make_desk

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def test_a_definition_is_approved_and_all_pages_are_accessible(
    page_as, base_url, monkeypatch
) -> None:
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: TRADED_AT)
    desk = make_desk()
    quote_history(desk.market)
    curve(desk.market)
    build_snapshot(actor=Actor.system("test"), valued_at=TRADED_AT)
    desk.deal("B 10MW DE base Cal27 @ 80")
    terms = DefinitionTerms("DESK", "Market risk", weighting=Weighting.EWMA, decay=0.94)
    row = propose_definition(actor=desk.officer, terms=terms, reason="calm", as_of=TRADED_AT)
    first = ScenarioDefinition.objects.get(number=1)
    both = compare(
        actor=desk.officer, book_id=desk.book.pk, first_id=first.pk, second_id=row.pk,
        valued_at=TRADED_AT,
    )  # fmt: skip
    second = Actor.for_user(make_user(Role.RISK_OFFICER, organization=desk.organization))
    for stress in propose_library(actor=desk.officer)[:-1]:
        decide_stress(actor=second, stress_id=stress.pk, approve=True, reason="agreed")
    run = run_stresses(actor=desk.officer, book_id=desk.book.pk)
    page = page_as(Role.RISK_OFFICER, organization=desk.organization)
    assign_perm("trading.view_book", desk.organization.memberships.latest("id").user, desk.book)
    scenarios, stress = reverse("risk:scenarios"), reverse("risk:stress")

    problems = {}
    pages = {
        "scenarios": scenarios,
        "definition": reverse("risk:scenario_definition", args=[row.pk]),
        "propose": reverse("risk:propose_scenarios"),
        "set": reverse("risk:scenario_set", args=[ScenarioSet.objects.get().pk]),
        "comparison": reverse("risk:scenario_comparison", args=[both.pk]),
        "stress": stress,
        "run": reverse("risk:stress_run", args=[run.pk]),
        "propose-stress": reverse("risk:propose_stress"),
    }
    for name, path in pages.items():
        problems[name] = look_at(page, base_url + path)
    if folder := os.environ.get("SCREENSHOTS"):
        for scheme, width in (("light", 1440), ("dark", 1440), ("light", 360)):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": 900})
            for name, path in pages.items():
                page.goto(f"{base_url}{path}")
                page.screenshot(path=f"{folder}/{name}-{scheme}-{width}.png", full_page=True)
    for path, label in ((scenarios, f"{row}"), (stress, f"{StressScenario.objects.latest('id')}")):
        page.goto(base_url + path)
        page.get_by_label(f"Reason of the decision on {label}").fill("checked")
        page.get_by_role("button", name="Approve").click()
        page.wait_for_selector("text=is approved")

    assert not {name: found for name, found in problems.items() if found}
    row.refresh_from_db()
    assert (row.status, row.decision_reason) == ("APPROVED", "checked")
