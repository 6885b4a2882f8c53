"""Price processes: calibrated to what is known, proposed with a reason, decided by another."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.proposals.services import SecondPersonNeeded
from tests.factories.accounts import make_user
from tests.factories.curves import CLOSE, quote, three_markets
from tests.factories.trades import make_desk, make_market
from tests.factories.trading import make_prices
from tests.trading.valuation.options_desk import quote_vols
from trading.models import CalibrationBasis, PriceProcess, ProcessCalibration, ProcessKind
from trading.pricing import MeanRevertingSpot, TwoFactorForwards
from trading.queries.price_processes import UnknownCalibration, processes_at
from trading.services.calibrations import CalibrationRefused, CalibrationTerms, calibrate
from trading.services.locks import server_time
from trading.services.price_processes import (
    PriceProcessRefused,
    ProcessTerms,
    decide_process,
    propose_calibrated,
    propose_process,
)
from trading.tasks import calibrate_process

pytestmark = pytest.mark.django_db
LIST = "/api/v1/trading/price-processes"
UNTIL = CLOSE.date()
FIRST = UNTIL - timedelta(days=119)
SPOT = ProcessTerms("DE", ProcessKind.SPOT_NORMAL, {"mean_reversion": 40.0, "volatility": 90.0})
PAIR = ProcessTerms("FR", ProcessKind.CORRELATION, {"correlation": 0.7}, "DE")
HISTORY = CalibrationTerms(
    "DE", ProcessKind.SPOT_NORMAL, CalibrationBasis.FIXINGS, UNTIL, first_date=FIRST
)


@pytest.fixture
def desk(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: CLOSE)
    make_market("FR")
    return make_desk()


@pytest.fixture
def second(desk):
    return Actor.for_user(make_user(Role.RISK_OFFICER, organization=desk.organization))


def client_of(actor):
    client = Client()
    client.force_login(actor.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def fitted(desk, terms=HISTORY):
    return calibrate(actor=desk.officer, terms=terms, as_of=CLOSE, known_at=server_time())


def book_days(market, prices):
    """Book each day's price for all its periods, the first of the days is FIRST."""
    start = market.calendar.day(FIRST).start
    first = datetime(start.year, start.month, start.day, start.hour, tzinfo=UTC)
    hours = [int(market.calendar.day(FIRST + timedelta(days=n)).hours) for n in range(len(prices))]
    values = [f"{price:.2f}" for price, count in zip(prices, hours, strict=True)
              for _ in range(count * 60 // market.period_minutes)]  # fmt: skip
    make_prices(market, first, values, received_at=CLOSE - timedelta(minutes=5))


def days_of(process, count=120, level=70.0, seed=3):
    paths = process.simulate(
        times=(np.arange(count) + 1) / 365, curve=level, scenarios=1,
        generator=np.random.default_rng(seed), antithetic=False,
    )  # fmt: skip
    return paths.spot[0]


def test_a_version_holds_from_its_approval_and_older_cuts_keep_the_one_before(desk, second):
    first = propose_process(actor=desk.officer, terms=SPOT, reason="estimated elsewhere")
    assert processes_at() == {}
    decide_process(actor=second, process_id=first.pk, approve=True, reason="")
    faster = replace(SPOT, parameters={**SPOT.parameters, "mean_reversion": 80.0})
    next_one = propose_process(actor=second, terms=faster, reason="it reverts faster")
    before = processes_at()["DE", ""]
    decided = decide_process(actor=desk.officer, process_id=next_one.pk, approve=True, reason="ok")
    pair = propose_process(actor=desk.officer, terms=PAIR, reason="daily changes of a year")
    decide_process(actor=second, process_id=pair.pk, approve=True, reason="")

    assert (before.number, processes_at()["DE", ""].number) == (1, 2)
    first.refresh_from_db()
    assert processes_at(first.decided_at)["DE", ""].number == 1
    assert processes_at(decided.decided_at)["DE", ""].parameters["mean_reversion"] == 80.0
    assert processes_at(first.recorded_at) == {}
    # A pair is kept in the order of its codes, whichever was named first.
    assert (pair.market.code, pair.second_market.code) == ("DE", "FR")
    assert processes_at()["DE", "FR"].parameters == {"correlation": 0.7}
    told = Event.objects.filter(aggregate_type="price_process").order_by("id")
    assert [event.type.partition(".")[2] for event in told] == [
        "proposed", "approved", "proposed", "approved", "proposed", "approved",
    ]  # fmt: skip
    assert told[3].payload["parameters"]["mean_reversion"] == 80.0


def test_nobody_decides_on_an_own_proposal_or_twice_or_declines_without_a_reason(desk, second):
    row = propose_process(actor=desk.officer, terms=SPOT, reason="history")

    with pytest.raises(SecondPersonNeeded):
        decide_process(actor=desk.officer, process_id=row.pk, approve=True, reason="")
    with pytest.raises(PriceProcessRefused, match="reason"):
        decide_process(actor=second, process_id=row.pk, approve=False, reason=" ")
    decide_process(actor=second, process_id=row.pk, approve=False, reason="too calm")
    with pytest.raises(PriceProcessRefused, match="declined already"):
        decide_process(actor=second, process_id=row.pk, approve=True, reason="")
    with pytest.raises(PriceProcessRefused, match="no such version"):
        decide_process(actor=second, process_id=0, approve=True, reason="")
    with pytest.raises(PermissionMissing):
        propose_process(actor=desk.trader, terms=SPOT, reason="history")
    with pytest.raises(PermissionMissing):
        decide_process(actor=desk.trader, process_id=row.pk, approve=True, reason="")
    with pytest.raises(UnknownCalibration):
        propose_calibrated(actor=desk.officer, calibration_id=0, reason="why not")
    with pytest.raises(IntegrityError), transaction.atomic():
        PriceProcess.objects.filter(pk=row.pk).update(decided_by=row.proposed_by)
    assert processes_at() == {}


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (replace(SPOT, market="XX"), "market"),
        (replace(SPOT, second_market="FR"), "second_market"),
        (replace(SPOT, parameters={"volatility": 90.0}), "mean_reversion"),
        (replace(SPOT, parameters={**SPOT.parameters, "mean_reversion": 0.0}), "mean_reversion"),
        (replace(SPOT, parameters={**SPOT.parameters, "volatility": -1.0}), "volatility"),
        (replace(SPOT, parameters={**SPOT.parameters, "volatility": 0.0}), "volatility"),
        (replace(SPOT, parameters={**SPOT.parameters, "jump_mean": float("nan")}), "jump_mean"),
        (replace(SPOT, parameters={**SPOT.parameters, "noise": 1.0}), "noise"),
        (replace(SPOT, kind=ProcessKind.TWO_FACTOR), "volatility"),
        (replace(PAIR, second_market=""), "second_market"),
        (replace(PAIR, second_market="fr"), "second_market"),
        (replace(PAIR, parameters={"correlation": 1.01}), "correlation"),
    ],
)  # fmt: skip
def test_terms_that_do_not_fit_are_refused_by_field(desk, terms, field):
    with pytest.raises(ValidationError) as refused:
        propose_process(actor=desk.officer, terms=terms, reason="why not")

    assert list(refused.value.message_dict) == [field]
    assert not PriceProcess.objects.exists()


