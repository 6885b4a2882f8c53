"""VaR by its stated convention, scenarios without rolling jumps, projection that is linear."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from risk.engine import (
    ContractQuote,
    Convention,
    Exposure,
    Likeness,
    MonthlyCurve,
    NoCurve,
    QuantileRule,
    QuoteDay,
    ScenarioError,
    ShockMapping,
    ShockRule,
    ShortfallRule,
    TailError,
    base_value,
    exposure_by_tenor,
    lower_tail,
    month_number,
    paired_shocks,
    project,
    reconcile_changes,
    tail_count,
    tail_risk,
    tenor_shocks,
)

vectors = arrays(np.float64, st.integers(1, 400), elements=st.floats(-1e9, 1e9))
confidences = st.decimals("0.5", "0.999", places=3)
JANUARY = month_number(date(2027, 1, 1))


def thirty_days(_: int) -> float:
    return 720.0


def test_the_fifth_worst_of_five_hundred_is_the_99_percent_var():
    tail = tail_risk(np.arange(500.0) - 500, Convention())

    assert (tail.var, tail.es) == (496.0, 498.0)
    assert (tail.scenario, tail.worst, tail.count) == (4, 0, 500)
    assert tail_count(Decimal("0.01"), 500) == 5
    assert "99 %" in tail.convention.sentence()


@given(vectors, confidences)
def test_es_is_never_below_var(pnl, confidence):
    tail = tail_risk(pnl, Convention(confidence=confidence))

    assert tail.es >= tail.var - 1e-9 * max(1, abs(tail.var))


@given(vectors, confidences, st.floats(0.001, 1000), st.floats(-1e6, 1e6))
def test_var_scales_with_size_and_falls_with_cash(pnl, confidence, size, cash):
    rule = Convention(confidence=confidence)
    plain, scaled = tail_risk(pnl, rule), tail_risk(size * pnl + cash, rule)

    assert scaled.var == pytest.approx(size * plain.var - cash, rel=1e-9, abs=1e-3)


@given(vectors)
def test_the_order_of_scenarios_does_not_matter(pnl):
    assert tail_risk(pnl[::-1], Convention()).var == tail_risk(pnl, Convention()).var


@pytest.mark.parametrize(
    ("values", "words"),
    [([], "at least one"), ([[1.0]], "one axis"), ([1.0, np.nan], "scenario 1 is nan")],
)
def test_a_vector_without_a_tail_is_refused(values, words):
    with pytest.raises(TailError, match=words):
        tail_risk(np.array(values, dtype=float), Convention())


@pytest.mark.parametrize("confidence", [Decimal(0), Decimal(1), Decimal("1.5"), 0.99])
def test_a_confidence_outside_is_refused(confidence):
    with pytest.raises(TailError, match="confidence"):
        Convention(confidence=confidence)


def test_other_rules_are_named_and_differ():
    pnl = np.arange(10.0) - 10
    linear = Convention(Decimal("0.75"), quantile_rule=QuantileRule.LINEAR_TYPE7)
    acerbi = Convention(Decimal("0.75"), shortfall_rule=ShortfallRule.ACERBI)

    assert tail_risk(pnl, linear).var == 7.75
    assert tail_risk(pnl, linear).scenario is None
    assert tail_risk(pnl, acerbi).es == pytest.approx((10 + 9 + 0.5 * 8) / 2.5)
    assert lower_tail(pnl, Decimal("0.25")) == (-8.0, -9.0)
    with pytest.raises(TailError):
        Convention(horizon_days=0)
    with pytest.raises(TailError):
        tail_count(Decimal(1), 5)


def test_a_quarter_beside_two_of_its_months_speaks_for_the_third():
    hours = {JANUARY: 744.0, JANUARY + 1: 672.0, JANUARY + 2: 743.0}
    changes = [
        ContractQuote(JANUARY, 3, 1.0),
        ContractQuote(JANUARY, 1, 2.0),
        ContractQuote(JANUARY + 1, 1, -1.0),
    ]

    found = reconcile_changes(changes, hours.__getitem__)

    quarter = sum(hours[m] * found[m] for m in hours) / sum(hours.values())
    assert (found[JANUARY], found[JANUARY + 1]) == (2.0, -1.0)
    assert quarter == pytest.approx(1.0)


def test_a_contract_with_nothing_left_over_is_redundant():
    months = [ContractQuote(JANUARY + m, 1, float(m)) for m in range(3)]

    assert reconcile_changes([*months, ContractQuote(JANUARY, 3, 99.0)], thirty_days) == {
        JANUARY: 0.0, JANUARY + 1: 1.0, JANUARY + 2: 2.0,
    }  # fmt: skip


def days_of(prices: list[dict[tuple[int, int], float]], start: date) -> list[QuoteDay]:
    return [
        QuoteDay(
            start + timedelta(days=i),
            tuple(ContractQuote(f, c, p) for (f, c), p in quotes.items()),
        )
        for i, quotes in enumerate(prices)
    ]


def test_an_expiry_makes_no_jump():
    # February at 50 and March at 80 stand still while the front month rolls over.
    prices = [{(JANUARY + 1, 1): 50.0, (JANUARY + 2, 1): 80.0}] * 3 + [
        {(JANUARY + 2, 1): 80.0, (JANUARY + 3, 1): 60.0}
    ] * 3

    shocks = tenor_shocks(days_of(prices, date(2027, 1, 29)), thirty_days, scenarios=5, tenors=4)

    assert not shocks.values.any()
    assert shocks.days[-1] == date(2027, 2, 3)


def test_a_tenor_without_a_quote_takes_its_neighbor_and_says_so():
    prices = [{(JANUARY + 1, 1): 50.0}, {(JANUARY + 1, 1): -3.0}]

    shocks = tenor_shocks(days_of(prices, date(2027, 1, 4)), thirty_days, scenarios=1, tenors=3)

    assert shocks.values.tolist() == [[-53.0, -53.0, -53.0]]
    assert shocks.own.tolist() == [[False, True, False]]
    gaps = shocks.gaps()
    assert [(gap.first, gap.last, gap.missing) for gap in gaps] == [(0, 0, 1), (2, 2, 1)]
    assert gaps[0].like == Likeness(None, None, 0)


def test_a_history_that_is_too_short_or_broken_is_refused():
    quotes = [{(JANUARY, 1): 1.0}, {(JANUARY, 1): 2.0}]
    days = days_of(quotes, date(2026, 12, 1))

    with pytest.raises(ScenarioError, match="1 daily changes, 2 are needed"):
        tenor_shocks(days, thirty_days, scenarios=2, tenors=1)
    with pytest.raises(ScenarioError, match="does not come after"):
        tenor_shocks(days[::-1], thirty_days, scenarios=1, tenors=1)
    with pytest.raises(ScenarioError, match="not finite"):
        bad = days_of([{(JANUARY, 1): 1.0}, {(JANUARY, 1): np.nan}], date(2026, 12, 1))
        tenor_shocks(bad, thirty_days, scenarios=1, tenors=1)
    with pytest.raises(ScenarioError, match="at least one"):
        tenor_shocks(days, thirty_days, scenarios=0, tenors=1)


def test_relative_moves_are_of_each_month_after_the_contracts_are_reconciled():
    # The quarter says what March was and is: 3·60 − 50 − 58 = 72, and 3·66 − 55 − 62 = 81.
    prices = [
        {(JANUARY, 1): 50.0, (JANUARY + 1, 1): 58.0, (JANUARY, 3): 60.0},
        {(JANUARY, 1): 55.0, (JANUARY + 1, 1): 62.0, (JANUARY, 3): 66.0},
    ]
    days = days_of(prices, date(2027, 1, 4))
    by = {"scenarios": 1, "tenors": 3}

    relative = tenor_shocks(days, thirty_days, rule=ShockRule.RELATIVE, **by)
    displaced = tenor_shocks(days, thirty_days, rule=ShockRule.DISPLACED, displacement=100.0, **by)

    assert relative.values[0] == pytest.approx([0.1, 62 / 58 - 1, 81 / 72 - 1])
    assert displaced.values[0] == pytest.approx(np.log([155 / 150, 162 / 158, 181 / 172]))


def test_a_negative_price_has_no_logarithm_and_is_named():
    prices = [{(JANUARY + 1, 1): 50.0}, {(JANUARY + 1, 1): -3.0}]

    with pytest.raises(ScenarioError, match=r"2027-02 on 2027-01-04 or 2027-01-05: after\[0\]: -3"):
        tenor_shocks(
            days_of(prices, date(2027, 1, 4)), thirty_days, scenarios=1, tenors=1,
            rule=ShockRule.LOGARITHMIC,
        )  # fmt: skip


def test_by_contract_a_month_keeps_its_own_history_and_the_rest_is_a_proxy():
    # Two months before the valuation month March was three months ahead, and moved by 7.
    prices = [
        {(JANUARY + m, 1): 50.0 for m in range(4)},
        {(JANUARY + m, 1): 50.0 + move for m, move in enumerate((1.0, 2.0, 7.0, 4.0))},
    ]
    days = days_of(prices, date(2027, 1, 4))
    by = {"scenarios": 1, "tenors": 3}

    by_time = tenor_shocks(days, thirty_days, **by)
    by_contract = tenor_shocks(
        days, thirty_days, mapping=ShockMapping.CONTRACT, origin=JANUARY + 2, **by
    )

    assert by_time.values.tolist() == [[1.0, 2.0, 7.0]]
    # May was not quoted: what was as far ahead as it is now speaks for it.
    assert by_contract.values.tolist() == [[7.0, 4.0, 7.0]]
    assert by_contract.own.tolist() == [[True, True, False]]
    with pytest.raises(ScenarioError, match="origin"):
        tenor_shocks(days, thirty_days, mapping=ShockMapping.CONTRACT, **by)


def test_a_gap_says_how_the_month_beside_it_went_where_both_were_quoted():
    # February moves by half of March, and is not quoted on the last two days.
    rows = []
    for n in range(8):
        march = 50.0 + (-1.0) ** n * n
        rows.append({(JANUARY + 2, 1): march} | ({(JANUARY + 1, 1): march / 2} if n < 6 else {}))

    shocks = tenor_shocks(days_of(rows, date(2027, 1, 4)), thirty_days, scenarios=7, tenors=3)

    front, february = shocks.gaps()
    assert (front.first, front.last, front.missing) == (0, 0, 7)
    assert (february.first, february.last, february.missing) == (1, 1, 2)
    assert february.like == Likeness(pytest.approx(1.0), pytest.approx(0.5), 5)


def test_moves_of_several_days_overlap():
    rows = [{(JANUARY + 1, 1): price} for price in (50.0, 51.0, 53.0, 56.0)]
    days = days_of(rows, date(2027, 1, 4))

    shocks = tenor_shocks(days, thirty_days, scenarios=2, tenors=1, horizon=2)

    assert shocks.values.tolist() == [[3.0], [5.0]]
    assert shocks.days == (date(2027, 1, 6), date(2027, 1, 7))
    with pytest.raises(ScenarioError, match="2 daily changes, 3 are needed"):
        tenor_shocks(days, thirty_days, scenarios=3, tenors=1, horizon=2)


def test_of_two_volatilities_the_shorter_contract_speaks_for_a_month():
    days = days_of(
        [
            {(JANUARY, 3): 0.40, (JANUARY + 1, 1): 0.50},
            {(JANUARY, 3): 0.43, (JANUARY + 1, 1): 0.48},
        ],
        date(2027, 1, 4),
    )

    moved = paired_shocks([tuple(days)], thirty_days, tenors=4, of_volatility=True)

    assert moved.values[0] == pytest.approx([0.03, -0.02, 0.03, 0.03])
    assert moved.own.tolist() == [[True, True, True, False]]


exposures = st.lists(
    st.builds(
        Exposure,
        month=st.integers(JANUARY - 1, JANUARY + 30),
        mw=st.floats(-500, 500),
        mw_price=st.floats(-1e5, 1e5),
        hours=st.sampled_from([0.0, 24.0, 672.0, 744.0]),
    ),
    max_size=8,
)


@given(exposures, exposures)
def test_vectors_and_values_add(left, right):
    shocks = np.random.default_rng(3).normal(0, 2, (50, 24))
    curve = MonthlyCurve(JANUARY - 1, np.linspace(-5, 90, 40))

    def pnl(positions):
        return project(shocks, exposure_by_tenor(positions, origin=JANUARY, tenors=24))

    assert np.allclose(pnl(left) + pnl(right), pnl(left + right), rtol=1e-9, atol=1e-3)
    assert base_value(left, curve) + base_value(right, curve) == pytest.approx(
        base_value(left + right, curve), rel=1e-9, abs=1e-3
    )


def test_a_bought_forward_gains_when_prices_rise():
    position = [Exposure(JANUARY, 10.0, 852.0, 744.0)]

    pnl = project(
        np.array([[1.0, 0.0], [-2.0, 0.0]]), exposure_by_tenor(position, origin=JANUARY, tenors=2)
    )

    assert pnl.tolist() == [7440.0, -14880.0]
    assert base_value(position, MonthlyCurve(JANUARY, np.array([90.0]))) == pytest.approx(
        744 * (900 - 852)
    )


def test_a_month_beyond_the_curve_is_named():
    with pytest.raises(NoCurve, match="2027-02"):
        base_value([Exposure(JANUARY + 1, 1.0, 1.0, 1.0)], MonthlyCurve(JANUARY, np.array([90.0])))
    with pytest.raises(ValueError, match="does not fit"):
        project(np.zeros((2, 3)), np.zeros(2))
