"""A book's vector that trades enter and leave: its sum, its tail and whose it is."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.engine import (
    BookVector,
    Convention,
    QuantileRule,
    ScenarioError,
    ShortfallRule,
    attribute,
    tail_risk,
)

SCENARIOS = 40
CONFIDENCE = Convention(confidence=Decimal("0.95"))


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(0, 12))
def test_a_thousand_changes_leave_what_a_full_computation_gives(seed, magnitudes):
    rng = np.random.default_rng(seed)

    def vector():
        return rng.normal(size=SCENARIOS) * 10.0 ** rng.uniform(0, magnitudes)

    held = {n: vector() for n in range(20)}
    book = BookVector(SCENARIOS, held)
    for change in range(1000):
        kind = rng.integers(3) if held else 0
        key = 1000 + change if kind == 0 else list(held)[rng.integers(len(held))]
        if kind == 0:
            held[key] = vector()
            book.add(key, held[key])
        elif kind == 1:
            book.remove(key)
            del held[key]
        else:
            held[key] = vector()
            book.replace(key, held[key])

    whole = BookVector(SCENARIOS, held).recomputed()
    assert np.abs(book.pnl - whole).max() <= 1e-9 * max(np.abs(whole).max(), 1.0)
    assert book.recomputed() == pytest.approx(whole, rel=1e-15)
    again, found = tail_risk(whole, CONFIDENCE), book.tail(CONFIDENCE)
    assert (found.var, found.es) == pytest.approx((again.var, again.es), rel=1e-9)
    assert len(book) == len(held)


def test_what_has_gone_takes_no_digits_with_it():
    small = np.linspace(-0.3, 0.7, SCENARIOS)
    book = BookVector(SCENARIOS, {"small": small, "huge": np.full(SCENARIOS, 1e18)})
    book.remove("huge")
    assert book.pnl.tolist() == small.tolist()
    book.remove("small")
    assert book.pnl.tolist() == [0.0] * SCENARIOS


@pytest.mark.parametrize("quantile", list(QuantileRule))
@pytest.mark.parametrize("shortfall", list(ShortfallRule))
def test_tail_and_components_are_those_of_all_trades_at_once(quantile, shortfall):
    rng = np.random.default_rng(4)
    trades = {f"T-{n}": rng.standard_t(4, 500) for n in range(30)}
    rule = Convention(quantile_rule=quantile, shortfall_rule=shortfall)
    book = BookVector(500, trades)
    book.remove("T-3")
    book.add("T-30", trades.pop("T-3"))
    trades["T-30"] = rng.standard_t(4, 500)
    book.replace("T-30", trades["T-30"])

    found, slow = book.components(rule), attribute(list(trades.values()), rule)

    assert book.tail(rule).var == pytest.approx(slow.var, rel=1e-12)
    assert book.tail(rule).es == pytest.approx(slow.es, rel=1e-12)
    assert found.kernel_var == pytest.approx(slow.kernel_var, rel=1e-12)
    by_key = dict(zip(found.trades, zip(found.component, found.es_component, strict=True),
                      strict=True))  # fmt: skip
    for key, component, es in zip(trades, slow.component, slow.es_component, strict=True):
        assert by_key[key] == pytest.approx((component, es), abs=1e-12)
    for key, less in zip(trades, slow.incremental, strict=True):
        assert slow.var - book.tail_without(key, rule).var == pytest.approx(less, abs=1e-12)


def test_a_trade_is_asked_about_before_it_is_held():
    rng = np.random.default_rng(5)
    book = BookVector(SCENARIOS, {"held": rng.normal(size=SCENARIOS)})
    asked = rng.normal(size=SCENARIOS)
    with_it = book.tail_with(asked, CONFIDENCE)
    assert len(book) == 1
    book.add("asked", asked)
    assert "asked" in book
    assert book.tail(CONFIDENCE) == with_it


def test_an_empty_book_loses_nothing():
    book = BookVector(SCENARIOS)
    assert book.tail(CONFIDENCE).var == 0.0
    found = book.components(CONFIDENCE)
    assert (found.kernel_var, found.trades, found.component.shape) == (0.0, (), (0,))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda book: BookVector(0), "scenarios: 0"),
        (lambda book: book.add("one", np.zeros(2)), "'one' is held already"),
        (lambda book: book.add("two", np.zeros(3)), r"shape \(3,\) must be \(2,\)"),
        (lambda book: book.replace("one", [0.0, np.nan]), r"pnl\[1\]: nan"),
        (lambda book: book.replace("two", np.zeros(2)), "'two' is not held"),
        (lambda book: book.remove("two"), "'two' is not held"),
        (lambda book: book.tail_without("two", CONFIDENCE), "'two' is not held"),
        (lambda book: book.tail_with([1.0, np.inf], CONFIDENCE), r"pnl\[1\]: inf"),
    ],
)
def test_refuses_by_name_and_stays_as_it_was(call, said):
    book = BookVector(2, {"one": np.array([1.0, -1.0])})
    with pytest.raises(ScenarioError, match=said):
        call(book)
    assert book.pnl.tolist() == book.recomputed().tolist() == [1.0, -1.0]
