"""Scenarios on pages and over REST: lists, register, proposals by one and verdicts by another."""

from dataclasses import replace

import pytest
from django.test import Client
from django.urls import reverse

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from energyopti.foundation.jobs.models import Job
from risk.models import ScenarioComparison, ScenarioDefinition, ScenarioSet, Weighting
from risk.queries.book_state import book_state
from risk.services.scenario_definitions import DefinitionTerms, propose_definition
from risk.services.snapshots import build_snapshot
from risk.tasks import compare_scenarios
from tests.factories.accounts import make_user
from tests.factories.risk import curve, quote_history
from tests.factories.trades import TRADED_AT, make_desk

pytestmark = pytest.mark.django_db
API = "/api/v1/risk/scenario-definitions"
FILTERED = DefinitionTerms("DESK", "Market risk", weighting=Weighting.EWMA, decay=0.94)


@pytest.fixture
def desk(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: TRADED_AT)
    desk = make_desk()
    quote_history(desk.market)
    curve(desk.market)
    build_snapshot(actor=Actor.system("test"), valued_at=TRADED_AT)
    return desk


@pytest.fixture
def second(desk):
    return make_user(Role.RISK_OFFICER, organization=desk.organization)


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(response) -> str:
    return " ".join(response.content.decode().split())


def test_lists_stay_at_their_queries_and_the_set_shows_moves_and_register(
    desk, django_assert_max_num_queries
):
    client = client_of(desk.trader.user)
    for number in range(3):
        propose_definition(
            actor=desk.officer, terms=replace(FILTERED, code=f"T{number}"), reason="x",
            as_of=TRADED_AT,
        )  # fmt: skip
    client.get(reverse("risk:scenarios"))

    with django_assert_max_num_queries(24):
        listed = text_of(client.get(reverse("risk:scenarios")))
    made = ScenarioSet.objects.get()
    shown = text_of(client.get(reverse("risk:scenario_set", args=[made.pk])))

    assert "DESK v1" in listed and "T2 v1" in listed and "Propose a version" not in listed
    assert "In use" in listed and "Waits for approval" in listed
    assert "Register of proxies" in shown and "no contract of these months" in shown
    assert "no implied volatility was quoted" in shown
    assert shown.count('data-label="Mean"') == 10
    assert "EUR/MWh" in shown


def test_a_version_is_proposed_on_the_page_and_decided_by_another(desk, second):
    officer, other = client_of(desk.officer.user), client_of(second)
    page = officer.get(reverse("risk:propose_scenarios")).content.decode()
    assert 'value="Market risk"' in page and 'name="rules-1-market"' in page
    entry = {
        "code": "DESK", "owner": "Market risk", "scenarios": "500", "horizon_days": "1",
        "weighting": "EWMA", "decay": "0.94", "rule": "ABSOLUTE", "mapping": "TIME_TO_DELIVERY",
        "reason": "calm years", "rules-TOTAL_FORMS": "1", "rules-INITIAL_FORMS": "0",
        "rules-0-market": "DE", "rules-0-rule": "DISPLACED", "rules-0-displacement": "",
        "rules-0-mapping": "CONTRACT",
    }  # fmt: skip

    refused = officer.post(reverse("risk:propose_scenarios"), entry)
    assert refused.status_code == 422
    assert "Is above 0 for rule DISPLACED" in refused.content.decode()
    accepted = officer.post(
        reverse("risk:propose_scenarios"), {**entry, "rules-0-displacement": "50"}
    )
    row = ScenarioDefinition.objects.get(number=2)
    assert accepted.url == reverse("risk:scenario_definition", args=[row.pk])
    address = reverse("risk:decide_scenarios", args=[row.pk])
    assert address not in officer.get(reverse("risk:scenarios")).content.decode()
    assert address in other.get(accepted.url).content.decode()
    trader = client_of(desk.trader.user)
    assert trader.post(address, {"verdict": "approve", "reason": "x"}).status_code == 403
    mine = officer.post(address, {"verdict": "approve", "reason": "x"}, follow=True)
    assert "another person than who proposed" in mine.content.decode()
    done = other.post(address, {"verdict": "approve", "reason": "back-test"}, follow=True)

    assert "DESK v2 is approved" in done.content.decode()
    shown = text_of(trader.get(accepted.url))
    assert "logarithmic changes above −50 by contract" in shown and "back-test" in shown


