"""Vectors that grow with each deal, limits that hold, and a full computation that agrees."""

import threading
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.db import close_old_connections, connection

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.services.roles import synchronize_roles
from energyopti.foundation.events.models import Event
from risk.enums import LimitMeasure
from risk.models import LimitBreach, RiskNumber, ScopeVector, TradeVector
from risk.queries.bases import from_bytes, latest_basis
from risk.queries.book_state import book_state, breaches_of
from risk.queries.scopes import risk_history, scopes
from risk.queries.valuation import value_positions
from risk.services.limit_terms import LimitTerms
from risk.services.limits import propose_limit
from risk.services.rebase import rebase_books, recompute_all, recompute_scope
from risk.services.snapshots import NoBasis, build_snapshot
from tests.factories.risk import curve, hold, quote_history
from tests.factories.trades import TRADED_AT, Desk, make_book, make_desk
from trading.models import Quote, Trade
from trading.queries.books import UnknownBook, subtree
from trading.queries.positions import positions_by_deltas
from trading.services.capture import TradeStopped

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("test")


@pytest.fixture
def desk() -> Desk:
    return ready_desk()


def ready_desk(*, in_parallel: bool = False) -> Desk:
    desk = make_desk()
    quote_history(desk.market, in_parallel=in_parallel)
    curve(desk.market)
    build_snapshot(actor=SYSTEM, valued_at=TRADED_AT)
    return desk


def var_of(desk: Desk) -> float:
    return book_state(desk.book.pk)["var"]


def test_a_deal_moves_value_var_and_positions_of_its_book_and_the_one_above(desk):
    below = make_book(desk.organization, "EU-DE", parent=desk.book)
    trader = desk.again(desk.trader)

    receipt = desk.deal("B 10MW DE base Cal27 @ 80", actor=trader, book_id=below.pk)

    for book in (below, desk.book):
        state = book_state(book.pk)
        assert state["revision"] == 1
        assert state["var"] > 0 and state["es"] >= state["var"]
        assert len(state["positions"]) == 12
        assert state["unvalued"] == 0
        by_hand = sum(p["hours"] * 10 * (p["price"] - 80) for p in state["positions"])
        assert state["value"] == pytest.approx(by_hand, rel=1e-12)
        assert "99 %, 1 day, historical simulation, 129 scenarios" in state["convention"]
        assert RiskNumber.objects.get(book=book).cause == receipt.ref
    assert TradeVector.objects.count() == 1


def test_the_var_is_that_of_the_quotes_changes_by_hand():
    desk = ready_desk(in_parallel=True)
    desk.deal("B 10MW DE base Cal28 @ 80")

    quotes = Quote.objects.filter(contract="Cal28").order_by("valid_from")
    prices = np.array(quotes.values_list("value", flat=True), dtype=float)
    pnl = np.sort(np.diff(prices) * 10 * 8784)
    assert var_of(desk) == pytest.approx(-pnl[1], rel=1e-9)  # ceil(1 % of 129) = 2
    assert book_state(desk.book.pk)["es"] == pytest.approx(-pnl[:2].mean(), rel=1e-9)


def test_deals_one_by_one_equal_a_full_computation(desk):
    generator = np.random.default_rng(11)
    for number in range(25):
        side = "BS"[int(generator.integers(2))]
        period = ("Cal27", "Q1-27", "Q3-27", "Feb27", "W20-27", "Cal28")[generator.integers(6)]
        size, price = generator.integers(1, 40), round(float(generator.normal(85, 9)), 2)
        desk.deal(
            f"{side} {size}MW DE base {period} @ {price}",
            fill=True, traded_at=TRADED_AT - timedelta(minutes=number),
        )  # fmt: skip

    row = ScopeVector.objects.get(book=desk.book)
    whole = value_positions(
        positions_by_deltas(subtree(desk.book.pk)), latest_basis(), currency="EUR"
    )
    trades = sum(from_bytes(v.values) for v in TradeVector.objects.all())
    held = from_bytes(row.values)
    assert row.sequence == 25
    assert np.abs(held - whole.pnl).max() <= 1e-9 * np.abs(whole.pnl).max()
    assert np.abs(held - trades).max() <= 1e-9 * np.abs(whole.pnl).max()
    assert recompute_all(actor=SYSTEM) <= 1e-9