def test_a_history_of_days_gives_back_the_process_it_came_from_with_errors_and_what_is_left_out(
    desk,
):
    prices = days_of(MeanRevertingSpot(60.0, 120.0))
    book_days(desk.market, prices[:-3])

    row = fitted(desk)

    values = {name: (value, error) for name, value, error in row.parameters}
    for name, truth in (("mean_reversion", 60.0), ("volatility", 120.0)):
        value, error = values[name]
        assert abs(value - truth) < 3 * error, (name, value, error)
    assert values["jump_intensity"][0] == 0.0
    assert (row.days, row.observations) == (117, 116)
    assert "3 of 120 days are left out" in row.findings[0]
    # The season is fitted first and takes a little of what moves, so residuals are near, not at, 1.
    figures = {label: value for label, value, _ in row.figures}
    assert figures["Residuals: deviation (1)"] == pytest.approx(1.0, abs=0.02)
    assert row.rows[0][2][0] == pytest.approx(float(prices[0]), abs=0.01)
    assert Event.objects.get(type="price_process.calibrated").payload["days"] == 117
    # Proposed as it is; a lognormal one of the same days is another row.
    made = propose_calibrated(actor=desk.officer, calibration_id=row.pk, reason="120 days")
    assert made.parameters["volatility"] == values["volatility"][0]
    assert made.calibration_id == row.pk


