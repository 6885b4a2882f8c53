"""Purchase agreements with a floor and a cap in runs and days: by interval, explained, the same."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Side
from tests.factories.billing import book_hourly_prices
from tests.factories.plants import feed_in, make_plant
from trading import deals
from trading.deals import REFERENCE_MARKETS, AssetShare, Profile, Volume
from trading.models import OptionFamily, OptionGreek, OptionOutcome, PnlKind, PricingFormula
from trading.pricing import ModelChoice, PpaTerms, PriceModel, ppa
from trading.services.exercise import decide_options
from trading.services.metering import true_up_trades
from trading.services.pnl import explain_runs
from trading.services.pricing_models import ModelTerms
from trading.services.valuation import prove_run, value_organization

from .desk import publish
from .options_desk import EVENING, INDEX, RATE, choose, option_desk, quote_interest, quote_vols

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
DE = REFERENCE_MARKETS["DE"]
JANUARY = DatePeriod.months(2027, 1)
START = datetime(2026, 12, 31, 23, tzinfo=UTC)
HOURS = 744
SUN = np.where((np.arange(HOURS) % 24 > 7) & (np.arange(HOURS) % 24 < 16), 4.25, 0.0)
FLOOR, CAP = Decimal(60), Decimal(120)
# The last day of January is a Sunday; five business days later is Friday the 5th of February.
PAID = datetime(2027, 2, 4, 23, tzinfo=UTC)


def agreement(side=Side.BUY, power=SUN, **bounds):
    expected = power
    if isinstance(power, np.ndarray):
        expected = Profile(60, (power * 1e6).astype(np.int64))
    return deals.ppa(
        side=side, area=DE, period=JANUARY, asset=AssetShare("PV-1", Decimal(10), Decimal(5)),
        expected=expected, spread=Decimal("-2.50"),
        **{"index": INDEX, **(bounds or {"floor": FLOOR, "cap": CAP})},
    )  # fmt: skip


def run_of(desk, as_of=EVENING, **cut):
    return value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=as_of, **cut
    )


def value_of(run, receipt):
    return run.values.get(trade__ref=receipt.ref)


def years(until, since=EVENING):
    return (until - since).total_seconds() / (365 * 86400)


def normal_desk():
    desk = option_desk(with_model=False)
    choose(desk, ModelTerms("DE", OptionFamily.VANILLA, PricingFormula.BACHELIER))
    quote_vols(desk.market, {"Jan27": "30", "Q1-27": "20"}, at=EVENING - timedelta(hours=1),
               kind="NORMAL")  # fmt: skip
    return desk


def test_bounds_are_worth_the_optionality_of_the_agreement_beside_its_spread():
    desk = normal_desk()
    bought = desk.deal(deal=agreement())
    sold = desk.deal(deal=agreement(Side.SELL))
    free = desk.deal(deal=agreement(cap=Decimal(10_000)))

    run = run_of(desk)

    # The curve is flat at 99 in January; bounds are paid on the 5th of February.
    whole = ppa(
        terms=PpaTerms(price=0.0, multiplier=1.0, floor=60.0, cap=120.0), volume=SUN, forward=99.0,
        hours=1.0, month=np.zeros(HOURS, dtype=np.int64),
        expiry=years(START) + np.arange(HOURS) / 8760, volatility=30.0,
        model=ModelChoice(PriceModel.BACHELIER),
    )  # fmt: skip
    discount = np.exp(-RATE * 77 / 365)
    options = float(whole.optionality) * discount
    spread = 2.5 * float(SUN.sum())
    assert float(value_of(run, bought).unrealised) == pytest.approx(spread + options, abs=0.02)
    assert float(value_of(run, sold).unrealised) == pytest.approx(-spread - options, abs=0.02)
    assert float(value_of(run, free).unrealised) == pytest.approx(spread, abs=0.02)
    assert abs(options) > 100
    assert (run.findings, run.unvalued) == ([], 0)
    (greek,) = OptionGreek.objects.filter(run=run, trade__ref=bought.ref)
    assert (greek.month, greek.shape) == (date(2027, 1, 1), "BASE")
    assert float(greek.delta) == pytest.approx(float(whole.delta[0]) * discount, rel=1e-5)
    assert float(greek.vega) == pytest.approx(float(whole.vega[0]) * discount, rel=1e-5)
    assert [row[3] for row in run.inputs["bounds"]["models"]] == ["BACHELIER"]
    assert prove_run(run).is_same


def test_a_constant_power_is_settled_by_the_month_so_it_is_an_average_of_it():
    desk = option_desk()
    receipt = desk.deal(deal=agreement(power=Volume.mw(Decimal(4)), floor=Decimal(60)))
    cap = deals.option(
        terms=deals.Option(
            deals.Direction.PAY, deals.Schedule(DE, JANUARY, Volume.mw(Decimal(4))),
            deals.OptionStyle.EUROPEAN, deals.OptionType.FLOOR, (INDEX,), (Decimal(60),),
            START + timedelta(hours=HOURS),
        )
    )  # fmt: skip
    alone = desk.deal(deal=cap)

    run = run_of(desk)

    bound = value_of(run, receipt).unrealised - Decimal("2.50") * 4 * HOURS
    assert bound == value_of(run, alone).unrealised < 0
    assert (run.findings, run.unvalued) == ([], 0)


def test_without_a_model_or_volatility_the_line_has_no_value_and_the_finding_says_why():
    desk = option_desk(with_model=False)
    receipt = desk.deal(deal=agreement())

    bare = run_of(desk)
    choose(desk, ModelTerms("DE", OptionFamily.VANILLA, PricingFormula.BACHELIER))
    unquoted = run_of(desk)

    assert bare.findings == [
        "DE: no pricing model for options on a forward is approved, which floors and caps need;"
        " propose one under Pricing models. 1 trade is not valued."
    ]
    assert unquoted.findings == [
        "DE: no normal volatility is quoted; import volatilities. 1 trade is not valued."
    ]
    assert [run.unvalued for run in (bare, unquoted)] == [1, 1]
    assert not value_of(unquoted, receipt).is_valued
    # A decision of later is not known at the cut of the first.
    assert prove_run(bare).is_same


def test_days_of_delivery_are_explained_and_what_was_settled_counts_once():
    desk = normal_desk()
    desk.deal(deal=agreement())
    rng = np.random.default_rng(3)
    prices = np.round(rng.normal(90, 45, HOURS), 2)
    runs, reports = [], []
    for day in (date(2026, 12, 30), date(2027, 1, 1), date(2027, 1, 4), date(2027, 2, 2),
                date(2027, 2, 10)):  # fmt: skip
        at = datetime(day.year, day.month, day.day, 17, tzinfo=UTC)
        known = min(max(int((at - START).total_seconds() // 3600), 0), HOURS)
        published = int(((runs[-1].as_of if runs else START) - START).total_seconds() // 3600)
        published = min(max(published, 0), HOURS)
        if known > published:
            book_hourly_prices(
                desk.market, START + timedelta(hours=published),
                [f"{price:.2f}" for price in prices[published:known]],
            )  # fmt: skip
        if day.month != 2:
            level = 95 + day.day
            publish(desk.market, {"Cal27": "88", "Q1-27": "95", "Jan27": f"{level}"}, at=at)
            quote_vols(desk.market, {"Jan27": str(30 + day.day)}, at=at, kind="NORMAL")
        quote_interest(at, 0.02 + day.day / 10000)
        if day == date(2027, 2, 10):
            decided = decide_options(actor=Actor.system("test"), as_of=at)
            assert decided.fixed == 2
        runs.append(run_of(desk, at))
        reports += explain_runs(
            actor=Actor.system("test"), opening=runs[-2] if len(runs) > 1 else None,
            closing=runs[-1], day=day, kind=PnlKind.OFFICIAL,
        )  # fmt: skip

    kinds = set()
    for report in reports:
        steps = list(report.steps.all())
        assert sum(step.reporting for step in steps) == report.total, report.day
        kinds |= {step.kind for step in steps}
    for one, other in pairwise(reports):
        assert one.closing_value == other.opening_value
    assert kinds - {"EXERCISE"} == {"TIME", "PRICE", "INTEREST", "VOL", "FIXING", "NEW"}
    assert all((run.unvalued, run.findings) == (0, []) for run in runs), [r.findings for r in runs]
    # All of it is delivered and paid: the cash that the desk settled, and the spread, once.
    bounds = sum((row.cash for row in OptionOutcome.objects.all()), Decimal(0))
    payoff = SUN * (np.maximum(prices - 120, 0) - np.maximum(60 - prices, 0))
    assert float(bounds) == pytest.approx(payoff.sum(), abs=0.011)
    (value,) = runs[-1].values.all()
    assert (value.unrealised, value.fees) == (0, bounds)
    assert float(value.realised) == pytest.approx(2.5 * SUN.sum() + payoff.sum(), abs=0.011)
    for run in runs:
        assert prove_run(run).is_same, run.as_of


def test_bounds_are_valued_and_paid_on_what_was_metered_interval_by_interval():
    desk = normal_desk()
    make_plant(desk.market, "PV-1", installed_mwp=Decimal(10))
    metered, waiting = desk.deal(deal=agreement()), desk.deal(deal=agreement(cap=Decimal(200)))
    system, before = Actor.system("test"), START + timedelta(days=31)
    prices = np.round(np.random.default_rng(4).normal(90, 45, HOURS), 2)
    book_hourly_prices(desk.market, START, [f"{price:.2f}" for price in prices])
    publish(desk.market, {"Cal27": "88", "Q1-27": "95", "Jan27": "90"}, at=before)
    quote_interest(before, 0.0)
    # Half of the plant; the last ten hours are not read yet.
    power = np.round(SUN * np.random.default_rng(5).uniform(0.4, 1.6, HOURS), 3)
    feed_in(desk.organization.pk, desk.market, START, [f"{2 * mw:.3f}" for mw in power[:-10]])

    def true_up(at):
        return true_up_trades(actor=system, organization_id=desk.organization.pk, as_of=at)

    as_agreed = run_of(desk, before)
    assert true_up(before).changed == 2
    as_read = run_of(desk, before)
    assert decide_options(actor=system, as_of=before).fixed == 0
    late = [f"{2 * mw:.3f}" for mw in power[-10:]]
    feed_in(desk.organization.pk, desk.market, START + timedelta(hours=HOURS - 10), late)
    assert true_up(before + timedelta(hours=1)).changed == 2
    decided = decide_options(actor=system, as_of=before + timedelta(hours=2))
    assert decide_options(actor=system, as_of=before + timedelta(hours=3)).fixed == 0

    assert decided.fixed == len(OptionOutcome.objects.all()) > 0
    payoff = power * (np.maximum(prices - 120, 0) - np.maximum(60 - prices, 0))
    rows = OptionOutcome.objects.filter(trade__ref=metered.ref)
    assert float(sum(row.cash for row in rows)) == pytest.approx(payoff.sum(), abs=0.011)
    assert float(rows[0].amount) == pytest.approx(power.sum())
    assert "metered volume" in rows[0].source
    assert OptionOutcome.objects.filter(trade__ref=waiting.ref).exists()
    run = run_of(desk, datetime(2027, 2, 10, tzinfo=UTC))
    value = value_of(run, metered)
    assert value.unrealised == 0
    assert float(value.realised) == pytest.approx(2.5 * power.sum() + payoff.sum(), abs=0.02)
    (report,) = explain_runs(
        actor=system, opening=as_agreed, closing=as_read, day=date(2027, 1, 31),
        kind=PnlKind.OFFICIAL,
    )  # fmt: skip
    steps = list(report.steps.all())
    worth = [value_of(run, metered) for run in (as_agreed, as_read)]
    moved = [value.realised + value.unrealised for value in worth]
    assert {step.kind for step in steps} == {"VOLUME"}
    mine = [step.amount for step in steps if step.trade_id == metered.trade_id]
    assert sum(mine) == moved[1] - moved[0] != 0
    assert sum(step.reporting for step in steps) == report.total


def test_what_no_meter_has_read_by_the_day_of_payment_counts_as_expected():
    desk = normal_desk()
    make_plant(desk.market, "PV-1", installed_mwp=Decimal(10))
    desk.deal(deal=agreement())
    system = Actor.system("test")
    book_hourly_prices(desk.market, START, ["50.00"] * HOURS)

    assert decide_options(actor=system, as_of=PAID - timedelta(hours=1)).fixed == 0
    due = datetime(2027, 2, 28, tzinfo=UTC)
    assert decide_options(actor=system, as_of=due).fixed > 0

    paid = sum(row.cash for row in OptionOutcome.objects.all())
    assert float(paid) == pytest.approx(-10 * SUN.sum(), abs=0.011)


def test_queries_do_not_grow_with_agreements():
    desk = normal_desk()
    desk.deal(deal=agreement())
    run_of(desk)  # the curve is built once a process
    counted = []
    for _ in range(2):
        desk.deal(deal=agreement())
        desk.deal(deal=agreement(floor=Decimal(50)))
        with CaptureQueriesContext(connection) as queries:
            run = run_of(desk)
        counted.append(len(queries))

    assert counted[0] == counted[1]
    assert run.trades == 5


def test_the_page_and_rest_show_what_a_bound_was_valued_on_and_its_hedge(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: EVENING)
    desk = normal_desk()
    receipt = desk.deal(deal=agreement())
    free = desk.deal(deal=agreement(index=INDEX))
    run = run_of(desk)
    client = Client()
    client.force_login(
        desk.trader.user, backend="django.contrib.auth.backends.ModelBackend"
    )  # fmt: skip

    page = client.get(reverse("trading:trade", args=[receipt.ref])).content.decode()
    answer = client.get(f"/api/v1/trading/trades/{receipt.ref}/option-value").json()
    none = client.get(f"/api/v1/trading/trades/{free.ref}/option-value")

    bounds = float(value_of(run, receipt).unrealised) - 2.5 * float(SUN.sum())
    assert answer["value"] == pytest.approx(bounds, abs=0.02)
    assert answer["run"] == run.pk and answer["findings"] == []
    assert "agrees" in page and ">differs<" not in page
    assert {row["what"] for row in answer["rights"]} == {
        "Floor by the interval", "Cap by the interval",
    }  # fmt: skip
    (month,) = answer["greeks"]
    assert month["delta"] == pytest.approx(month["delta_revalued"], rel=1e-5)
    for row in answer["compared"]:
        assert row["formula"] == pytest.approx(row["revalued"], rel=0.02), row["name"]
    assert "Cap by the interval" in page and "Trade to hedge" in page
    assert none.status_code == 409