def test_something_written_past_the_services_is_found_and_put_right(desk):
    desk.deal()
    row = ScopeVector.objects.get(book=desk.book)
    right = book_state(desk.book.pk)["value"]
    ScopeVector.objects.filter(pk=row.pk).update(base_value=row.base_value + 1000)

    assert recompute_scope(actor=SYSTEM, book_id=desk.book.pk) > 1e-9

    assert scopes([desk.book.pk])[desk.book.pk].base_value == pytest.approx(right)
    assert Event.objects.filter(type="risk.vector_corrected").exists()
    assert recompute_scope(actor=SYSTEM, book_id=desk.book.pk) == 0


def test_new_curves_put_every_book_on_the_new_snapshot_once(desk):
    desk.deal("B 10MW DE base Cal27 @ 80")
    before = book_state(desk.book.pk)
    later = TRADED_AT + timedelta(days=40)  # January has begun meanwhile for valuation
    curve(desk.market, as_of=later)

    first = rebase_books(actor=SYSTEM, valued_at=later)
    again = rebase_books(actor=SYSTEM, valued_at=later)

    after = book_state(desk.book.pk)
    assert (first.books, again.books) == (1, 0)
    assert first.snapshot_id == again.snapshot_id
    assert after["revision"] == before["revision"] + 1
    assert after["as_of"] != before["as_of"]
    assert [n.cause for n in risk_history(desk.book.pk)] == ["curves", Trade.objects.get().ref]
    assert recompute_all(actor=SYSTEM) <= 1e-9


def test_delivery_that_is_over_carries_no_risk(desk):
    desk.deal("B 10MW DE base Dec26 @ 80", fill=True)
    later = TRADED_AT + timedelta(days=60)
    curve(desk.market, as_of=later)

    rebase_books(actor=SYSTEM, valued_at=later)

    state = book_state(desk.book.pk)
    assert (state["var"], state["value"]) == (0, 0)
    assert state["positions"][0]["hours"] == 0


def test_a_hard_limit_stops_an_order_and_lets_a_fill_open_a_breach(desk):
    desk.deal("B 1MW DE base Cal27 @ 85")
    room = var_of(desk)
    hold(desk, Decimal(str(round(room * 2, 2))))

    with pytest.raises(TradeStopped) as stopped:
        desk.deal("B 10MW DE base Cal27 @ 85")
    verdict = next(r for r in stopped.value.results if r.check == "limits")
    assert verdict.before == pytest.approx(room)
    assert verdict.after == pytest.approx(11 * room)
    assert not LimitBreach.objects.exists()

    receipt = desk.deal("B 10MW DE base Cal27 @ 85", fill=True)

    breach = breaches_of(desk.book.pk)[0]
    assert breach["cause"] == receipt.ref
    assert (breach["before"], breach["after"]) == (pytest.approx(room), pytest.approx(11 * room))
    assert Event.objects.get(type="limit.breached").payload["cause"] == receipt.ref
    use = book_state(desk.book.pk)["limits"][0]
    assert use["is_breached"] and use["share"] == pytest.approx(5.5, rel=1e-3)
    # A sale that lowers the excess may be ordered, with a reason.
    desk.deal("S 8MW DE base Cal27 @ 85")
    assert LimitBreach.objects.count() == 1


def test_a_limit_above_the_book_counts_what_lies_below(desk):
    below = make_book(desk.organization, "EU-DE", parent=desk.book)
    trader = desk.again(desk.trader)
    desk.deal("B 5MW DE base Cal27 @ 85", actor=trader)
    hold(desk, Decimal(str(round(var_of(desk) * 1.5, 2))))

    with pytest.raises(TradeStopped, match="VaR of EU goes"):
        desk.deal("B 5MW DE base Cal27 @ 85", actor=trader, book_id=below.pk)


