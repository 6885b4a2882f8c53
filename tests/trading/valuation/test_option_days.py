"""Days of a desk with options: explained to the cent, each close the same for ever."""

import random
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod
from tests.factories.billing import book_hourly_prices
from trading import deals
from trading.deals import REFERENCE_MARKETS, OptionStyle, OptionType, Settlement, Volume
from trading.models import OptionFamily, OptionOutcome, PnlKind, PricingFormula, Trade
from trading.services.exercise import decide_options, exercise_option
from trading.services.lifecycle import amend_trade
from trading.services.pnl import explain_runs
from trading.services.pricing_models import ModelTerms
from trading.services.valuation import prove_run, value_organization

from .desk import publish
from .options_desk import (
    CALL,
    EVENING,
    INDEX,
    INDEX_FR,
    choose,
    option,
    option_desk,
    quote_interest,
    quote_vols,
    second_market,
)

pytestmark = pytest.mark.django_db
DAYS = 12
FIRST = date(2026, 11, 25)
SEED = 12
DE = REFERENCE_MARKETS["DE"]
DECEMBER = deals.Schedule(DE, DatePeriod.months(2026, 12), Volume.mw(Decimal(5)))
FREE = {"premium": Decimal(0)}


def close(day):
    return datetime(day.year, day.month, day.day, 17, tzinfo=UTC)


def options_of(number):
    """What is dealt on a day: of each kind one, some of which expire or fix within the days."""
    half = datetime(2026, 11, 30, 12, tzinfo=UTC)
    cap = replace(CALL, option_type=OptionType.CAP, strikes=(Decimal(94),))
    return {
        0: option(),
        1: option(cap),
        2: option(CALL, option_type=OptionType.COLLAR, strikes=(Decimal(85), Decimal(99)), **FREE),
        3: option(CALL, option_type=OptionType.SPREAD_PUT, underlying=(INDEX, INDEX_FR),
                  strikes=(Decimal(6),)),
        4: option(CALL, schedule=DECEMBER, style=OptionStyle.ASIAN, strikes=(Decimal(90),),
                  expiry=datetime(2026, 12, 31, 22, tzinfo=UTC)),
        5: option(CALL, option_type=OptionType.PUT, expiry=half + timedelta(days=3),
                  strikes=(Decimal(97),)),
        6: option(CALL, option_type=OptionType.PAYER_SWAPTION, settlement=Settlement.PHYSICAL,
                  expiry=half + timedelta(days=5), strikes=(Decimal(92),)),
    }.get(number)  # fmt: skip


class World:
    """Two markets whose curves, volatilities and rates move from one seed."""

    def __init__(self):
        self.draw = random.Random(SEED)
        self.desk = option_desk()
        self.other = second_market(self.desk)
        self.level = 92.0

    def market(self, day):
        start = close(day) - timedelta(hours=18)
        spot = [f"{self.level + self.draw.gauss(0, 20):.2f}" for _ in range(24)]
        book_hourly_prices(self.desk.market, start, spot)
        self.level += self.draw.gauss(0, 1.5)
        at = close(day)
        names = {"Dec26": 0.98, "Q1-27": 1.05, "Jan27": 1.1, "Cal27": 1.0}
        publish(self.desk.market, {n: f"{self.level * f:.2f}" for n, f in names.items()}, at=at)
        publish(self.other, {"Q1-27": f"{self.level:.2f}", "Cal27": "80"}, at=at)
        vol = 0.4 + self.draw.gauss(0, 0.02)
        quote_vols(self.desk.market, {"Dec26": f"{vol + 0.2:.4f}", "Q1-27": f"{vol:.4f}",
                                      "Jan27": f"{vol + 0.1:.4f}"}, at=at)  # fmt: skip
        quote_vols(self.other, {"Q1-27": f"{vol - 0.03:.4f}"}, at=at)
        quote_interest(at, round(0.03 + self.draw.gauss(0, 0.001), 5))

    def trade(self, number, day):
        at = close(day) - timedelta(hours=2)
        deal = options_of(number)
        if deal is not None:
            self.desk.deal(deal=deal, traded_at=at, received_at=at, fill=True)
        if number == 7:
            first = Trade.objects.earliest("id")
            amend_trade(
                actor=self.desk.trader, ref=first.ref, expected_version=1, received_at=at,
                deal=option(strikes=(Decimal(98),)), reason="agreed anew", override_reason="fact",
            )  # fmt: skip
        if number == 8:
            terms = ModelTerms("DE", OptionFamily.VANILLA, PricingFormula.DISPLACED_BLACK,
                               displacement=Decimal(20))  # fmt: skip
            choose(self.desk, terms)


