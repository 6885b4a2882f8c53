"""Thirty days of a desk that deals, amends, cancels and is corrected: each day is explained."""

import random
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Side
from tests.factories.billing import book_hourly_prices
from tests.factories.curves import SYSTEM
from tests.factories.plants import feed_in, make_plant, output_deal
from tests.factories.trades import deal_of_words
from trading.deals import AssetShare, Direction, Fee, FeeKind, Volume, asset_share
from trading.models import PnlKind, Trade
from trading.reference import FxRateTerms
from trading.services.indices import book_fx_rates
from trading.services.lifecycle import amend_trade, cancel_trade
from trading.services.metering import true_up_trades
from trading.services.pnl import explain_runs
from trading.services.valuation import prove_run, value_organization

from .desk import publish, valued_desk

pytestmark = pytest.mark.django_db
DAYS = 30
FIRST = date(2026, 11, 16)
DECEMBER = DatePeriod.months(2026, 12)
SEED = 11


class World:
    """What happens around the desk, from one seed."""

    def __init__(self):
        self.draw = random.Random(SEED)
        self.desk = valued_desk()
        self.level = 90.0

    def close(self, day):
        return datetime(day.year, day.month, day.day, 17, tzinfo=UTC)

    def market(self, day):
        """Spot of the day, an exchange rate, quotes, and now and then corrections of them."""
        start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=1)
        self.spot(start)
        if day.toordinal() % 5 == 0 and day > FIRST:
            self.spot(start - timedelta(days=2))
        self.rate(day)
        if day.weekday() < 5:
            self.level += self.draw.gauss(0, 1.5)
            at = self.close(day)
            publish(self.desk.market, self.quotes(day), at=at)
            if day.toordinal() % 4 == 0:
                publish(self.desk.market, self.quotes(day), at=at)

    def spot(self, start):
        prices = [f"{self.level + self.draw.gauss(0, 40):.2f}" for _ in range(24)]
        book_hourly_prices(self.desk.market, start, prices)

    def rate(self, day):
        terms = FxRateTerms(
            base="EUR", quote="USD", rate=Decimal(str(round(self.draw.uniform(1.05, 1.2), 4))),
            valid_from=self.close(day), source="ECB",
        )  # fmt: skip
        book_fx_rates(actor=SYSTEM, rates=[terms])

    def quotes(self, day):
        at = self.level
        found = {"Cal27": at, "Cal27 PEAK": at * 1.2, "Q1-27": at * 1.1, "Jan27": at * 1.15}
        if day.month == 11:
            found["Dec26"] = at * 1.05
        return {name: f"{price:.2f}" for name, price in found.items()}

    def deal(self, day):
        products = ["base Cal27", "peak Cal27", "base Q1-27", "base Jan27"]
        if day.month == 11:
            products += ["base Dec26", "base Dec26"]
        side, size = self.draw.choice("BS"), self.draw.randint(1, 20)
        words = f"{side} {size}MW DE {self.draw.choice(products)} @ {self.draw.gauss(90, 4):.2f}"
        deal = deal_of_words(words)
        if self.draw.random() < 0.4:
            amount = Decimal(self.draw.randint(1, 50000)).scaleb(-2)
            currency = self.draw.choice(["EUR", "USD"])
            fee = Fee(Direction.PAY, FeeKind.BROKER, amount, currency)
            deal = replace(deal, legs=(*deal.legs, fee))
        return deal

    def trade(self, day):
        """Two deals, and a change of some older one."""
        at = self.close(day) - timedelta(hours=2)
        for _ in range(2):
            self.desk.deal(deal=self.deal(day), traded_at=at, received_at=at, fill=True)
        forwards = Trade.objects.filter(status="LIVE", product_kind="PHYSICAL_FORWARD")
        live = list(forwards.order_by("id"))
        trade = self.draw.choice(live)
        arguments = {
            "actor": self.desk.trader, "ref": trade.ref, "reason": "agreed anew",
            "expected_version": trade.latest_version, "received_at": at,
        }  # fmt: skip
        if self.draw.random() < 0.3:
            cancel_trade(**arguments)
        elif trade.versions.latest("version").delivery_start > at:
            amend_trade(deal=self.deal(day), override_reason="facts", **arguments)

    def output(self, day):
        """Deals on a plant's output: one bought by the hour, one sold flat."""
        at = self.close(day) - timedelta(hours=3)
        make_plant(self.desk.market)
        profile = output_deal(DECEMBER, mw=10, contracted="40")
        flat = asset_share(
            side=Side.SELL, area=profile.schedule.area, period=DECEMBER, price=Decimal("71.3"),
            asset=AssetShare("WIND-1", Decimal(100), Decimal("33.333333")),
            expected=Volume.mw(Decimal("8.5")),
        )  # fmt: skip
        for deal in (profile, flat):
            self.desk.deal(deal=deal, traded_at=at, received_at=at, fill=True)

    def meter(self, day):
        """The plant's quarter hours of the day before, some of them missing, and corrections."""
        start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=25)
        self.feed_in(start, 15, 96)
        if day.toordinal() % 3 == 0:
            self.feed_in(start - timedelta(days=2), 15, 60)

    def feed_in(self, start, minutes, count):
        missing = self.draw.randrange(count)
        for first, after in ((0, missing), (missing + 1, count)):
            values = [f"{self.draw.uniform(0, 99):.3f}" for _ in range(first, after)]
            at = start + first * timedelta(minutes=minutes)
            organization_id = self.desk.organization.pk
            feed_in(organization_id, self.desk.market, at, values, minutes=minutes)

    def amend_output(self, day):
        """A larger share of the plant, agreed while it delivers."""
        trade = Trade.objects.filter(product_kind="AS_GENERATED").order_by("id")[0]
        amend_trade(
            actor=self.desk.trader, ref=trade.ref, expected_version=trade.latest_version,
            deal=output_deal(DECEMBER, mw=12, contracted="50"), reason="a larger share",
            received_at=self.close(day), override_reason="facts",
        )  # fmt: skip


