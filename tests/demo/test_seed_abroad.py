"""The demo's deal in pounds, its exchange rates and its hedge targets: there once, and shown."""

import itertools
import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from energyopti.accounts.actors import Actor
from energyopti.demo import seed
from energyopti.demo.people import COMPANY, seed_people
from trading.models import FxRate, HedgeTarget, TradeVersion
from trading.queries.exchange import Rates
from trading.queries.hedging import hedge_lines, month_columns

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_a_day_has_one_rate_and_days_differ_as_rates_do():
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(500)]
    rates = [seed.pounds_on(day) for day in days]

    assert rates == [seed.pounds_on(day) for day in days]
    assert all(Decimal("0.82") < rate < Decimal("0.91") for rate in rates)
    moves = [math.log(after / before) for before, after in itertools.pairwise(rates)]
    assert 0.001 < math.sqrt(sum(move**2 for move in moves) / len(moves)) < 0.006


@pytest.mark.django_db
@pytest.mark.slow
def test_the_book_holds_a_deal_in_pounds_and_has_targets_once(monkeypatch) -> None:
    monkeypatch.setattr(seed, "TRADING_DAYS", 12)
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: NOW)
    company = seed_people(password="seed-only-password")[COMPANY]
    system = Actor.system("demo")

    for _ in range(2):
        seed.seed_market(actor=system, now=NOW)
        seed.seed_reference(actor=Actor.system("demo"), company=company)
        seed.seed_desk(actor=Actor.system("demo"), company=company)
        seed.seed_deal_abroad(actor=Actor.system("demo"), company=company, now=NOW)
        seed.seed_hedge_targets(actor=Actor.system("demo"))

    version = TradeVersion.objects.select_related("book", "trade").get()
    assert (version.currency, version.book.code, version.status) == ("GBP", "EU", "LIVE")
    assert Rates(NOW).require("GBP", "EUR") == pytest.approx(Decimal("1.15"), abs=Decimal("0.08"))
    fixings = FxRate.objects.filter(source="simulator")
    assert fixings.count() == fixings.values("valid_from").distinct().count() > 10
    assert HedgeTarget.objects.count() == 12
    lines = hedge_lines(
        [version.book_id], columns=month_columns(date(2027, 1, 1), date(2028, 1, 1))
    ).lines
    assert sum(line.target is not None for line in lines) == 12