@pytest.mark.slow
def test_days_with_options_are_explained_to_the_cent_and_every_close_restates_to_its_hash():
    world, actor = World(), Actor.system("test")
    organization = world.desk.organization.pk
    runs, reports = [], []
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        world.market(day)
        world.trade(number, day)
        run = value_organization(
            actor=actor, organization_id=organization, as_of=close(day) + timedelta(hours=1)
        )
        reports += explain_runs(
            actor=actor, opening=runs[-1] if runs else None, closing=run, day=day,
            kind=PnlKind.OFFICIAL,
        )  # fmt: skip
        runs.append(run)

    seen = defaultdict(Decimal)
    for report in reports:
        steps = list(report.steps.all())
        assert sum(step.reporting for step in steps) == report.total, report.day
        assert not [step for step in steps if step.kind == "RESIDUAL"], report.day
        for step in steps:
            seen[step.kind] += abs(step.reporting)
            seen[step.kind, step.name] += abs(step.reporting)
    for before, after in pairwise(reports):
        assert before.closing_value == after.opening_value
    assert {"TIME", "PRICE", "INTEREST", "VOL", "FIXING", "NEW", "AMENDMENT", "FEES"} <= set(seen)
    assert seen["PRICE", "DE"] and seen["PRICE", "FR"]
    assert all((run.unvalued, run.findings) == (0, []) for run in runs), [r.findings for r in runs]
    # The put that expired in between is paid, the swaption that nobody exercised is nothing.
    assert runs[-1].values.filter(unrealised=0, version__trade__status="LIVE").count() == 2
    for run in runs:
        assert prove_run(run).is_same, run.as_of


def test_what_options_were_decided_to_be_is_a_step_where_the_trade_they_made_comes_in():
    desk, actor = option_desk(), Actor.system("test")
    delivers = desk.deal(deal=option(settlement=Settlement.PHYSICAL, strikes=(Decimal(80),)))
    pays = desk.deal(deal=option(strikes=(Decimal("80.37"),)))
    forgotten = desk.deal(
        deal=option(settlement=Settlement.PHYSICAL, strikes=(Decimal(110),), premium=Decimal(0))
    )
    publish(desk.market, {"Cal27": "88.00", "Q1-27": "97.13"}, at=close(date(2026, 12, 18)))
    organization = desk.organization.pk
    runs = [value_organization(actor=actor, organization_id=organization, as_of=EVENING)]

    exercise_option(
        actor=desk.trader, ref=delivers.ref, expected_version=1,
        received_at=CALL.expiry - timedelta(hours=1),
    )  # fmt: skip
    decide_options(actor=Actor.system("beat"), as_of=CALL.expiry + timedelta(minutes=1))
    runs.append(
        value_organization(
            actor=actor, organization_id=organization, as_of=CALL.expiry + timedelta(hours=1)
        )
    )
    (report,) = explain_runs(
        actor=actor, opening=runs[0], closing=runs[1], day=date(2026, 12, 20),
        kind=PnlKind.OFFICIAL,
    )  # fmt: skip

    steps = {(s.trade.ref, s.kind): s for s in report.steps.select_related("trade")}
    made = Trade.objects.get(replaces__ref=delivers.ref).ref
    hours = 21590
    # The payoff that time and prices left, discounted to each month's payment, for the forward.
    gone, come = steps[delivers.ref, "EXERCISE"], steps[made, "EXERCISE"]
    assert come.amount == round(hours * (Decimal("97.13") - 80), 2)
    assert 0.99 < -gone.amount / come.amount < 1
    assert gone.realised == 0
    cash = OptionOutcome.objects.get(trade__ref=pays.ref).cash
    assert cash == hours * (Decimal("97.13") - Decimal("80.37"))
    closed = runs[1].values.get(trade__ref=pays.ref)
    assert (closed.realised, closed.fees) == (cash - Decimal("86360.00"),) * 2
    assert closed.unrealised == 0
    # What remains is interest from the expiry to the payment.
    assert 0 < steps[pays.ref, "EXERCISE"].amount < cash / 200
    assert (forgotten.ref, "EXERCISE") not in steps
    assert not {"NEW", "AMENDMENT", "FEES", "RESIDUAL"} & {kind for _, kind in steps}
    assert sum(s.reporting for s in report.steps.all()) == report.total
    assert prove_run(runs[1]).is_same
