"""Stresses under four eyes, and what they do to a book shock by shock."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.proposals.services import SecondPersonNeeded
from risk.models import MoveRule, StressRun, StressScenario, StressTarget
from risk.queries.bases import latest_basis
from risk.queries.holdings import holdings_of, value_holdings
from risk.services.snapshots import build_snapshot
from risk.services.stress_runs import NothingToStress, run_stresses
from risk.services.stresses import (
    ShockTerms,
    StressRefused,
    StressTerms,
    decide_stress,
    library,
    propose_library,
    propose_stress,
)
from risk.tasks import value_under_stress
from tests.factories.accounts import make_user
from tests.factories.risk import curve, quote_history
from tests.factories.trades import DAY, TRADED_AT, make_desk
from trading.queries.quote_days import quote_days

pytestmark = pytest.mark.django_db
API = "/api/v1/risk/stresses"
PRICE, VOLUME, EVENT, RATE, VOLATILITY = (
    StressTarget(one) for one in ("PRICE", "VOLUME", "EVENT", "RATE", "VOLATILITY")
)


@pytest.fixture
def desk(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: TRADED_AT)
    desk = make_desk()
    quote_history(desk.market, in_parallel=True)
    curve(desk.market)
    build_snapshot(actor=Actor.system("test"), valued_at=TRADED_AT)
    desk.deal("B 10MW DE base Cal27 @ 80")
    return desk


@pytest.fixture
def second(desk):
    return make_user(Role.RISK_OFFICER, organization=desk.organization)


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def stress(*shocks, code="TEST"):
    return StressTerms(code, "A test", "Stated.", "Market risk", shocks)


def in_force(desk, second, *terms):
    for one in terms:
        row = propose_stress(actor=desk.officer, terms=one, reason="x")
        decide_stress(actor=Actor.for_user(second), stress_id=row.pk, approve=True, reason="agreed")


def test_each_shock_adds_what_it_does_on_the_state_before_it(desk, second):
    first_day, last_day = DAY - timedelta(days=60), DAY - timedelta(days=30)
    in_force(
        desk, second,
        stress(ShockTerms("up", PRICE, 0.4), ShockTerms("more", VOLUME, 0.15), code="A"),
        stress(ShockTerms("near", PRICE, 1.0, last_tenor=3),
               ShockTerms("far", PRICE, -7.0, rule=MoveRule(MoveRule.ABSOLUTE), first_tenor=4),
               ShockTerms("nothing", RATE, -0.1, currency="EUR"),
               ShockTerms("held", VOLATILITY, 0.2), code="B"),
        stress(ShockTerms("event", EVENT, event_from=first_day, event_until=last_day), code="C"),
        stress(ShockTerms("old", EVENT, event_from=DAY.replace(2020), event_until=DAY), code="D"),
    )  # fmt: skip

    run = run_stresses(actor=desk.officer, book_id=desk.book.pk)

    on = latest_basis()
    held = value_holdings(holdings_of([desk.book.pk]), on, currency="EUR")
    months = [(row.price, 10 * row.hours, tenor) for tenor, row in enumerate(held.rows, start=2)]
    assert run.value == pytest.approx(held.base_value)
    found = {one["code"]: one for one in run.results}
    up = sum(0.4 * price * mwh for price, mwh, _ in months)
    assert found["A"]["steps"] == [
        ["up", pytest.approx(up)], ["more", pytest.approx(0.15 * (run.value + up))],
    ]  # fmt: skip
    near = sum(price * mwh for price, mwh, tenor in months if tenor <= 3)
    far = sum(-7 * mwh for _, mwh, tenor in months if tenor >= 4)
    assert found["B"]["steps"] == [
        ["near", pytest.approx(near)], ["far", pytest.approx(far)], ["nothing", pytest.approx(0)],
        ["held", pytest.approx(0)],
    ]  # fmt: skip
    assert found["B"]["pnl"] == pytest.approx(near + far)
    days = {
        day.day: {(one.first, one.months): one.price for one in day.contracts}
        for day in quote_days(market_id=desk.market.pk, as_of=TRADED_AT, days=200)
    }
    before, after = (
        next(iter(days[max(d for d in days if d <= day)].values())) for day in (first_day, last_day)
    )
    moved = sum((after / before - 1) * price * mwh for price, mwh, _ in months)
    assert found["C"]["pnl"] == pytest.approx(moved, rel=1e-6)
    assert (found["D"]["pnl"], found["D"]["steps"]) == (None, [["old", None]])
    assert found["D"]["findings"] == [
        "DE does not move: nothing was quoted on 2020-11-20 or in the week before."
    ]


def test_two_persons_stand_for_a_stress_and_the_library_says_where_sizes_are_from(desk, second):
    with pytest.raises(NothingToStress, match="No stress is approved"):
        run_stresses(actor=desk.officer, book_id=desk.book.pk)
    with pytest.raises(PermissionMissing):
        propose_library(actor=desk.trader)

    made = propose_library(actor=desk.officer)

    assert len(made) == len(library()) and all(row.source for row in made)
    assert propose_library(actor=Actor.for_user(second)) == []
    with pytest.raises(SecondPersonNeeded):
        decide_stress(actor=desk.officer, stress_id=made[0].pk, approve=True, reason="mine")
    with pytest.raises(StressRefused, match="say why it is approved"):
        decide_stress(actor=Actor.for_user(second), stress_id=made[0].pk, approve=True, reason="")
    with pytest.raises(StressRefused, match="no such version"):
        decide_stress(actor=Actor.for_user(second), stress_id=0, approve=True, reason="x")


REFUSED = [
    (stress(ShockTerms("x", PRICE, 0.1), code="bad code"), "code"),
    (stress(), "shocks"),
    (StressTerms("X", "X", " ", "Market risk", (ShockTerms("x", PRICE, 0.1),)), "source"),
    (stress(ShockTerms("", PRICE, 0.1)), "shocks.1.name"),
    (stress(ShockTerms("x", PRICE, 0.1), ShockTerms("y", PRICE)), "shocks.2.size"),
    (stress(ShockTerms("x", PRICE, -1.0)), "shocks.1.size"),
    (stress(ShockTerms("x", PRICE, float("nan"))), "shocks.1.size"),
    (stress(ShockTerms("x", PRICE, 0.1, market="XX")), "shocks.1.market"),
    (stress(ShockTerms("x", PRICE, 0.1, first_tenor=4, last_tenor=2)), "shocks.1.last_tenor"),
    (stress(ShockTerms("x", PRICE, 0.1, event_from=DAY)), "shocks.1.event_from"),
    (stress(ShockTerms("x", EVENT)), "shocks.1.event_from"),
    (stress(ShockTerms("x", EVENT, 0.1, event_from=DAY, event_until=DAY)), "shocks.1.size"),
    (stress(ShockTerms("x", EVENT, event_from=DAY, event_until=DAY)), "shocks.1.event_until"),
    (stress(ShockTerms("x", RATE, -0.1)), "shocks.1.currency"),
    (stress(ShockTerms("x", RATE, -1.5, currency="USD")), "shocks.1.size"),
    (stress(ShockTerms("x", VOLUME, -1.0)), "shocks.1.size"),
    (stress(ShockTerms("x", VOLUME, 0.1, rule=MoveRule(MoveRule.ABSOLUTE))), "shocks.1.rule"),
    (stress(ShockTerms("x", PRICE, 0.1, displacement=5.0)), "shocks.1.displacement"),
]


def test_terms_that_do_not_fit_are_refused_by_field(desk):
    for terms, field in REFUSED:
        with pytest.raises(ValidationError) as refused:
            propose_stress(actor=desk.officer, terms=terms, reason="x")
        assert list(refused.value.message_dict) == [field], terms
    assert not StressScenario.objects.exists()


def test_pages_propose_decide_and_run(
    desk, second, django_capture_on_commit_callbacks, django_assert_max_num_queries
):
    officer, other = client_of(desk.officer.user), client_of(second)
    trader, home = client_of(desk.trader.user), reverse("risk:stress")
    assert "No stress yet" in trader.get(home).content.decode()
    entry = {
        "code": "COLD", "name": "Cold spell", "source": "Stated.", "owner": "Market risk",
        "reason": "winter", "shocks-TOTAL_FORMS": "1", "shocks-INITIAL_FORMS": "0",
        "shocks-0-name": "Prices", "shocks-0-target": "PRICE", "shocks-0-rule": "RELATIVE",
    }  # fmt: skip
    refused = officer.post(reverse("risk:propose_stress"), entry)
    assert refused.status_code == 422 and "Is not 0." in refused.content.decode()
    given = {**entry, "shocks-0-size": "0.8", "shocks-0-last_tenor": "3"}
    assert officer.post(reverse("risk:propose_stress"), given).status_code == 302
    assert officer.post(reverse("risk:take_stress_library")).status_code == 302

    row = StressScenario.objects.get(code="COLD")
    address = reverse("risk:decide_stress", args=[row.pk])
    assert trader.post(address, {"verdict": "approve", "reason": "x"}).status_code == 403
    assert other.post(address, {"verdict": "approve", "reason": "agreed"}).status_code == 302
    start = reverse("risk:run_stresses", args=[desk.book.pk])
    with django_capture_on_commit_callbacks(execute=True):
        assert trader.post(start).status_code == 302
    job, made = Job.objects.get(), StressRun.objects.get()
    assert (job.state, job.task) == ("SUCCEEDED", value_under_stress.name), job.error
    assert job.result_url == reverse("risk:stress_run", args=[made.pk])

    trader.get(home)
    with django_assert_max_num_queries(24):
        page = trader.get(home).content.decode()
    assert "every market: prices +80 %, months +0 to +3" in page and "In use" in page
    for shown in (page, trader.get(job.result_url).content.decode()):
        assert "Cold spell" in shown and "sum to the whole" in shown
    risk = trader.get(reverse("risk:home")).content.decode()
    (worst,) = made.results
    assert "Worst stress" in risk and f'href="{job.result_url}"' in risk
    assert f"{worst['pnl']:+,.2f}".replace("-", "−") in risk
    stranger = client_of(make_desk().officer.user)
    assert stranger.post(start).status_code == 404
    assert stranger.get(job.result_url).status_code == 404


def test_rest_proposes_decides_and_runs(desk, second, django_capture_on_commit_callbacks):
    officer, other = client_of(desk.officer.user), client_of(second)
    entry = {
        "code": "COLD", "name": "Cold spell", "source": "Stated.", "owner": "Market risk",
        "shocks": [{"name": "Prices", "target": "PRICE", "size": 0.8, "last_tenor": 3}],
        "reason": "winter",
    }  # fmt: skip
    wrong = officer.post(API, {**entry, "shocks": []}, "application/json")
    assert wrong.status_code == 400 and "shocks" in wrong.content.decode()
    row = officer.post(API, entry, "application/json").json()
    verdict = {"verdict": "APPROVE", "reason": "agreed"}
    address = f"{API}/{row['id']}/decision"
    assert officer.post(address, verdict, "application/json").status_code == 409
    assert other.post(address, verdict, "application/json").json()["status"] == "APPROVED"
    assert other.get(API).json()["results"][0]["shocks"][0]["market"] is None

    with django_capture_on_commit_callbacks(execute=True):
        asked = other.post(
            "/api/v1/risk/stress-runs", {"book": str(desk.book.pk)}, "application/json"
        )
    assert asked.status_code == 202
    told = other.get(f"/api/v1/risk/stress-runs/{StressRun.objects.get().pk}").json()
    assert told["currency"] == "EUR" and told["results"][0]["steps"][0][0] == "Prices"
    assert told["results"][0]["pnl"] > 0
