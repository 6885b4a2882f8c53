"""Risk runs: repeatable numbers that add up, by every method; refusals; nothing half-written."""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.core.files.storage import default_storage

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from energyopti.foundation.jobs.models import Job, JobState
from risk.models import MarketSnapshot, RiskRun, RiskRunOutcome, RunKind, RunMethod
from risk.queries.bases import from_bytes, latest_basis
from risk.queries.book_state import book_state
from risk.queries.run_files import PART
from risk.queries.run_results import DIMENSIONS
from risk.queries.run_terms import RunRefused, RunTerms
from risk.queries.runs import (
    all_components,
    numbers_of,
    pnl_of_trades,
    run_for,
    runs_for,
    scenarios_of,
    staleness_of,
)
from risk.services.closing import run_risk_of_day
from risk.services.runs import ask_risk_run, calculate, make_run
from risk.services.snapshots import build_snapshot
from risk.tasks import run as run_task
from tests.factories.accounts import make_user
from tests.factories.risk import curve, quote_history
from tests.factories.trades import TRADED_AT, Desk, make_book, make_desk
from trading.closing import Closing
from trading.queries.books import UnknownBook
from trading.services.locks import server_time

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("test")
Q99 = Decimal("0.99")


@pytest.fixture(scope="module")
def desk(rows_of_module, django_db_blocker) -> Desk:
    with django_db_blocker.unblock():
        return desk_with_trades()


def desk_with_trades() -> Desk:
    desk = make_desk()
    quote_history(desk.market)
    curve(desk.market)
    build_snapshot(actor=SYSTEM, valued_at=TRADED_AT)
    below = make_book(desk.organization, "EU-DE", parent=desk.book)
    trader = desk.again(desk.trader)
    desk.deal("B 10MW DE base Cal27 @ 80", actor=trader)
    desk.deal("S 7MW DE base Q1-27 @ 90", actor=trader, book_id=below.pk)
    desk.deal("B 3MW DE base Cal28 @ 84", actor=trader, book_id=below.pk)
    return desk


def made(desk: Desk, **terms) -> RiskRunOutcome:
    run = ask_risk_run(
        actor=desk.again(desk.officer), book_id=desk.book.pk, terms=RunTerms(**terms),
        kind=RunKind.AD_HOC,
    )  # fmt: skip
    return make_run(actor=SYSTEM, run_id=run.pk)


def sums(outcome: RiskRunOutcome) -> dict[tuple[str, str], np.ndarray]:
    """Components of VaR and ES and values, summed by dimension and confidence."""
    found = defaultdict(lambda: np.zeros(3))
    for row in all_components(outcome):
        found[row.dimension, row.confidence] += (row.component_var, row.component_es, row.value)
    return found


def test_a_historical_run_has_the_live_numbers_and_components_that_add_up(desk):
    outcome = made(desk)

    live, first = book_state(desk.book.pk), numbers_of(outcome)[0]
    assert (first.var, first.es) == pytest.approx((live["var"], live["es"]), rel=1e-9)
    assert outcome.value == pytest.approx(live["value"], rel=1e-9)
    assert first.convention == live["convention"]
    assert outcome.trades == 3 and outcome.statement == ""
    found = sums(outcome)
    assert {dimension for dimension, _ in found} == {*DIMENSIONS, PART}
    for number in numbers_of(outcome):
        for dimension in (*DIMENSIONS, PART):
            total = found[dimension, f"{number.confidence.normalize():f}"]
            expected = (number.components_sum, number.es, outcome.value)
            assert total == pytest.approx(expected, rel=1e-9), dimension


def test_components_are_those_of_the_trades_own_vectors_by_hand(desk):
    outcome = made(desk)

    pnl = pnl_of_trades(outcome)
    whole = sum(pnl.values())
    worst = np.sort(whole)[:2]  # ceil(1 % of 129)
    assert whole == pytest.approx(from_bytes(outcome.pnl), rel=1e-12)
    assert numbers_of(outcome)[0].var == pytest.approx(-worst[1])
    trades = [
        r for r in all_components(outcome) if (r.dimension, r.confidence) == ("TRADE", "0.99")
    ]
    for row in trades:
        own, without = np.sort(pnl[row.key]), np.sort(whole - pnl[row.key])
        assert row.standalone_var == pytest.approx(-own[1])
        assert row.standalone_es == pytest.approx(-own[:2].mean())
        assert row.incremental_var == pytest.approx(-worst[1] + without[1])
        assert row.component_es == pytest.approx(-pnl[row.key][np.argsort(whole)[:2]].mean())
        assert row.marginal_var == pytest.approx(row.component_var / row.energy_mwh)


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"method": RunMethod.MONTE_CARLO, "paths": 2000, "seed": 5},
        {"method": RunMethod.DELTA_GAMMA, "horizon_days": 10},
    ],
    ids=["historical", "monte-carlo", "delta-gamma"],
)
def test_the_same_inputs_give_the_same_hashes_and_bits(desk, terms):
    outcome = made(desk, **terms)
    again = calculate(
        RiskRun.objects.select_related("book", "snapshot__scenario_set").get(pk=outcome.run_id)
    )

    assert again.input_hash == outcome.input_hash
    assert again.result_hash == outcome.result_hash
    assert from_bytes(outcome.pnl).tobytes() == again.found.pnl.tobytes()
    assert [n.var for n in again.found.numbers] == [
        n.var for n in sorted(numbers_of(outcome), key=lambda n: n.pk)
    ]


