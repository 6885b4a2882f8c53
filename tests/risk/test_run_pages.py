"""Risk runs on pages and over REST: ask, read, go down to a scenario, compare, export."""

import io
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
from django.test import Client
from django.urls import reverse

from energyopti.accounts.roles import Role
from risk.models import RiskRun, RunKind, RunMethod
from risk.queries.run_comparison import compare_runs
from risk.queries.run_terms import RunTerms
from risk.queries.runs import numbers_of, outcome_of, pnl_of_trades, run_for
from risk.services.runs import ask_risk_run, make_run
from tests.factories.accounts import make_user
from tests.risk.test_runs import SYSTEM, desk_with_trades

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def desk(rows_of_module, django_db_blocker):
    with django_db_blocker.unblock():
        return desk_with_trades()


@pytest.fixture(scope="module")
def runs(desk, django_db_blocker):
    """Two historical runs, between which one trade was added, and one by Monte Carlo."""
    with django_db_blocker.unblock():
        first = made(desk)
        desk.deal("S 4MW DE base Q3-27 @ 88", actor=desk.again(desk.trader))
        return first, made(desk), made(desk, method=RunMethod.MONTE_CARLO, paths=2000)


def made(desk, **terms) -> RiskRun:
    officer = desk.again(desk.officer)
    run = ask_risk_run(
        actor=officer, book_id=desk.book.pk, terms=RunTerms(**terms), kind=RunKind.AD_HOC
    )
    make_run(actor=SYSTEM, run_id=run.pk)
    return run_for(officer, run.pk)


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def browser(desk) -> Client:
    return client_of(desk.officer.user)


def text(answer) -> str:
    assert answer.status_code == 200, answer.content[:500]
    return answer.content.decode()


def test_the_list_offers_runs_filters_and_the_form(browser, runs, django_assert_max_num_queries):
    address = reverse("risk:runs")
    browser.get(address)
    with django_assert_max_num_queries(24):
        page = text(browser.get(address))

    assert page.count("/risk/runs/") >= 3
    assert "Confidences in %" in page
    assert str(runs[2].pk) not in text(browser.get(address, {"method": "HISTORICAL"}))


def test_a_run_leads_from_total_to_component_to_trade_to_scenario(browser, runs):
    run = runs[1]
    page = text(browser.get(reverse("risk:run", args=[run.pk]), {"by": "MARKET"}))
    number = numbers_of(outcome_of(run))[0]
    assert f"{number.var:,.2f}" in page
    assert number.convention.split(";")[0] in page
    assert f"{run.outcome.result_hash}" in page
    assert "by=MARKET&amp;key=DE&amp;confidence=0.99" in page

    component = browser.get(
        reverse("risk:run-component", args=[run.pk]), {"by": "MARKET", "key": "DE"}
    )
    assert text(component).count("data-row") == 4
    ref = next(iter(pnl_of_trades(run.outcome)))
    trade = text(browser.get(reverse("risk:run-trade", args=[run.pk, ref])))
    assert trade.count("data-row") == 129
    worst = run.snapshot.scenario_set.days[number.scenario]
    assert f"{worst:%Y-%m-%d}" in trade
    scenario = browser.get(reverse("risk:run-scenario", args=[run.pk, number.scenario]))
    assert text(scenario).count("data-row") == 4


def test_what_is_not_there_is_404(browser, runs):
    run = runs[1].pk
    for address in (
        f"/risk/runs/{run}/?by=NOSE",
        f"/risk/runs/{run}/?confidence=0.5",
        f"/risk/runs/{run}/component/?by=MARKET&key=XX",
        f"/risk/runs/{run}/trades/T-99999999/",
        f"/risk/runs/{run}/scenarios/129/",
        f"/risk/runs/{run}/compare/?with={run}",
        f"/api/v1/risk/runs/{run}/scenarios?trade=T-99999999",
        f"/api/v1/risk/runs/{run}/components?confidence=0.5",
    ):
        assert browser.get(address).status_code == 404, address
    assert browser.get(f"/risk/runs/{run}/export/?format=doc").status_code == 400