def test_rest_proposes_decides_and_tells_of_sets(desk, second):
    officer, other = client_of(desk.officer.user), client_of(second)
    entry = {"code": "DESK", "owner": "Market risk", "reason": "x", "rules": [{}]}
    wrong = officer.post(API, {**entry, "decay": 0.9}, "application/json")
    assert wrong.status_code == 400 and "decay" in wrong.content.decode()
    proposed = officer.post(API, {**entry, "scenarios": 250}, "application/json")
    assert proposed.status_code == 201 and proposed.json()["version"] == 2

    address = f"{API}/{proposed.json()['id']}/decision"
    verdict = {"verdict": "APPROVE", "reason": "agreed"}
    assert officer.post(address, verdict, "application/json").status_code == 409
    without = other.post(address, {"verdict": "APPROVE"}, "application/json")
    assert without.status_code == 409 and "say why it is approved" in without.content.decode()
    assert other.post(address, verdict, "application/json").json()["status"] == "APPROVED"

    listed = other.get(API).json()["results"]
    assert [(row["code"], row["version"], row["status"]) for row in listed] == [
        ("DESK", 1, "APPROVED"), ("DESK", 2, "APPROVED"),
    ]  # fmt: skip
    sets = other.get("/api/v1/risk/scenario-sets").json()["results"]
    detail = other.get(f"/api/v1/risk/scenario-sets/{sets[0]['id']}").json()
    assert (detail["definition"], detail["market_codes"]) == ("DESK v1", ["DE"])
    assert detail["scenarios"] == 129 and detail["first_day"] < detail["last_day"]
    assert {entry["kind"] for entry in detail["register"]} == {
        "Delivery months", "Implied volatility",
    }  # fmt: skip
    assert other.get("/api/v1/risk/scenario-sets/0").status_code == 404


def test_two_versions_are_compared_on_a_book(desk, django_capture_on_commit_callbacks):
    desk.deal("B 10MW DE base Cal27 @ 80")
    row = propose_definition(actor=desk.officer, terms=FILTERED, reason="x", as_of=TRADED_AT)
    first = ScenarioDefinition.objects.get(number=1)
    trader = client_of(desk.trader.user)
    entry = {"book": str(desk.book.pk), "first": first.pk, "second": row.pk}
    same = trader.post(reverse("risk:compare_scenarios"), {**entry, "second": first.pk})
    assert same.status_code == 422 and "another version" in same.content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        assert trader.post(reverse("risk:compare_scenarios"), entry).status_code == 302

    job, made = Job.objects.get(), ScenarioComparison.objects.get()
    assert (job.state, job.task) == ("SUCCEEDED", compare_scenarios.name), job.error
    assert job.result_url == reverse("risk:scenario_comparison", args=[made.pk])
    desk_side, filtered = made.sides
    assert desk_side["tails"]["0.99"][0] == pytest.approx(book_state(desk.book.pk)["var"])
    assert filtered["tails"]["0.99"][0] != pytest.approx(desk_side["tails"]["0.99"][0])
    page = text_of(trader.get(reverse("risk:scenario_comparison", args=[made.pk])))
    assert "VaR 99 %" in page and "EWMA, decay 0.94" in page
    told = trader.get(f"/api/v1/risk/scenario-comparisons/{made.pk}").json()
    assert told["sides"] == made.sides and told["currency"] == "EUR"
    stranger = client_of(make_desk().officer.user)
    assert stranger.get(f"/api/v1/risk/scenario-comparisons/{made.pk}").status_code == 404
    foreign = stranger.post("/api/v1/risk/scenario-comparisons", entry, "application/json")
    assert foreign.status_code == 404
