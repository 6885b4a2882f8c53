"""What contracts with choices pay: each delivered day and each contract year, once."""

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.events.models import Event
from tests.factories.trading import make_prices
from tests.trading.valuation.structures_desk import (
    DAILY,
    EVENING,
    STORAGE,
    SWING,
    TOLLING,
    structure,
    structure_desk,
)
from trading.deals import Direction, SwingTerms, year_ends
from trading.models import (
    Market,
    OptionOutcome,
    StructureNomination,
    Trade,
    TradeStatus,
    TradeVersion,
)
from trading.pricing.structures import ContractYear, Swing
from trading.services.lifecycle import amend_trade
from trading.services.maturity import mature_trades
from trading.services.structure_settlement import settle_nominations
from trading.services.valuation import value_organization

SYSTEM = Actor.system("test")
# 1,200 short of a year's minimum of 12,000 after 45 days of 240.
TAKE = replace(
    SWING, premium=Decimal(0), premium_date=None,
    terms=SwingTerms(
        strike=Decimal("28.50"), maximum=Decimal(24_000), minimum=Decimal(12_000),
        make_up=Decimal(3_000), carry_forward=Decimal(2_400),
    ),
)  # fmt: skip
TWO_YEARS = replace(
    TAKE,
    direction=Direction.PAY,
    schedule=replace(DAILY, period=DatePeriod(date(2026, 12, 1), date(2028, 12, 1))),
)
# The gas day begins at six in the morning.
OVER = datetime(2027, 10, 1, 4, tzinfo=UTC)


def said(receipt, first, days, *quantities):
    """Nominate days as the desk would have, day by day."""
    version = TradeVersion.objects.get(trade__ref=receipt.ref)
    StructureNomination.objects.bulk_create(
        StructureNomination(
            trade=version.trade, version=version, leg=1, day=first + timedelta(days=n),
            quantities=[str(one) for one in quantities], nominated_at=EVENING, actor_id="test",
        )
        for n in range(days)
    )  # fmt: skip


def paid(receipt):
    rows = OptionOutcome.objects.filter(trade__ref=receipt.ref).order_by("start", "kind")
    return [(row.kind, row.amount, row.cash) for row in rows]


@pytest.mark.django_db
def test_a_year_s_shortfall_is_paid_once_with_its_end_and_made_up_in_the_next(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: OVER)
    desk = structure_desk()
    held, granted = desk.deal(deal=structure(TAKE)), desk.deal(deal=structure(TWO_YEARS))
    strict = desk.deal(deal=structure(replace(TAKE, terms=replace(TAKE.terms, make_up=Decimal(0)))))
    for receipt in (held, granted, strict):
        said(receipt, date(2026, 12, 1), 45, 240)
    # 1,440 above the minimum: 1,200 make up the first year, the rest is carried forward.
    said(granted, date(2027, 12, 1), 56, 240)
    start = datetime(2026, 12, 1, 5, tzinfo=UTC)
    make_prices(Market.objects.get(code="TTF"), start, ["31.00"] * 24 * 45, received_at=OVER)

    settle_nominations(actor=SYSTEM, as_of=OVER - timedelta(hours=1))
    assert "SHORTFALL" not in {kind for kind, *_ in paid(held)}
    assert settle_nominations(actor=SYSTEM, as_of=OVER) == 1
    assert settle_nominations(actor=SYSTEM, as_of=OVER) == 0

    days = [("FIXED", 240, 240 * Decimal("2.50"))] * 45
    short = ("SHORTFALL", 1200, Decimal("-34200.00"))
    assert paid(held) == [days[0], short, *days[1:]]
    # What must be taken and was not has no price: its value says so, nothing is made up.
    assert paid(strict) == days
    run = value_organization(actor=SYSTEM, organization_id=desk.organization.pk, as_of=OVER)
    value = run.values.get(trade__ref=held.ref)
    assert (value.realised, value.unrealised) == (sum(cash for *_, cash in paid(held)), 0)
    assert not run.values.get(trade__ref=strict.ref).is_valued
    event = Event.objects.get(type="structure.shortfall")
    assert event.payload["cash"] == "-34200.00 EUR"
    page = Client()
    page.force_login(desk.trader.user, backend="django.contrib.auth.backends.ModelBackend")
    seen = page.get(reverse("trading:trade", args=[held.ref])).text
    assert "Short of the year’s minimum, paid" in seen
    # The first 31 and 14 days of 600.00, and the year in the month in which it ends.
    for cash in ("+18,600.00 EUR", "+8,400.00 EUR", "−34,200.00 EUR"):
        assert cash in seen.split('id="outcomes"')[0], cash
    assert "−34,200.00 EUR" in seen

    settle_nominations(actor=SYSTEM, as_of=datetime(2028, 12, 1, 5, tzinfo=UTC))

    ends = [row for row in paid(granted) if row[0] != "FIXED"]
    assert ends == [("SHORTFALL", 1200, Decimal("34200.00")),
                    ("MADE_UP", 1200, Decimal("-34200.00"))]  # fmt: skip