def test_history_that_says_nothing_or_that_the_process_cannot_have_is_refused_by_name(desk):
    lognormal = replace(HISTORY, kind=ProcessKind.SPOT_LOGNORMAL)
    with pytest.raises(CalibrationRefused, match="DE: 0 days with all their prices are known"):
        fitted(desk)
    prices = np.full(120, 70.0)
    book_days(desk.market, prices)
    with pytest.raises(CalibrationRefused, match="DE: no price ever moves"):
        fitted(desk)
    prices[7] = -4.0
    book_days(desk.market, prices)
    with pytest.raises(CalibrationRefused, match=r"1 of 120 prices are not above 0.*normal one"):
        fitted(desk, lognormal)
    forwards = replace(HISTORY, kind=ProcessKind.TWO_FACTOR, basis=CalibrationBasis.QUOTES)
    with pytest.raises(CalibrationRefused, match="0 trading days with 0 contracts"):
        fitted(desk, forwards)
    vols = replace(forwards, basis=CalibrationBasis.VOLATILITIES, first_date=None)
    with pytest.raises(CalibrationRefused, match="no lognormal volatility is quoted"):
        fitted(desk, vols)
    for terms, field in (
        (replace(HISTORY, market="XX"), "market"),
        (replace(HISTORY, kind=ProcessKind.CORRELATION), "kind"),
        (replace(HISTORY, kind=ProcessKind.TWO_FACTOR), "basis"),
        (replace(HISTORY, first_date=None), "first_date"),
        (replace(HISTORY, first_date=UNTIL - timedelta(days=30)), "first_date"),
        (replace(HISTORY, minutes=15), "minutes"),
        (replace(HISTORY, correlation=0.5), "correlation"),
        (replace(HISTORY, vol_source="broker"), "vol_source"),
        (replace(vols, correlation=1.0), "correlation"),
        (replace(vols, first_date=FIRST), "first_date"),
    ):
        with pytest.raises(ValidationError) as refused:
            fitted(desk, terms)
        assert list(refused.value.message_dict) == [field]
    assert not ProcessCalibration.objects.exists()