def test_curves_alone_open_a_breach_once(desk):
    desk.deal("B 10MW DE base Cal27 @ 85")
    hold(desk, Decimal("0.01"))
    ScopeVector.objects.update(values=np.zeros(129).tobytes())
    for day in (1, 2):
        later = TRADED_AT + timedelta(days=day)
        curve(desk.market, as_of=later)
        rebase_books(actor=SYSTEM, valued_at=later)

    assert [b["cause"] for b in breaches_of(desk.book.pk)] == ["curves"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"amount": Decimal(0)}, "amount"),
        ({"amount": Decimal("NaN")}, "amount"),
        ({"amount": Decimal("1.001")}, "amount"),
        ({"amount": Decimal(1), "confidence": Decimal("0.3")}, "confidence"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(desk, fields, words):
    with pytest.raises(ValidationError, match=words):
        hold(desk, **fields)


def test_only_risk_officers_of_the_house_set_limits(desk):
    terms = LimitTerms(LimitMeasure.VAR, Decimal(1), book_id=desk.book.pk)
    with pytest.raises(PermissionMissing):
        propose_limit(actor=desk.trader, terms=terms, reason="as agreed")
    with pytest.raises(UnknownBook):
        propose_limit(actor=make_desk().officer, terms=terms, reason="as agreed")


def test_without_curves_nothing_is_valued_and_a_limit_closes_the_door():
    desk = make_desk()
    with pytest.raises(NoBasis, match="no forward curve"):
        build_snapshot(actor=SYSTEM, valued_at=TRADED_AT)
    desk.deal()
    assert "no curve" in book_state(desk.book.pk)["problem"].lower()
    hold(desk, Decimal(10) ** 9)

    with pytest.raises(TradeStopped, match="limit cannot be checked"):
        desk.deal()


def test_a_short_history_is_refused_with_its_length():
    desk = make_desk()
    quote_history(desk.market, days=40)
    curve(desk.market)

    with pytest.raises(NoBasis, match="DE has 40 quoted days; 101"):
        build_snapshot(actor=SYSTEM, valued_at=TRADED_AT)


def test_the_first_basis_takes_in_the_trades_that_were_there_before():
    desk = make_desk()
    desk.deal("B 10MW DE base Cal27 @ 80")
    quote_history(desk.market)
    curve(desk.market)

    rebase_books(actor=SYSTEM, valued_at=TRADED_AT)

    assert var_of(desk) > 0
    assert recompute_all(actor=SYSTEM) == 0


def test_a_peak_fill_is_booked_and_said_to_be_unvalued(desk):
    desk.deal("B 5MW DE peak Cal27 @ 95", fill=True)

    state = book_state(desk.book.pk)
    assert state["unvalued"] == 12
    assert state["positions"][0]["problem"] == "no peak curve"
    assert state["var"] == 0


@pytest.mark.django_db(transaction=True)
def test_two_captures_at_once_cannot_share_the_headroom():
    synchronize_roles()  # a transaction test begins with emptied tables
    desk = ready_desk()
    desk.deal("B 1MW DE base Cal27 @ 85")
    # Room for one more of the two, not for both.
    hold(desk, Decimal(str(round(var_of(desk) * 12, 2))))
    start, outcomes = threading.Barrier(2), []

    def capture(price: str) -> None:
        try:
            start.wait(10)
            desk.deal(f"B 10MW DE base Cal27 @ {price}", actor=desk.again(desk.trader))
            outcomes.append("booked")
        except TradeStopped:
            outcomes.append("stopped")
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=capture, args=(p,)) for p in ("85", "86")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert sorted(outcomes) == ["booked", "stopped"]
    assert Trade.objects.count() == 2
    assert recompute_all(actor=SYSTEM) <= 1e-9
