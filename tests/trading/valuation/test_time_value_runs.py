"""Simulated time value in runs, jobs, on the page, and in the explanation of a day."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from energyopti.foundation.calendars import DatePeriod
from tests.factories.accounts import make_user
from trading.deals import Direction
from trading.models import Market, PnlKind, ProcessKind, StructureValue
from trading.queries.pnl import days_of_pnl
from trading.queries.valuation import structure_seed
from trading.services.locks import server_time
from trading.services.pnl import explain_runs
from trading.services.price_processes import ProcessTerms, decide_process, propose_process
from trading.services.structure_values import value_structure
from trading.services.valuation import prove_run, value_organization

from .structures_desk import (
    CLOSE,
    EVENING,
    GAS_PRICES,
    STORAGE,
    TOLLING,
    curve_of,
    structure,
    structure_desk,
)

pytestmark = pytest.mark.django_db
LIVELY = ProcessTerms(
    "TTF", ProcessKind.SPOT_LOGNORMAL, {"mean_reversion": 15.0, "volatility": 1.5}
)
POWER = ProcessTerms("DE", ProcessKind.SPOT_NORMAL, {"mean_reversion": 60.0, "volatility": 150.0})
TOGETHER = ProcessTerms("TTF", ProcessKind.CORRELATION, {"correlation": 0.4}, "DE")
WINTER = replace(STORAGE.schedule, period=DatePeriod(date(2026, 12, 1), date(2027, 3, 1)))
STORE = replace(
    STORAGE, schedule=WINTER, terms=replace(STORAGE.terms, start_inventory=Decimal(2000))
)
WEEK = replace(
    TOLLING,
    schedule=replace(TOLLING.schedule, period=DatePeriod(date(2027, 3, 1), date(2027, 3, 6))),
)


@pytest.fixture
def desk(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: EVENING)
    return structure_desk()


def approve(desk, *all_terms):
    second = Actor.for_user(make_user(Role.RISK_OFFICER, organization=desk.organization))
    for terms in all_terms:
        row = propose_process(actor=desk.officer, terms=terms, reason="agreed")
        decide_process(actor=second, process_id=row.pk, approve=True, reason="")


def run_of(desk, as_of=EVENING, **more):
    return value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=as_of, **more
    )


def page_of(desk, receipt):
    client = Client()
    client.force_login(desk.trader.user, backend="django.contrib.auth.backends.ModelBackend")
    return client, client.get(reverse("trading:trade", args=[receipt.ref])).text


def test_a_run_adds_time_value_to_the_plan_once_a_process_is_approved_and_repeats(desk):
    held = desk.deal(deal=structure(STORE))
    granted = desk.deal(deal=structure(STORE, direction=Direction.PAY))

    before = run_of(desk)
    approve(desk, LIVELY)
    after = run_of(desk)

    plain = StructureValue.objects.get(run=before, trade__ref=held.ref)
    assert (plain.standard_error, plain.simulation, plain.time_value) == (None, None, 0)
    said = "TTF: no price process is approved; contracts with choices on it have their intrinsic"
    assert any(said in finding for finding in before.findings)
    assert "simulated" not in before.inputs["structures"]
    row = StructureValue.objects.get(run=after, trade__ref=held.ref)
    assert row.time_value > 20 * Decimal(row.standard_error)
    assert row.unrealised == plain.unrealised + row.time_value
    assert after.values.get(trade__ref=held.ref).unrealised == row.unrealised
    assert row.method == plain.method
    assert not any(said in finding for finding in after.findings)
    kept = row.simulation
    assert kept["estimate"] - kept["intrinsic"] == pytest.approx(float(row.time_value), abs=0.006)
    assert (kept["paths"], kept["seed"]) == (1000, structure_seed(1, row.trade_id, 1))
    assert [one["version"] for one in kept["processes"]] == [1]
    assert after.inputs["structures"]["simulated"]["seed"] == 1
    assert {one["month"] for one in kept["deltas"]} == {
        "2026-12-01", "2027-01-01", "2027-02-01",
    }  # fmt: skip
    # Whoever has granted it pays for the choices of the other.
    theirs = StructureValue.objects.get(run=after, trade__ref=granted.ref)
    assert theirs.time_value < 0 and theirs.unrealised < plain.unrealised * -1

    # By its cut each run repeats bit for bit; another stated seed is another sample.
    assert prove_run(before).is_same
    assert prove_run(after).is_same
    other = run_of(desk, seed=2)
    seeded = StructureValue.objects.get(run=other, trade__ref=held.ref)
    assert seeded.time_value != row.time_value
    assert abs(seeded.time_value - row.time_value) < 6 * Decimal(row.standard_error)
    assert prove_run(other).is_same


def test_a_plant_needs_a_process_of_each_market_and_how_they_go_together(desk):
    held = desk.deal(deal=structure(WEEK))
    approve(desk, POWER, LIVELY)

    (lonely,) = value_structure(
        actor=desk.again(desk.trader), ref=held.ref, as_of=EVENING, known_at=server_time()
    )
    approve(desk, TOGETHER)
    (whole,) = value_structure(
        actor=desk.again(desk.trader), ref=held.ref, as_of=EVENING, known_at=server_time()
    )

    assert (lonely.simulation, lonely.time_value) == (None, 0)
    assert any("DE and TTF: no correlation is approved" in said for said in lonely.findings)
    assert whole.time_value > 0 and whole.simulation["paths"] == 1000
    assert [(one["name"], one["kind"]) for one in whole.simulation["processes"]] == [
        ("DE", "SPOT_NORMAL"), ("TTF", "SPOT_LOGNORMAL"), ("DE with TTF", "CORRELATION"),
    ]  # fmt: skip
    assert {one["role"] for one in whole.simulation["deltas"]} == {"power", "fuel"}


def test_the_explanation_takes_time_value_as_its_own_step_from_what_was_stored(desk, monkeypatch):
    held = desk.deal(deal=structure(STORE))
    approve(desk, LIVELY)
    opening = run_of(desk)
    later = CLOSE + timedelta(days=3)
    curve_of(
        Market.objects.get(code="TTF"),
        {name: f"{float(price) + 2:.2f}" for name, price in GAS_PRICES.items()}, at=later,
    )  # fmt: skip
    new = desk.deal(deal=structure(STORE))
    closing = run_of(desk, as_of=EVENING + timedelta(days=3))
    # Nothing is simulated while a day is explained.
    monkeypatch.setattr(
        "trading.valuation.time_value", lambda *_: pytest.fail("it was simulated again")
    )

    (report,) = explain_runs(
        actor=Actor.system("test"), opening=opening, closing=closing, day=date(2026, 11, 23),
        kind=PnlKind(PnlKind.OFFICIAL),
    )  # fmt: skip

    rows = {
        run.pk: StructureValue.objects.get(run=run, trade__ref=held.ref)
        for run in (opening, closing)
    }
    steps = {
        (step.kind, step.name): step.amount for step in report.steps.filter(trade__ref=held.ref)
    }
    assert steps["TIME_VALUE", ""] == rows[closing.pk].time_value - rows[opening.pk].time_value
    assert sum(steps.values()) == (
        rows[closing.pk].unrealised + rows[closing.pk].realised
        - rows[opening.pk].unrealised - rows[opening.pk].realised
    )  # fmt: skip
    assert ("RESIDUAL", "") not in steps
    assert ("PRICE", "TTF") in steps
    # What is new comes whole with its trade.
    of_new = {step.kind: step.amount for step in report.steps.filter(trade__ref=new.ref)}
    assert "TIME_VALUE" not in of_new
    assert of_new["NEW"] == closing.values.get(trade__ref=new.ref).unrealised
    (day,) = days_of_pnl(desk.again(desk.trader), day=date(2026, 11, 23))
    errors = [row.standard_error for row in StructureValue.objects.filter(run__in=rows)]
    assert day.time_value_error == pytest.approx(sum(error**2 for error in errors) ** 0.5)
    client, _ = page_of(desk, held)
    page = client.get(reverse("trading:pnl"), {"date": "2026-11-23"}).text
    assert "Time value of choices" in page
    assert "simulated, standard error" in page


def test_the_page_shows_intrinsic_time_value_error_process_paths_and_seed(desk):
    held = desk.deal(deal=structure(STORE))
    approve(desk, LIVELY)
    run_of(desk)
    row = StructureValue.objects.get(trade__ref=held.ref)

    client, page = page_of(desk, held)

    for words in ("Time value of the choices", "Intrinsic", "standard error", "1,000", "Seed",
                  str(row.simulation["seed"]), "TTF, mean-reverting spot, lognormal, version 1",
                  "Delta with the time value", "least-squares Monte Carlo"):  # fmt: skip
        assert words in page, words
    found = client.get(f"/api/v1/trading/trades/{held.ref}/structure-value").json()
    assert found["simulation"]["paths"] == 1000
    assert found["standard_error"] == pytest.approx(row.standard_error)
    assert found["simulation"]["deltas"][0]["month"] == "2026-12-01"


def test_prices_that_a_process_cannot_have_leave_the_plan_and_say_why(desk):
    held = desk.deal(deal=structure(WEEK))
    curve_of(Market.objects.get(code="DE"), {"Dec26": "85.00", "Cal27": "-5.00"},
             at=CLOSE + timedelta(minutes=5))  # fmt: skip
    approve(
        desk, LIVELY, TOGETHER,
        replace(POWER, kind=ProcessKind.SPOT_LOGNORMAL,
                parameters={"mean_reversion": 60.0, "volatility": 1.5}),
    )  # fmt: skip

    run = run_of(desk)

    row = StructureValue.objects.get(run=run, trade__ref=held.ref)
    assert (row.time_value, row.standard_error, row.simulation) == (0, None, None)
    assert any("The time value is not simulated: curve[" in said for said in row.findings)