@pytest.mark.slow  # two searches of five parameters
def test_quoted_contracts_give_two_factors_and_volatilities_theirs(desk):
    three_markets()
    truth = TwoFactorForwards(2.0, 0.6, 0.15, 0.2)
    contracts = [("Jan27", 2027, 1), ("Mar27", 2027, 3), ("Q3-27", 2027, 7), ("Cal28", 2028, 1)]
    days = [CLOSE - timedelta(days=60 - n) for n in range(60)]
    times = (np.arange(60) + 1) / 365
    start = [(date(y, m, 1) - days[0].date()).days / 365 for _, y, m in contracts]
    length = [31 / 365, 31 / 365, 92 / 365, 366 / 365]
    factors = truth.factors(times=times, scenarios=2, generator=np.random.default_rng(5))
    curves = truth.forwards(
        factors, times=times, curve=[40.0, 38.0, 33.0, 35.0], delivery=start, length=length
    )[0]
    for at, row in zip(days, curves.tolist(), strict=True):
        named = zip(contracts, row, strict=True)
        quote(desk.market, {(code, "BASE"): f"{price:.3f}" for (code, *_), price in named}, at=at)
    quote_vols(desk.market, {"Mar27": "0.50", "Q2-27": "0.42", "Q3-27": "0.34", "Cal28": "0.25"},
               at=CLOSE)  # fmt: skip
    history = CalibrationTerms(
        "DE", ProcessKind.TWO_FACTOR, CalibrationBasis.QUOTES, UNTIL,
        first_date=UNTIL - timedelta(days=70),
    )  # fmt: skip

    past = fitted(desk, history)
    quoted = fitted(desk, CalibrationTerms(
        "DE", ProcessKind.TWO_FACTOR, CalibrationBasis.VOLATILITIES, UNTIL, correlation=0.2,
    ))  # fmt: skip

    values = {name: value for name, value, _ in past.parameters}
    assert values["short_volatility"] == pytest.approx(0.6, rel=0.35)
    assert values["long_volatility"] == pytest.approx(0.15, rel=0.6)
    assert [label for label, *_ in past.rows] == ["Jan 2027", "Mar 2027", "Jul 2027, 3 months",
                                                  "Jan 2028, 12 months"]  # fmt: skip
    for _, _, (seen, modelled) in past.rows:
        assert modelled == pytest.approx(seen, rel=0.25)
    assert (past.days, past.observations) == (60, 59 * 4)
    made = {name: (value, error) for name, value, error in quoted.parameters}
    assert made["correlation"] == (pytest.approx(0.2), 0.0)
    assert "held at 0.2" in " ".join(quoted.findings)
    assert "3 volatilities are left out: they expire after delivery began" in " ".join(
        quoted.findings
    )
    assert all(abs(m - q) < 0.05 for _, _, (q, m) in quoted.rows)
    page = client_of(desk.trader).get(reverse("trading:process_calibration", args=[past.pk])).text
    assert "Volatility by start of delivery, market and model" in page
    assert "Jul 2027, 3 months" in page
    assert "Propose as it is" not in page


def test_the_pages_calibrate_propose_and_another_person_approves(
    desk, second, django_capture_on_commit_callbacks
):
    book_days(desk.market, days_of(MeanRevertingSpot(60.0, 120.0)))
    officer, other, trader = client_of(desk.officer), client_of(second), client_of(desk.trader)
    page, form = reverse("trading:price_processes"), reverse("trading:calibrate_process")
    given = {"market": "DE", "kind": "SPOT_NORMAL", "basis": "FIXINGS", "minutes": "1440",
             "first_date": FIRST.isoformat(), "until_date": UNTIL.isoformat()}  # fmt: skip

    assert b"No process yet" in officer.get(page).content
    assert officer.get(form).status_code == 200
    wrong = officer.post(form, {**given, "basis": "QUOTES"})
    assert wrong.status_code == 422 and b"Spot is calibrated to fixings" in wrong.content
    with django_capture_on_commit_callbacks(execute=True):
        assert officer.post(form, given).status_code == 302
    job = Job.objects.get(kind="process_calibration")
    assert (job.state, job.task) == ("SUCCEEDED", calibrate_process.name), job.error
    shown = officer.get(job.result_url).text
    for words in ("Price and season", "Figures as a table", "Half-life of a deviation",
                  "Standard error", "Propose as it is", "Days used"):  # fmt: skip
        assert words in shown, words
    assert trader.post(job.result_url, {"reason": "I may not"}).status_code == 403
    assert officer.post(job.result_url, {"reason": ""}).status_code == 422
    assert officer.post(job.result_url, {"reason": "120 days"}).status_code == 302
    assert b"Approve</button>" not in officer.get(page).content
    row = PriceProcess.objects.get()
    verdict = reverse("trading:decide_price_process", args=[row.pk])
    assert other.post(verdict, {"verdict": "approve"}, follow=True).status_code == 200
    listed = trader.get(page).text
    assert "In use" in listed and "120 days" in listed and "mean reversion" in listed
    assert officer.post(verdict, {"verdict": "maybe"}).status_code == 400
    late = other.post(verdict, {"verdict": "approve"}, follow=True)
    assert b"approved already" in late.content
    with CaptureQueriesContext(connection) as one:
        trader.get(page)

    by_hand = reverse("trading:propose_price_process")
    refused = officer.post(by_hand, {"market": "FR", "kind": "TWO_FACTOR", "reason": "by hand"})
    assert refused.status_code == 422 and b"Is needed." in refused.content
    stated = {"market": "FR", "kind": "CORRELATION", "second_market": "DE", "correlation": "0.6",
              "reason": "a year of changes"}  # fmt: skip
    assert officer.post(by_hand, stated).status_code == 302
    with CaptureQueriesContext(connection) as two:
        assert "DE with FR" in trader.get(page).text
    assert len(one) == len(two)
    assert "Calibrate</a>" not in trader.get(page).text
    for address in (form, by_hand):
        assert trader.get(address).status_code == 403
    assert trader.post(verdict).status_code == 403
    gone = reverse("trading:process_calibration", args=[0])
    assert trader.get(gone).status_code == 404


