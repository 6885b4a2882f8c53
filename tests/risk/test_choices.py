"""Options, agreements with a floor and contracts with choices in value, VaR and limits."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from energyopti.accounts.actors import Actor
from risk.models import ScopeVector, TradeVector
from risk.queries.bases import from_bytes, latest_basis
from risk.queries.book_state import book_state
from risk.queries.holdings import (
    holdings_of,
    holdings_of_trade,
    proposed_holdings,
    value_holdings,
)
from risk.queries.limit_check import check_limits, check_limits_of_many
from risk.queries.many_deals import value_deals
from risk.services.rebase import rebase_books, recompute_scope
from risk.services.snapshots import build_snapshot
from tests.factories.risk import hold, quote_history
from tests.factories.trades import (
    RECEIVED_AT,
    TRADED_AT,
    deal_of_words,
    make_book,
    make_market,
)
from tests.trading.valuation.options_desk import (
    CALL,
    EVENING,
    INDEX,
    INDEX_FR,
    index_in,
    option,
    option_desk,
    second_market,
)
from tests.trading.valuation.structures_desk import SWING, structure, structure_desk
from tests.trading.valuation.test_bound_runs import SUN, agreement, normal_desk
from trading.checks import Outcome
from trading.deals import Direction, OptionStyle, OptionType, Settlement, Volume
from trading.models import Market
from trading.pricing import black76
from trading.queries.proposals import propose
from trading.services.capture import TradeStopped
from trading.services.exercise import exercise_option
from trading.services.lifecycle import amend_trade, cancel_trade
from trading.services.valuation import value_organization

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
SYSTEM = Actor.system("test")
AMERICAN = {"style": OptionStyle.AMERICAN, "settlement": Settlement.CASH}
CAP = {"option_type": OptionType.CAP, "style": OptionStyle.ASIAN,
       "expiry": datetime(2027, 3, 31, 22, tzinfo=UTC)}  # fmt: skip


def ready_desk():
    desk = option_desk()
    quote_history(desk.market)
    build_snapshot(actor=SYSTEM, valued_at=EVENING)
    return desk


@pytest.fixture
def desk():
    return ready_desk()


def proposal_of(desk, deal, **changes):
    return propose(
        actor=desk.again(desk.trader), deal=deal, book_id=desk.book.pk,
        counterparty_id=desk.counterparty.pk, traded_at=TRADED_AT, received_at=RECEIVED_AT,
        **changes,
    )  # fmt: skip


def value_of(desk):
    return value_holdings(holdings_of([desk.book.pk]), latest_basis(), currency="EUR")


def by_hand(desk, strike=100.0):
    """Price 10 MW of the call on base Q1 in each scenario, month by month of the curve."""
    basis = latest_basis()
    market = basis.markets[desk.market.pk]
    hours = np.array([744.0, 672.0, 743.0])
    tenors = np.array([2, 3, 4])  # from November
    marks, shocks = market.curve.prices[tenors], market.shocks[:, tenors]
    forward = (marks + shocks) @ hours / hours.sum()
    terms = {
        "strike": strike, "volatility": 0.45,
        "expiry": (CALL.expiry - EVENING).total_seconds() / (365 * 86400),
    }  # fmt: skip
    base = black76(forward=marks @ hours / hours.sum(), **terms).price
    # Paid in cash five business days after the expiry.
    paid = np.exp(-0.03 * (datetime(2026, 12, 29, tzinfo=UTC) - EVENING).days / 365)
    return 10 * hours.sum() * paid * (black76(forward=forward, **terms).price - base)


def test_an_option_moves_value_and_var_by_its_own_formula_in_every_scenario(desk):
    receipt = desk.deal(deal=option())

    state, scope = book_state(desk.book.pk), ScopeVector.objects.get(book=desk.book)
    expected = by_hand(desk)
    assert from_bytes(scope.values) == pytest.approx(expected, rel=5e-4)
    assert state["var"] == pytest.approx(-np.sort(expected)[1], rel=5e-4)
    # A bought option loses less than its delta says.
    assert 0 < state["var"] < 21590 * 10
    (row,) = state["choices"]
    assert (row["trade"], row["what"], row["market"]) == (receipt.ref, "Call", "DE")
    assert state["value"] == pytest.approx(row["value"]) and state["unvalued"] == 0
    vector = TradeVector.objects.get()
    assert bytes(vector.values) == bytes(scope.values)


def test_the_value_is_the_desks_to_the_cent_whatever_the_option(desk):
    quote_history(second_market(desk), seed=8)
    build_snapshot(actor=SYSTEM, valued_at=EVENING)
    spread = {"strikes": (Decimal(5),), "option_type": OptionType.SPREAD_CALL,
              "underlying": (INDEX, INDEX_FR)}  # fmt: skip
    deals = [option(), option(**CAP), option(**AMERICAN), option(**spread)]
    refs = [desk.deal(deal=deal).ref for deal in deals]

    run = value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=EVENING
    )
    rows = {row.trade: row for row in value_of(desk).choices}
    for ref in refs:
        stored = run.values.get(trade__ref=ref)
        assert rows[ref].value == pytest.approx(float(stored.unrealised), abs=0.01), ref


def test_vectors_that_grow_with_options_equal_a_full_computation(desk):
    below = make_book(desk.organization, "EU-DE", parent=desk.book)
    for deal in (option(), option(**CAP), option(**AMERICAN)):
        desk.deal(deal=deal)
        desk.deal("S 5MW DE base Cal27 @ 90", actor=desk.again(desk.trader), book_id=below.pk)
        assert recompute_scope(actor=SYSTEM, book_id=desk.book.pk) < 1e-9
    assert len(value_of(desk).choices) == 3


def test_an_order_is_judged_with_numbers_and_one_without_a_model_is_refused_with_the_reason(desk):
    hold(desk, 30_000)
    desk.deal(deal=option())

    small = check_limits(proposal_of(desk, option(strikes=(Decimal(104),))))
    schedule = replace(CALL.schedule, volume=replace(CALL.schedule.volume, quantity=Decimal(90)))
    big = check_limits(proposal_of(desk, option(schedule=schedule)))
    sold = {"direction": Direction.PAY}
    closing = check_limits(proposal_of(desk, option(**sold)))
    spread = option(
        strikes=(Decimal(5),), option_type=OptionType.SPREAD_CALL, underlying=(INDEX, INDEX_FR)
    )
    index_in(make_market("FR", time_zone="Europe/Paris"), "EPEX-FR-DA")
    unknown = check_limits(proposal_of(desk, spread))

    assert small.outcome is Outcome.PASS and 0 < small.before < small.after < 30_000
    assert big.outcome is Outcome.HARD and big.after == pytest.approx(10 * big.before)
    assert closing.outcome is Outcome.PASS and closing.after == pytest.approx(0, abs=1e-6)
    assert unknown.outcome is Outcome.HARD and unknown.before is None
    assert "Spread call on DE − FR cannot be valued: DE − FR: no pricing model" in unknown.reason
    with pytest.raises(TradeStopped):
        desk.deal(deal=option(schedule=schedule), actor=desk.again(desk.trader))


def test_many_deals_are_judged_as_one_by_one_and_read_what_they_stand_on_once(desk):
    desk.deal("B 10MW DE base Cal27 @ 85.20")
    deals = [deal_of_words("S 5MW DE base Cal27 @ 90"), option(), option(**CAP), option(**AMERICAN)]
    proposals = [proposal_of(desk, deal) for deal in deals]
    basis = latest_basis()

    further = [proposal_of(desk, option(strikes=(Decimal(s),))) for s in range(80, 100)]
    with CaptureQueriesContext(connection) as few:
        valued = value_deals(proposals, basis)
    with CaptureQueriesContext(connection) as more:
        value_deals([*proposals, *further], basis)

    assert len(more) == len(few)
    for proposal, one in zip(proposals, valued, strict=True):
        alone = value_holdings(proposed_holdings(proposal), basis, currency="EUR")
        assert one.problem == alone.problem == ""
        assert one.base_value == pytest.approx(alone.base_value, rel=1e-12)
        assert one.pnl == pytest.approx(alone.pnl, rel=1e-12, abs=1e-9)
    (alone, *_), both = check_limits_of_many(proposals[1:2]), check_limits_of_many(proposals[:2])
    assert alone.after == pytest.approx(check_limits(proposals[1]).after)
    assert both[1].before == pytest.approx(both[0].after)


def test_each_step_of_an_options_life_moves_the_scope_by_what_changed(desk):
    trader = desk.again(desk.trader)
    receipt = desk.deal(deal=option(), actor=trader)
    held = desk.deal(deal=option(strikes=(Decimal(104),)), actor=trader)
    twice = replace(CALL.schedule, volume=replace(CALL.schedule.volume, quantity=Decimal(20)))

    def scope():
        assert recompute_scope(actor=SYSTEM, book_id=desk.book.pk) < 1e-9
        return from_bytes(ScopeVector.objects.get(book=desk.book).values)

    before = scope()
    other = from_bytes(TradeVector.objects.get(trade_version__trade_id=held.trade_id).values)
    amend_trade(
        actor=trader, ref=receipt.ref, expected_version=1, deal=option(schedule=twice),
        effective_at=RECEIVED_AT, received_at=RECEIVED_AT, reason="twice as much",
    )  # fmt: skip
    assert scope() - other == pytest.approx(2 * (before - other), rel=1e-9)
    cancel_trade(
        actor=trader, ref=receipt.ref, expected_version=2, received_at=RECEIVED_AT,
        reason="booked in error",
    )  # fmt: skip
    assert scope() == pytest.approx(other, rel=1e-9)
    assert [row.trade for row in value_of(desk).choices] == [held.ref]
    assert TradeVector.objects.filter(trade_version__trade_id=receipt.trade_id).count() == 2
    # Exercised the right is gone, and what it delivers is there instead.
    terms = {"style": OptionStyle.AMERICAN, "settlement": Settlement.PHYSICAL}
    right = desk.deal(deal=option(**terms, strikes=(Decimal(80),)), actor=desk.again(trader))
    exercise_option(
        actor=desk.again(trader), ref=right.ref, expected_version=1, received_at=RECEIVED_AT,
    )  # fmt: skip
    scope()
    state = book_state(desk.book.pk)
    assert [row["trade"] for row in state["choices"]] == [held.ref]
    assert len(state["positions"]) == 3


def test_a_contract_with_choices_counts_from_its_first_valuation_on_by_delta_and_gamma():
    desk = structure_desk()
    quote_history(Market.objects.get(code="TTF"))
    build_snapshot(actor=SYSTEM, valued_at=EVENING)
    receipt = desk.deal(deal=structure(SWING))
    (row,) = book_state(desk.book.pk)["choices"]
    assert row["value"] is None and "no valuation yet" in row["problem"]
    assert book_state(desk.book.pk)["unvalued"] == 1
    assert not TradeVector.objects.exists()

    run = value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=EVENING
    )
    assert recompute_scope(actor=SYSTEM, book_id=desk.book.pk) < 1e-9  # the basis is of before
    rebase_books(actor=SYSTEM, valued_at=EVENING)

    stored = run.structures.get()
    basis = latest_basis()
    market = basis.markets[Market.objects.get(code="TTF").pk]
    expected = basis.zeros()
    for hedge in stored.hedge:
        year, month, _ = map(int, hedge["month"].split("-"))
        moved = market.shocks[:, 12 * year + month - 1 - market.curve.origin]
        expected = expected + hedge["delta"] * moved + hedge["gamma"] / 2 * moved**2
    scope = ScopeVector.objects.get(book=desk.book)
    assert from_bytes(scope.values) == pytest.approx(expected, rel=1e-9, abs=1e-6)
    assert np.abs(expected).max() > 1000
    (row,) = book_state(desk.book.pk)["choices"]
    assert row["trade"] == receipt.ref and row["value"] == float(stored.unrealised)
    assert "not held against revaluation yet" in row["notes"][0]
    assert recompute_scope(actor=SYSTEM, book_id=desk.book.pk) < 1e-9


def test_an_agreement_counts_with_its_volume_and_its_bounds():
    desk = normal_desk()
    quote_history(desk.market)
    build_snapshot(actor=SYSTEM, valued_at=EVENING)
    bought = desk.deal(deal=agreement())
    constant = desk.deal(deal=agreement(power=Volume.mw(Decimal(4)), floor=Decimal(60)))

    run = value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=EVENING
    )
    valued = value_of(desk)

    (unvalued,) = {row.problem for row in valued.choices if row.problem}
    assert "average" in unvalued  # the desk has no model for it either
    assert constant.ref in {row.trade for row in valued.choices if row.problem}
    whole = value_holdings(holdings_of_trade(bought.trade_id), latest_basis(), currency="EUR")
    assert not whole.unvalued
    stored = run.values.get(trade__ref=bought.ref)
    assert whole.base_value == pytest.approx(float(stored.unrealised), abs=0.02)
    linear = value_holdings(
        replace(holdings_of_trade(bought.trade_id), choices=()), latest_basis(), currency="EUR"
    )
    # Bought at the index less 2.50 it moves only where a bound holds, at most with its volume.
    assert linear.base_value == pytest.approx(2.5 * SUN.sum(), abs=0.01)
    assert linear.pnl == pytest.approx(0, abs=1e-6)
    move = latest_basis().markets[desk.market.pk].shocks[:, 2]
    assert (np.abs(whole.pnl) <= SUN.sum() * np.abs(move) + 1e-6).all()
    assert np.abs(whole.pnl).max() > 100
    assert recompute_scope(actor=SYSTEM, book_id=desk.book.pk) < 1e-9