@pytest.mark.django_db
def test_a_paid_day_stays_paid_after_an_amendment_and_a_trade_waits_for_its_last_price():
    desk = structure_desk()
    store, plant = desk.deal(deal=structure(STORAGE)), desk.deal(deal=structure(TOLLING))
    said(store, date(2026, 12, 1), 2, 100)
    said(store, date(2027, 9, 30), 1, 50)
    # As it is found at the very first hour, so no start is paid; the one at noon is.
    said(plant, date(2027, 3, 1), 1, *[50] * 6, *[0] * 6, *[50] * 12)
    start = datetime(2026, 12, 1, 5, tzinfo=UTC)
    later = datetime(2026, 12, 2, 6, tzinfo=UTC)
    gas = Market.objects.get(code="TTF")
    make_prices(gas, start, ["31.00"] * 24, received_at=later)
    assert settle_nominations(actor=SYSTEM, as_of=later) == 1
    dearer = replace(STORAGE, terms=replace(STORAGE.terms, withdrawal_cost=Decimal(1)))

    amend_trade(
        actor=desk.again(desk.trader), ref=store.ref, expected_version=1,
        deal=structure(dearer), received_at=later, reason="dearer from now on",
    )  # fmt: skip
    make_prices(gas, start + timedelta(days=1), ["31.00"] * 24, received_at=later)
    over = later + timedelta(days=1)

    assert settle_nominations(actor=SYSTEM, as_of=over) == 1
    assert paid(store) == [("FIXED", 100, Decimal("3075.00")), ("FIXED", 100, Decimal("3000.00"))]
    begun = datetime(2027, 2, 28, 23, tzinfo=UTC)
    make_prices(Market.objects.get(code="DE"), begun, ["100.00"] * 24, received_at=begun)
    make_prices(gas, begun - timedelta(hours=18), ["30.00"] * 48, received_at=begun)
    after = datetime(2027, 12, 1, tzinfo=UTC)
    settle_nominations(actor=SYSTEM, as_of=after)
    assert paid(plant) == [("FIXED", 900, 900 * (100 - Decimal("1.20") - 57) - 1500)]

    mature_trades(actor=SYSTEM, as_of=after)
    mature_trades(actor=SYSTEM, as_of=after)
    states = dict(Trade.objects.values_list("ref", "status"))
    assert states == {store.ref: TradeStatus.MATURED, plant.ref: TradeStatus.SETTLED}
    make_prices(gas, datetime(2027, 9, 30, 4, tzinfo=UTC), ["25.00"] * 24, received_at=after)
    assert settle_nominations(actor=SYSTEM, as_of=after) == 1
    mature_trades(actor=SYSTEM, as_of=after)
    assert Trade.objects.get(ref=store.ref).status == TradeStatus.SETTLED


@pytest.mark.django_db(transaction=True)
def test_two_workers_pay_a_day_and_a_year_once():
    desk = structure_desk()
    receipt = desk.deal(deal=structure(TAKE))
    said(receipt, date(2026, 12, 1), 2, 240)
    start = datetime(2026, 12, 1, 5, tzinfo=UTC)
    make_prices(Market.objects.get(code="TTF"), start, ["31.00"] * 48, received_at=OVER)
    ready, found = threading.Barrier(2), []

    def work():
        try:
            ready.wait(30)
            found.append(settle_nominations(actor=SYSTEM, as_of=OVER))
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)

    assert sorted(found) == [0, 3]
    assert [kind for kind, *_ in paid(receipt)] == ["FIXED", "SHORTFALL", "FIXED"]
    assert Event.objects.filter(type__startswith="structure.").count() == 3


@given(
    taken=st.lists(st.integers(0, 40), min_size=1, max_size=5),
    minimum=st.integers(0, 20), make_up=st.integers(1, 15), carry=st.integers(0, 15),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_years_end_as_the_value_counts_them(taken, minimum, make_up, carry):
    terms = SwingTerms(
        strike=Decimal(3), maximum=Decimal(40), minimum=Decimal(minimum),
        make_up=Decimal(make_up), carry_forward=Decimal(carry),
    )  # fmt: skip
    days = np.arange("2026-01-01", f"{2026 + len(taken)}-01-01", dtype="datetime64[D]")
    valued = Swing(
        dates=days, strike=3.0, lot=1.0, max_quantity=1.0, make_up_limit=float(make_up),
        carry_forward_limit=float(carry),
        years=tuple(
            ContractYear(np.datetime64(f"{2026 + n}-01-01"), 40.0, float(minimum), 3.0, 3.0)
            for n in range(len(taken))
        ),
    )  # fmt: skip

    ends = year_ends(terms, [Fraction(total) for total in taken])

    balance = 0
    for n, (total, end) in enumerate(zip(taken, ends, strict=True)):
        cash, after = valued.settle(n, np.array(balance), np.array(total))
        balance = int(after)
        assert (-3 * end.short, end.balance) == (float(cash), balance), (n, taken)