def test_a_deal_after_the_cut_changes_nothing_of_a_run_but_the_next(desk):
    run = ask_risk_run(
        actor=desk.again(desk.officer), book_id=desk.book.pk, terms=RunTerms(),
        kind=RunKind.INTRADAY,
    )  # fmt: skip
    desk.deal("B 5MW DE base Cal28 @ 80", actor=desk.again(desk.trader))

    outcome = make_run(actor=SYSTEM, run_id=run.pk)

    assert outcome.trades == 3
    assert staleness_of(run) == "Trades of the book have changed since."
    later = made(desk)
    assert later.trades == 4
    assert later.input_hash != outcome.input_hash
    assert "later run" in staleness_of(run)


def test_monte_carlo_of_linear_positions_is_the_normal_quantile_within_its_error(desk):
    normal = numbers_of(made(desk, method=RunMethod.DELTA_NORMAL))[0]
    simulated = made(desk, method=RunMethod.MONTE_CARLO, paths=20_000, seed=3)
    first = numbers_of(simulated)[0]

    assert first.var_error > 0 and first.es_error > 0
    assert first.var == pytest.approx(normal.var, abs=4 * first.var_error)
    assert first.es == pytest.approx(normal.es, abs=4 * first.es_error)
    assert "seed 3" in first.convention and "20,000 paths" in first.convention
    assert 0 < len(simulated.kept) < 2000
    for (dimension, confidence), total in sums(simulated).items():
        number = next(
            n for n in numbers_of(simulated) if f"{n.confidence.normalize():f}" == confidence
        )
        expected = (number.components_sum, number.es)
        assert total[:2] == pytest.approx(expected, rel=1e-9), dimension
    tail = numbers_of(made(desk, method=RunMethod.MONTE_CARLO, paths=20_000, seed=3,
                           law="STUDENT_T", degrees=3.0))[0]  # fmt: skip
    assert tail.es / tail.var > first.es / first.var


def test_a_parametric_run_is_the_deviation_of_the_vector_times_the_quantile(desk):
    history = from_bytes(made(desk).pnl)
    outcome = made(desk, method=RunMethod.DELTA_NORMAL, horizon_days=4)

    first = numbers_of(outcome)[0]
    assert first.var == pytest.approx(2.3263478740408408 * history.std(ddof=1) * 2, rel=1e-5)
    assert sums(outcome)["TRADE", "0.99"][0] == pytest.approx(first.var, rel=1e-9)
    bent = numbers_of(made(desk, method=RunMethod.DELTA_GAMMA, horizon_days=4))[0]
    assert bent.var == pytest.approx(first.var, rel=1e-6)  # of forwards alone


def test_scenarios_name_their_day_and_the_trades_share(desk):
    outcome = made(desk)
    run = run_for(desk.again(desk.officer), outcome.run_id)

    worst = scenarios_of(run)
    trade = next(iter(pnl_of_trades(outcome)))
    own = scenarios_of(run, trade=trade)

    assert [row.rank for row in worst] == list(range(1, 21))
    assert worst[0].pnl == from_bytes(outcome.pnl).min()
    assert worst[0].day == run.snapshot.scenario_set.days[worst[0].position]
    assert [row.own for row in own] == sorted(row.own for row in own)
    assert own[0].share == pytest.approx(own[0].own / own[0].pnl)


def test_an_empty_book_says_so(desk):
    empty = make_book(desk.organization, "NEW")
    for method in RunMethod:
        run = ask_risk_run(
            actor=desk.again(desk.officer), book_id=empty.pk, terms=RunTerms(method=method),
            kind=RunKind.AD_HOC,
        )  # fmt: skip
        outcome = make_run(actor=SYSTEM, run_id=run.pk)

        assert "no positions" in outcome.statement
        assert [n.var for n in numbers_of(outcome)] == [0.0, 0.0]
        assert list(all_components(outcome)) == []