def test_a_run_is_asked_for_from_the_page_and_refused_with_the_field(browser, desk):
    entry = {
        "book": str(desk.book.pk), "kind": "AD_HOC", "method": "DELTA_NORMAL", "scenarios": "",
        "confidences": "99, 95", "horizon_days": "10",
    }  # fmt: skip
    refused = browser.post(reverse("risk:run-ask"), {**entry, "confidences": "100"})
    assert refused.status_code == 422
    assert "1 must lie between 0 and 1." in refused.content.decode()
    no_number = browser.post(reverse("risk:run-ask"), {**entry, "confidences": "high"})
    assert "not numbers" in no_number.content.decode()

    answer = browser.post(reverse("risk:run-ask"), entry)

    run = RiskRun.objects.latest("requested_at")
    assert answer.headers["Location"] == f"/risk/runs/{run.pk}/"
    assert (run.confidences, run.horizon_days) == ([Decimal("0.99"), Decimal("0.95")], 10)
    assert "Waiting for a worker" in text(browser.get(answer.headers["Location"]))
    reader = make_user(Role.COMPLIANCE_OFFICER, organization=desk.organization)
    assert client_of(reader).post(reverse("risk:run-ask"), entry).status_code == 403


def test_the_change_between_two_runs_is_that_of_the_new_trade(browser, runs, desk):
    first, then, simulated = runs
    found = compare_runs(first, then)

    steps = {step.name: step for step in found.steps}
    assert steps["New trades"].trades == 1
    assert steps["Market, time and scenarios"].change == pytest.approx(0.0, abs=1e-6)
    assert found.total == pytest.approx(found.change)
    assert steps["New trades"].change == pytest.approx(found.change)
    assert [row.group for row in found.trades].count("New") == 1
    assert {name for name, *_ in found.inputs} == {"holdings", "parts", "trades"}
    page = text(browser.get(reverse("risk:run-compare", args=[then.pk]), {"with": first.pk}))
    assert "holdings" in page and "New trades" in page
    by_components = compare_runs(then, simulated)
    after = numbers_of(outcome_of(simulated))[0].components_sum
    before = numbers_of(outcome_of(then))[0].components_sum
    assert by_components.total == pytest.approx(after - before)
    assert "method" in {name for name, *_ in by_components.inputs}


def test_exports_hold_every_component(browser, runs):
    run = runs[1]
    address = reverse("risk:run-export", args=[run.pk])

    def export(**query) -> bytes:
        answer = browser.get(address, query)
        assert answer.status_code == 200
        assert "attachment" in answer.headers["Content-Disposition"]
        return b"".join(answer)

    table = pq.read_table(io.BytesIO(export(format="parquet")))
    assert export(format="csv").count(b"\r\n") == table.num_rows + 1
    assert export(format="xlsx")[:2] == b"PK"
    trades = pq.read_table(io.BytesIO(export(format="parquet", table="trades")))
    assert (trades.num_rows, len(trades["pnl"][0])) == (4, 129)
    assert export(format="pdf")[:5] == b"%PDF-"


def test_the_api_asks_reads_and_compares(browser, runs, desk):
    first, then, _ = runs
    body = {"book": str(desk.book.pk), "method": "MONTE_CARLO", "paths": 2000, "seed": 9}
    asked = browser.post(
        "/api/v1/risk/runs", body, content_type="application/json",
        headers={"Idempotency-Key": "run-1"},
    )  # fmt: skip
    assert asked.status_code == 202 and asked.json()["state"] == "QUEUED"
    again = browser.post(
        "/api/v1/risk/runs", body, content_type="application/json",
        headers={"Idempotency-Key": "run-1"},
    )  # fmt: skip
    assert again.json()["id"] == asked.json()["id"]
    refused = browser.post(
        "/api/v1/risk/runs", {**body, "paths": 7}, content_type="application/json"
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "run_refused")
    unknown = {**body, "book": "00000000-0000-0000-0000-000000000000"}
    assert (
        browser.post("/api/v1/risk/runs", unknown, content_type="application/json").status_code
        == 404
    )

    root = f"/api/v1/risk/runs/{then.pk}"
    detail = browser.get(root).json()
    assert detail["numbers"][0]["var"] == numbers_of(then.outcome)[0].var
    assert detail["input_hash"] == then.outcome.input_hash
    parts = browser.get(f"{root}/components", {"dimension": "TRADE"}).json()
    assert sum(row["component_var"] for row in parts["results"]) == pytest.approx(
        parts["components_sum"]
    )
    ref = parts["results"][0]["key"]
    worst = browser.get(f"{root}/scenarios", {"trade": ref, "limit": 3}).json()["results"]
    assert [row["own"] for row in worst] == sorted(row["own"] for row in worst)
    compared = browser.get(f"{root}/comparison", {"with": str(first.pk)}).json()
    assert compared["total"] == pytest.approx(compared["change"])
    listed = browser.get("/api/v1/risk/runs", {"book": str(desk.book.pk), "state": "DONE"}).json()
    assert [row["id"] for row in listed["results"]][1:] == [str(then.pk), str(first.pk)]
    assert browser.get(f"{root}/export", {"as": "json"}).status_code == 200
