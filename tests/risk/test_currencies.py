"""Books that report in EUR and hold GBP: rates are a risk factor, and all ways agree."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energyopti.accounts.actors import Actor
from risk.engine import Exchange, in_currency
from risk.models import RiskNumber, ScopeVector, TradeVector
from risk.queries.bases import from_bytes, latest_basis
from risk.queries.book_state import book_state
from risk.queries.valuation import value_positions
from risk.services.rebase import rebase_books, recompute_all
from risk.services.snapshots import build_snapshot
from tests.factories.risk import curve, hold, quote_history
from tests.factories.trades import RECEIVED_AT, TRADED_AT, deal_of_words, make_desk, make_market
from trading.models import CaptureBasis, FxRate, Quote, TradeVersion
from trading.queries.books import subtree
from trading.queries.positions import positions_by_deltas
from trading.services.capture import TradeStopped
from trading.services.capture_many import NewDeal, weigh_deals, write_deals
from trading.services.four_eyes import set_four_eyes

SYSTEM = Actor.system("test")
needs_tables = pytest.mark.django_db


def ready_desk(*, rates: int):
    """A desk with DE and GB on curves, and the pound in euros on the last so many of 130 days."""
    desk = make_desk()
    britain = make_market("GB", time_zone="Europe/London", currency="GBP")
    quote_history(desk.market)
    quote_history(britain, seed=8, in_parallel=True)
    for market in (desk.market, britain):
        curve(market)
    days = sorted({q.date() for q in Quote.objects.values_list("valid_from", flat=True)})
    walk = 1.15 + np.cumsum(np.random.default_rng(3).normal(0, 0.01, len(days)))
    FxRate.objects.bulk_create(
        FxRate(
            base="GBP", quote="EUR", rate=Decimal(f"{walk[place]:.6f}"), source="test",
            valid_from=datetime.combine(days[place], time(15), UTC),
        )
        for place in range(len(days) - rates, len(days))
    )  # fmt: skip
    build_snapshot(actor=SYSTEM, valued_at=TRADED_AT)
    return desk


@given(
    st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=8),
    st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0.1, 200),
)  # fmt: skip
def test_converting_is_linear_and_undone_by_the_inverse(changes, one, other, rate):
    x = np.array(changes)
    pair = Exchange(rate, x)
    pnl = one * x[::-1] - other

    value, moved = in_currency(one, pnl, pair)
    rest_value, rest = in_currency(other, -pnl, pair)
    both_value, both = in_currency(one + other, np.zeros_like(x), pair)
    back = in_currency(value, moved, Exchange(1 / rate, 1 / (1 + x) - 1))

    size = 1e-9 * max(1.0, rate) * (abs(one) + abs(other) + 1.0)
    np.testing.assert_allclose(moved + rest, both, atol=size)
    assert value + rest_value == pytest.approx(both_value, abs=size)
    np.testing.assert_allclose(back[1], pnl, atol=size)
    # In each scenario what it is then, at the rate of then, less what it is now.
    np.testing.assert_allclose(moved, (one + pnl) * rate * (1 + x) - one * rate, atol=size)


@needs_tables
def test_the_var_of_a_foreign_deal_holds_price_rate_and_both_together_by_hand():
    desk = ready_desk(rates=130)
    desk.deal("B 10MW GB base Cal28 @ 60")

    quotes = Quote.objects.filter(contract="Cal28", market__code="GB").order_by("valid_from")
    prices = np.array(quotes.values_list("value", flat=True), dtype=float)
    rates = np.array(
        FxRate.objects.order_by("valid_from").values_list("rate", flat=True), dtype=float
    )
    then = 10 * 8784 * (prices[-1] + np.diff(prices) - 60) * rates[-1] * rates[1:] / rates[:-1]
    now = 10 * 8784 * (prices[-1] - 60) * rates[-1]
    state = book_state(desk.book.pk)
    assert (state["currency"], state["findings"]) == ("EUR", [])
    assert state["value"] == pytest.approx(now, rel=1e-9)
    assert state["var"] == pytest.approx(-np.sort(then - now)[1], rel=1e-9)
    assert {p["currency"] for p in state["positions"]} == {"GBP"}
    assert TradeVector.objects.get().currency == "GBP"
    checks = TradeVersion.objects.get().checks
    said = next(c for c in checks if c["check"] == "limits")
    assert said["unit"] == "EUR" and said["after"] == pytest.approx(state["var"], rel=1e-9)


@needs_tables
def test_deals_one_by_one_many_at_once_a_rebase_and_a_full_computation_agree():
    desk = ready_desk(rates=130)
    words = ["B 10MW DE base Cal27 @ 80", "S 7MW GB base Q2-27 @ 90", "B 3MW GB base Cal28 @ 85"]
    for number, text in enumerate(words):
        desk.deal(text, fill=True, traded_at=TRADED_AT - timedelta(minutes=20 * number))
    set_four_eyes(actor=desk.officer, book_id=desk.book.pk, amount=Decimal(1))
    with_bases = [*((text, CaptureBasis.FILL) for text in words), (words[2], CaptureBasis.ORDER)]
    weighed = weigh_deals(
        actor=desk.again(desk.trader), received_at=RECEIVED_AT,
        deals=[
            NewDeal(deal_of_words(text), basis, desk.book.pk, desk.counterparty.pk,
                    TRADED_AT - timedelta(hours=2 + n), reason="on the phone")
            for n, (text, basis) in enumerate(with_bases)
        ],
    )  # fmt: skip
    write_deals(actor=desk.trader, weighed=weighed)

    row = ScopeVector.objects.get(book=desk.book)
    whole = value_positions(
        positions_by_deltas(subtree(desk.book.pk)), latest_basis(), currency="EUR"
    )
    size = np.abs(whole.pnl).max()
    assert np.abs(from_bytes(row.values) - whole.pnl).max() <= 1e-9 * size
    assert row.base_value == pytest.approx(whole.base_value, rel=1e-9)
    assert recompute_all(actor=SYSTEM) <= 1e-9  # with what waits for release
    # A new rate is a new snapshot: the same positions, worth more euros.
    FxRate.objects.create(
        base="EUR", quote="GBP", rate=Decimal("0.5"), source="test", valid_from=TRADED_AT
    )
    rebased = rebase_books(actor=SYSTEM, valued_at=TRADED_AT)
    assert rebased.books == 1
    assert book_state(desk.book.pk)["value"] != pytest.approx(whole.base_value, rel=1e-3)
    assert latest_basis().rates["GBP", "EUR"].rate == 2
    assert recompute_all(actor=SYSTEM) <= 1e-9
    assert RiskNumber.objects.latest("sequence").currency == "EUR"


@needs_tables
@pytest.mark.parametrize(
    ("days", "outcome", "said"),
    [
        (1, "SOFT", "GBP/EUR has no history: it is held at"),
        (61, "PASS", "GBP/EUR has no history for 69 of 129 scenarios"),
    ],
)
def test_a_pair_without_history_is_held_and_named(days, outcome, said):
    desk = ready_desk(rates=days)

    desk.deal("B 10MW GB base Cal28 @ 60")

    check = next(c for c in TradeVersion.objects.get().checks if c["check"] == "limits")
    assert check["outcome"] == outcome and said in check["reason"]
    assert said in book_state(desk.book.pk)["findings"][0]
    changes = latest_basis().rates["GBP", "EUR"].changes
    assert (changes != 0).sum() == days - 1


@needs_tables
def test_what_no_rate_converts_is_named_and_stops_where_a_limit_stands():
    desk = ready_desk(rates=0)
    desk.deal("B 10MW GB base Cal28 @ 60", fill=True)

    state = book_state(desk.book.pk)
    assert state["unvalued"] == 12 and state["value"] == 0
    assert "no exchange rate GBP/EUR" in state["positions"][0]["problem"]
    FxRate.objects.create(  # known to the book, not yet beside the curves
        base="GBP", quote="EUR", rate=Decimal("1.2"), source="test", valid_from=TRADED_AT
    )
    hold(desk, Decimal(1000))
    with pytest.raises(TradeStopped, match="no exchange rate GBP/EUR"):
        desk.deal("B 10MW GB base Cal27 @ 60")