def test_what_is_refused_names_field_and_rule(desk):
    refused = [
        ({"confidences": (Decimal(1),)}, "confidences: 1 must lie between 0 and 1."),
        ({"confidences": (Decimal(0),)}, "confidences: 0 must lie between 0 and 1."),
        ({"confidences": ()}, "confidences: from 1 to 4 of them."),
        ({"horizon_days": 0}, "horizon_days: must be from 1 to 20."),
        ({"method": RunMethod.MONTE_CARLO, "paths": 999}, "paths: "),
        ({"method": RunMethod.MONTE_CARLO, "law": "STUDENT_T"}, "degrees: "),
        ({"method": RunMethod.MONTE_CARLO, "law": "STUDENT_T", "degrees": 2.0}, "degrees: "),
    ]
    for terms, message in refused:
        with pytest.raises(RunRefused, match=f"^{message}"):
            RunTerms(**terms)
    officer, ask = desk.again(desk.officer), {"terms": RunTerms(), "kind": RunKind.AD_HOC}
    with pytest.raises(RunRefused, match=r"^kind: the end of day"):
        ask_risk_run(actor=officer, book_id=desk.book.pk, terms=RunTerms(), kind=RunKind.END_OF_DAY)
    with pytest.raises(RunRefused, match=r"^snapshot: there is no snapshot 0"):
        ask_risk_run(actor=officer, book_id=desk.book.pk, snapshot_id=0, **ask)
    with pytest.raises(UnknownBook):
        ask_risk_run(actor=officer, book_id=make_desk("other").book.pk, **ask)
    auditor = Actor.for_user(make_user(Role.COMPLIANCE_OFFICER, organization=desk.organization))
    with pytest.raises(PermissionMissing):
        ask_risk_run(actor=auditor, book_id=desk.book.pk, **ask)
    assert not RiskRun.objects.exists()


def test_without_curves_no_run_is_asked_for():
    desk = make_desk()
    MarketSnapshot.objects.update(is_live=False)
    with pytest.raises(RunRefused, match=r"^snapshot: there is no curve"):
        ask_risk_run(
            actor=desk.officer, book_id=desk.book.pk, terms=RunTerms(), kind=RunKind.AD_HOC
        )


def test_a_run_that_fails_half_way_leaves_nothing_and_the_last_good_one_stands(desk):
    good = made(desk)
    files = set(default_storage.listdir("risk/runs")[0])
    run = ask_risk_run(
        actor=desk.again(desk.officer), book_id=desk.book.pk, terms=RunTerms(),
        kind=RunKind.AD_HOC,
    )  # fmt: skip

    def stop(done: int, total: int, stage: str) -> None:
        if stage.startswith("Attributing by month"):
            raise RuntimeError("the worker went away")

    with pytest.raises(RuntimeError):
        make_run(actor=SYSTEM, run_id=run.pk, progress=stop)

    Job.objects.filter(pk=run.job_id).update(
        state=JobState.FAILED, finished_at=TRADED_AT + timedelta(hours=1)
    )
    assert not RiskRunOutcome.objects.filter(run=run).exists()
    assert set(default_storage.listdir("risk/runs")[0]) == files
    stale = staleness_of(RiskRun.objects.select_related("snapshot").get(pk=good.run_id))
    assert "ended without results; this is the last good one" in stale
    states = dict(runs_for(desk.again(desk.officer)).values_list("pk", "state"))
    assert states == {good.run_id: "DONE", run.pk: "FAILED"}
    assert make_run(actor=SYSTEM, run_id=run.pk).trades == 3  # asked again, it is made


def test_a_run_is_made_by_its_job_and_told_once(desk):
    asked = ask_risk_run(
        actor=desk.again(desk.officer), book_id=desk.book.pk, terms=RunTerms(),
        kind=RunKind.INTRADAY,
    )  # fmt: skip

    run_task.apply(kwargs={"job_id": str(asked.job_id)})

    run = RiskRun.objects.get(pk=asked.pk)
    job = Job.objects.get(pk=run.job_id)
    assert (job.state, job.error) == (JobState.SUCCEEDED, "")
    assert job.result_url == f"/risk/runs/{run.pk}/"
    make_run(actor=SYSTEM, run_id=run.pk)
    assert Event.objects.filter(type="risk.run_done", aggregate_id=run.pk).count() == 1


def test_the_end_of_day_makes_a_run_of_each_top_book_on_the_close(desk):
    make_book(desk.organization, "GAS")
    closing = Closing(
        organization_id=desk.organization.pk, day=TRADED_AT.date(), as_of=TRADED_AT,
        known_at=server_time(), opening=None, run=None, is_restatement=False, actor=SYSTEM,
    )  # fmt: skip
    live = latest_basis()

    result = run_risk_of_day(closing)

    made = RiskRun.objects.filter(kind=RunKind.END_OF_DAY).order_by("book__code")
    assert [(run.book.code, run.outcome.trades) for run in made] == [("EU", 3), ("GAS", 0)]
    assert made[0].snapshot.valued_at == TRADED_AT and not made[0].snapshot.is_live
    var = numbers_of(made[0].outcome)[0].var
    assert var == pytest.approx(book_state(desk.book.pk)["var"], rel=1e-9)
    assert f"EU VaR {var:,.2f} EUR" in result.said and result.findings == ()
    assert latest_basis() is live  # no book was put on the close