def test_a_job_that_cannot_fit_ends_with_the_sentence(desk, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        client_of(desk.officer).post(
            reverse("trading:calibrate_process"),
            {"market": "DE", "kind": "SPOT_NORMAL", "basis": "FIXINGS", "minutes": "1440",
             "first_date": FIRST.isoformat(), "until_date": UNTIL.isoformat()},
        )  # fmt: skip

    job = Job.objects.get(kind="process_calibration")
    assert job.state == "FAILED"
    assert "60 is the least. Import prices, or take longer." in job.error


def test_rest_lists_proposes_calibrates_and_decides(desk, second):
    officer, other, trader = client_of(desk.officer), client_of(second), client_of(desk.trader)
    book_days(desk.market, days_of(MeanRevertingSpot(60.0, 120.0)))
    fit = fitted(desk)
    kind = {"content_type": "application/json"}

    made = officer.post(LIST, {"calibration": fit.pk, "reason": "120 days"}, **kind)
    assert made.status_code == 201, made.content
    assert (made.json()["market"], made.json()["status"]) == ("DE", "PENDING")
    for body, words in (
        ({"calibration": fit.pk, "market": "DE", "reason": "x"}, "Is that of the calibration"),
        ({"reason": "x"}, "Is needed without a calibration"),
        ({"market": "DE", "kind": "TWO_FACTOR", "reason": "x"}, "mean_reversion"),
        ({"market": "DE", "kind": "TWO_FACTOR", "reason": "x", "more": 1}, "more"),
    ):
        wrong = officer.post(LIST, body, **kind)
        assert wrong.status_code == 400 and words in wrong.content.decode(), words
    assert officer.post(LIST, {"calibration": 0, "reason": "x"}, **kind).status_code == 404
    address = f"{LIST}/{made.json()['id']}/decision"
    verdict = {"verdict": "APPROVE"}
    assert officer.post(address, verdict, **kind).status_code == 409
    assert other.post(address, verdict, **kind).json()["status"] == "APPROVED"
    again = other.post(address, verdict, **kind)
    assert (again.status_code, again.json()["code"]) == (409, "price_process_refused")
    listed = trader.get(LIST).json()["results"]
    assert [(row["version"], row["calibration"]) for row in listed] == [(1, fit.pk)]
    found = trader.get(f"{LIST}/calibrations/{fit.pk}").json()
    assert [one["name"] for one in found["parameters"]][:2] == ["mean_reversion", "volatility"]
    assert found["days"] == 120 and found["figures"][0]["unit"] == "days"
    asked = {"market": "DE", "kind": "SPOT_NORMAL", "basis": "FIXINGS",
             "first_date": FIRST.isoformat(), "until_date": UNTIL.isoformat()}  # fmt: skip
    assert officer.post(f"{LIST}/calibrations", asked, **kind).status_code == 202
    late = {**asked, "until_date": "2030-01-01"}
    refused = officer.post(f"{LIST}/calibrations", late, **kind)
    assert refused.status_code == 400 and "until_date" in refused.content.decode()
    assert trader.post(LIST, {"calibration": fit.pk, "reason": "x"}, **kind).status_code == 403
    assert trader.post(f"{LIST}/calibrations", asked, **kind).status_code == 403
    assert trader.get(f"{LIST}/calibrations/0").status_code == 404