@pytest.mark.slow
def test_thirty_days_are_explained_to_the_cent_and_every_close_restates_to_its_hash():
    world = World()
    actor = Actor.system("test")
    organization = world.desk.organization.pk
    runs, reports = [], []
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        world.market(day)
        world.trade(day)
        world.meter(day)
        if number == 2:
            world.output(day)
        if number == 24:
            world.amend_output(day)
        if number == 20:
            # Agreed weeks ago and entered today: late.
            early = world.close(FIRST) - timedelta(hours=1)
            world.desk.deal(
                "B 3MW DE base Cal27 @ 88", traded_at=early, received_at=world.close(day)
            )
        trued_up = true_up_trades(
            actor=actor, organization_id=organization, as_of=world.close(day) + timedelta(hours=1)
        )
        assert trued_up.refused == ()
        run = value_organization(
            actor=actor, organization_id=organization, as_of=world.close(day) + timedelta(hours=1)
        )
        opening = runs[-1] if runs else None
        reports += explain_runs(
            actor=actor, opening=opening, closing=run, day=day, kind=PnlKind.OFFICIAL
        )
        runs.append(run)

    assert [report.day for report in reports] == [FIRST + timedelta(days=n) for n in range(DAYS)]
    seen = defaultdict(Decimal)
    for report in reports:
        steps = list(report.steps.all())
        assert sum(step.reporting for step in steps) == report.total, report.day
        assert not [step for step in steps if step.kind == "RESIDUAL"], report.day
        for step in steps:
            seen[step.kind] += abs(step.reporting)
            if step.name == "late":
                seen["late"] += abs(step.reporting)
    for before, after in pairwise(reports):
        assert before.closing_value == after.opening_value
    assert reports[-1].closing_value == sum(report.total for report in reports)
    # Every cause has had its effect, so that none of the sums above is of nothing.
    assert {"PRICE", "FX", "FIXING", "VOLUME", "NEW", "AMENDMENT", "FEES", "late"} <= set(seen)
    metered = Trade.objects.filter(versions__event="METER").distinct()
    assert metered.count() == 2
    december = reports[-1].closing.values.filter(realised__gt=0)
    assert december.exists()
    for run in runs:
        proof = prove_run(run)
        assert proof.is_same, run.as_of
    assert all(run.unvalued == 0 for run in runs)
