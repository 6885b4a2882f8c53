"""Rights on weighted prices: bounds, parity, Greeks beside revaluation, and a day explained."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.valuation import (
    ANY_TIME,
    WEEK,
    Basis,
    Contract,
    DayState,
    EarlyDates,
    FixingSeries,
    Holdings,
    MarketState,
    OptionDay,
    OptionHoldings,
    Optionlets,
    OptionMarket,
    StepKind,
    StepRow,
    ValuationError,
    option_greeks,
    optionlet_prices,
    revalued_greeks,
    value_options,
    waterfall,
)

DAY = 86400
# Three months of DE and one of FR, thirty days each, from the thirtieth day on.
STARTS = [30 * DAY, 60 * DAY, 90 * DAY]
MONTHS = [
    Contract("DE", Basis.HOUR, s, s + 30 * DAY, np.array([[s, s + 30 * DAY]])) for s in STARTS
]
FR = Contract("FR", Basis.HOUR, STARTS[0], STARTS[1], np.array([[STARTS[0], STARTS[1]]]))
CONTRACTS = [*MONTHS, FR]
MARKS = np.array([99.0, 93.0, 92.0, 90.0])
NOBODY = np.zeros(0, dtype=np.int64)


def rights(*made, averages=False, delivers=False, factor=1.0, expiry=25 * DAY, payment=40 * DAY):
    """Rights of (sign, strike, rows of (contract, side, weight))."""
    rows = [(n, *row) for n, (_, _, own) in enumerate(made) for row in own]
    count = len(made)
    return Optionlets(
        sign=np.array([float(sign) for sign, *_ in made]),
        strike=np.array([float(strike) for _, strike, _ in made]),
        expiry=np.full(count, expiry),
        averages=np.full(count, averages),
        delivers=np.full(count, delivers),
        row_optionlet=np.array([row[0] for row in rows]),
        row_contract=np.array([row[1] for row in rows]),
        row_side=np.array([row[2] for row in rows]),
        row_weight=np.array([row[3] for row in rows]),
        row_payment=np.array([payment + 30 * DAY * row[1] for row in rows]),
        row_factor=np.full(len(rows), factor),
    )


def market(found, formula="BLACK76", vol=0.5, second=0.4, rho=0.7, rate=0.03, shift=0.0):
    count = len(found)
    return OptionMarket(
        formula=np.full(count, formula),
        displacement=np.full(count, shift),
        volatility=np.array([np.full(count, vol), np.full(count, second)]),
        correlation=np.full(count, rho),
        rate=np.full(len(found.row_side), rate),
        settled=np.full(len(found.row_side), np.nan),
        known=np.ones(count, dtype=np.bool_),
    )


def state(at=0, marks=MARKS, fixings=None):
    return MarketState(at, at, fixings or {}, np.array(marks, dtype=np.float64))


BASKET = [(0, 0, 0.4), (1, 0, 0.35), (2, 0, 0.25)]
SPREAD = [(0, 0, 1.0), (3, 1, 1.0)]
CASES = {
    "black": (BASKET, "BLACK76", {}),
    "displaced": (BASKET, "DISPLACED_BLACK", {"shift": 40.0}),
    "bachelier": (BASKET, "BACHELIER", {"vol": 35.0}),
    "spread, lognormal": (SPREAD, "BLACK76", {}),
    "spread, normal": (SPREAD, "BACHELIER", {"vol": 35.0, "second": 30.0}),
}
FORMULAS = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def held(*quantities):
    count = len(quantities)
    return OptionHoldings(1, np.zeros(count, dtype=np.int64), np.arange(count),
                          np.array(quantities, dtype=np.float64))  # fmt: skip


@FORMULAS
def test_a_call_less_a_put_is_the_discounted_forward_less_the_strike(case):
    rows, formula, terms = case
    found = rights((1, 5, rows), (-1, 5, rows))

    values = optionlet_prices(CONTRACTS, found, state(), market(found, formula, **terms))

    forward = values.forward[0, 0] - values.forward[1, 0]
    assert values.priced.all()
    assert values.price[0] - values.price[1] == pytest.approx(
        values.annuity[0] * (forward - 5), abs=1e-9
    )


@FORMULAS
def test_greeks_by_formula_agree_with_moving_each_input(case):
    rows, formula, terms = case
    strike = 8 if rows is SPREAD else 96
    found = rights((1, strike, rows), (-1, strike + 3, rows))
    on, holdings = market(found, formula, **terms), held(1000.0, -400.0)

    greeks = option_greeks(CONTRACTS, found, holdings, state(), on)
    again = revalued_greeks(CONTRACTS, found, holdings, state(), on)

    assert greeks.contract.tolist() == again.contract.tolist()
    assert greeks.delta == pytest.approx(again.delta, rel=1e-6, abs=1e-4)
    codes = np.array([CONTRACTS[n].market for n in greeks.contract.tolist()])
    for n, code in enumerate(again.markets):
        assert greeks.gamma[codes == code].sum() == pytest.approx(again.gamma[n], rel=1e-3)
        assert greeks.vega[codes == code].sum() == pytest.approx(again.vega[n], rel=1e-5)
    # An hour is no instant: the rest is its curvature.
    assert greeks.theta.sum() == pytest.approx(again.theta, rel=5e-3)


DATES = np.array([5 * DAY, 15 * DAY, 25 * DAY])


def early(american, *made, paid=True):
    """Rights that may be exercised at any time, or on three days, paid a week later or not."""
    found = rights(*made)
    n = np.arange(len(found))
    if american:
        always = np.full(n.size, ANY_TIME)
        dates = EarlyDates(n, always, always, np.full(n.size, WEEK * paid))
    else:
        at = np.tile(DATES, n.size)
        dates = EarlyDates(np.repeat(n, 3), at - DAY // 2, at, (at + WEEK) * paid)
    week = np.full(found.row_payment.size, 25 * DAY + WEEK)
    return replace(found, early=dates, row_payment=week if paid else found.row_payment)


def early_market(found, formula, rate=0.25):
    terms = {"BLACK76": {}, "DISPLACED_BLACK": {"shift": 40.0}, "BACHELIER": {"vol": 35.0}}
    on = market(found, formula, rate=rate, **terms[formula])
    return replace(on, early_rate=np.full(found.early.at.size, rate))


@pytest.mark.parametrize("formula", ["BLACK76", "DISPLACED_BLACK", "BACHELIER"])
@pytest.mark.parametrize("american", [True, False])
def test_greeks_of_what_may_be_exercised_early_agree_with_moving_each_input(american, formula):
    found = early(american, (1, 92, BASKET), (-1, 101, BASKET))
    on, holdings = early_market(found, formula), held(1000.0, -400.0)

    values = optionlet_prices(CONTRACTS, found, state(), on)
    greeks = option_greeks(CONTRACTS, found, holdings, state(), on)
    again = revalued_greeks(CONTRACTS, found, holdings, state(), on)

    plain = optionlet_prices(CONTRACTS, replace(found, early=None), state(), on)
    assert values.early.premium == pytest.approx(values.price - plain.price)
    assert np.all(values.early.premium > 1e-3) and np.all(values.early.error < 2e-3)
    assert greeks.delta == pytest.approx(again.delta, rel=1e-5, abs=1e-3)
    assert greeks.gamma.sum() == pytest.approx(again.gamma[0], rel=1e-3)
    assert greeks.vega.sum() == pytest.approx(again.vega[0], rel=1e-4)
    assert greeks.theta.sum() == pytest.approx(again.theta, rel=5e-3)


@pytest.mark.parametrize("american", [True, False])
def test_nothing_is_gained_early_where_payments_stay_or_no_interest_is_paid(american):
    for paid, rate in ((False, 0.25), (True, 0.0)):
        found = early(american, (1, 92, BASKET), paid=paid)
        on = early_market(found, "BLACK76", rate)

        values = optionlet_prices(CONTRACTS, found, state(), on)

        plain = optionlet_prices(CONTRACTS, replace(found, early=None), state(), on)
        assert values.price == pytest.approx(plain.price, rel=1e-12)
        assert values.early.premium.tolist() == [0.0] and values.early.grid is None


def test_what_is_best_exercised_now_waits_for_nothing_and_a_date_that_has_begun_may_pass():
    found = early(True, (-1, 190, BASKET))
    on = early_market(found, "BLACK76")
    values = optionlet_prices(CONTRACTS, found, state(), on)
    assert values.price == pytest.approx(np.exp(-0.25 * 7 / 365) * (190 - values.forward[0]))
    assert values.theta == pytest.approx([0.0], abs=1e-9)
    assert values.early.exercise > values.early.hold

    dated = early(False, (-1, 190, BASKET))
    on = early_market(dated, "BLACK76")
    before, begun, after = (
        optionlet_prices(CONTRACTS, dated, state(at), on) for at in
        (4 * DAY, 5 * DAY - 3600, 5 * DAY + 3600)
    )  # fmt: skip
    assert before.early.exercise.tolist() == [0.0] == after.early.exercise.tolist()
    assert begun.early.exercise == pytest.approx(begun.price, rel=1e-6)
    # Ten days' interest is lost until the next date.
    assert begun.early.hold == pytest.approx(begun.price * np.exp(-0.25 * 10 / 365), rel=1e-4)
    lacking = replace(on, early_rate=np.full(3, np.nan))
    assert not optionlet_prices(CONTRACTS, dated, state(), lacking).priced.any()


def test_a_day_of_an_early_right_is_explained_to_the_cent():
    found = early(True, (-1, 101, BASKET))
    first, second = early_market(found, "BLACK76"), early_market(found, "BLACK76", 0.35)
    before = day(0, MARKS, OptionDay(found, held(1000.0), first))
    after = day(DAY, MARKS - 1.0, OptionDay(found, held(1000.0), second))

    explained = waterfall(CONTRACTS, before, after)

    got = {step: row[0] for step, row in zip(explained.steps, explained.native, strict=True)}
    charged = value_options(CONTRACTS, found, held(1000.0), state(DAY, MARKS - 1.0), second)
    assert got[StepRow(StepKind.INTEREST)] and not got[StepRow(StepKind.VOL)]
    assert explained.closing[0] == round(100 * charged.total[0])
    assert sum(got.values()) == explained.closing[0] - explained.opening[0]


@pytest.mark.parametrize("formula", ["BLACK76", "BACHELIER", "DISPLACED_BLACK"])
@pytest.mark.parametrize("at", [0, 45 * DAY])
def test_greeks_of_an_average_agree_before_it_begins_and_in_the_middle_of_it(formula, at):
    found = rights((1, 95, [(0, 0, 1.0)]), averages=True, expiry=60 * DAY, payment=70 * DAY)
    shift, vol = 40.0 * (formula == "DISPLACED_BLACK"), 35.0 if formula == "BACHELIER" else 0.5
    on, holdings = market(found, formula, vol=vol, shift=shift), held(1000.0)
    hours = np.arange(STARTS[0], max(at - 5 * DAY, STARTS[0]), 3600)
    spot = {"DE": FixingSeries(hours, hours + 3600, np.full(hours.size, 97.0))}

    greeks = option_greeks(CONTRACTS, found, holdings, state(at, fixings=spot), on)
    again = revalued_greeks(CONTRACTS, found, holdings, state(at, fixings=spot), on)

    assert greeks.delta == pytest.approx(again.delta, rel=1e-6)
    assert greeks.gamma.sum() == pytest.approx(again.gamma[0], rel=1e-3)
    assert greeks.vega.sum() == pytest.approx(again.vega[0], rel=1e-5)
    assert greeks.theta.sum() == pytest.approx(again.theta, rel=1e-9)


@pytest.mark.parametrize("formula", ["BLACK76", "BACHELIER"])
@pytest.mark.parametrize("at", [0, 45 * DAY])
def test_an_average_of_spreads_keeps_parity_and_its_greeks_with_what_is_fixed(formula, at):
    made = [(sign, 8, SPREAD) for sign in (1, -1)]
    found = rights(*made, averages=True, expiry=60 * DAY, payment=70 * DAY, factor=1.25)
    vols = {"vol": 35.0, "second": 30.0} if formula == "BACHELIER" else {}
    on = market(found, formula, **vols)
    hours = np.arange(STARTS[0], max(at - 5 * DAY, STARTS[0]), 3600)
    spot = {
        code: FixingSeries(hours, hours + 3600, np.full(hours.size, price))
        for code, price in (("DE", 97.0), ("FR", 81.0))
    }
    then = state(at, fixings=spot)

    values = optionlet_prices(CONTRACTS, found, then, on)
    greeks = option_greeks(CONTRACTS, found, held(1000.0, -400.0), then, on)
    again = revalued_greeks(CONTRACTS, found, held(1000.0, -400.0), then, on)

    # A third of the month is fixed in the middle of it; the marks are 99 and 90.
    fixed = hours.size / 720
    mean = 1.25 * (fixed * (97 - 81) + (1 - fixed) * (99 - 90))
    assert values.priced.all()
    assert values.price[0] - values.price[1] == pytest.approx(values.annuity[0] * (mean - 8))
    assert values.price.min() > 0
    assert greeks.delta == pytest.approx(again.delta, rel=1e-6)
    codes = np.array([CONTRACTS[n].market for n in greeks.contract.tolist()])
    for n, code in enumerate(again.markets):
        assert greeks.gamma[codes == code].sum() == pytest.approx(again.gamma[n], rel=5e-3)
        assert greeks.vega[codes == code].sum() == pytest.approx(again.vega[n], rel=1e-5)


def test_an_average_of_spreads_that_is_over_pays_on_both_fixings():
    found = rights((1, 8, SPREAD), averages=True, expiry=60 * DAY, payment=65 * DAY)
    hours = np.arange(STARTS[0], STARTS[0] + 30 * DAY, 3600)
    spot = {
        code: FixingSeries(hours, hours + 3600, np.full(hours.size, price))
        for code, price in (("DE", 97.0), ("FR", 81.0))
    }
    unknown = replace(market(found), volatility=np.full((2, 1), np.nan), formula=np.array([""]))

    value = value_options(CONTRACTS, found, held(10.0), state(70 * DAY, fixings=spot), unknown)

    assert value.realised == pytest.approx([10 * (97 - 81 - 8)])
    assert (value.unrealised.tolist(), value.missing.tolist()) == ([0.0], [False])


def test_an_average_that_is_over_pays_on_its_fixings_and_on_the_mark_where_none_is_published():
    found = rights((1, 90, [(0, 0, 1.0)]), averages=True, expiry=60 * DAY, payment=65 * DAY)
    hours = np.arange(STARTS[0], STARTS[0] + 15 * DAY, 3600)
    spot = {"DE": FixingSeries(hours, hours + 3600, np.full(hours.size, 105.0))}

    unknown = replace(market(found), volatility=np.full((2, 1), np.nan), formula=np.array([""]))
    value = value_options(CONTRACTS, found, held(10.0), state(70 * DAY, fixings=spot), unknown)

    assert value.realised == pytest.approx([10 * ((105 + 99) / 2 - 90)])
    assert (value.unrealised.tolist(), value.missing.tolist()) == ([0.0], [False])


def test_an_expired_right_pays_at_what_decided_it_and_a_delivering_one_is_nothing():
    found = rights((1, 90, BASKET), (-1, 90, BASKET))
    settled = np.array([95.0, 95.0, 95.0] * 2)
    on = replace(market(found), settled=settled, rate=np.zeros(6))

    late = state(26 * DAY)
    paid = value_options(CONTRACTS, found, held(10.0, 10.0), late, on)
    delivered = replace(found, delivers=np.ones(2, dtype=np.bool_))
    gone = value_options(CONTRACTS, delivered, held(10.0, 10.0), late, on)

    assert paid.realised == pytest.approx([50.0, 0.0])
    assert (gone.realised.tolist(), gone.missing.any()) == ([0.0, 0.0], False)
    greeks = option_greeks(CONTRACTS, found, held(10.0, 10.0), late, on)
    assert not greeks.delta.any()


@pytest.mark.parametrize(
    "change",
    [
        {"volatility": np.full((2, 1), np.nan)}, {"formula": np.array([""])},
        {"rate": np.full(3, np.nan)}, {"known": np.array([False])},
    ],
    ids=["volatility", "formula", "rate", "known"],
)  # fmt: skip
def test_what_is_not_known_is_missing_and_nothing_leaves_as_nan(change):
    found = rights((1, 95, BASKET))
    on = replace(market(found), **change)

    value = value_options(CONTRACTS, found, held(10.0), state(), on)
    greeks = option_greeks(CONTRACTS, found, held(10.0), state(), on)

    assert value.missing.all() and value.total.tolist() == [0.0]
    for row in (greeks.delta, greeks.gamma, greeks.vega, greeks.theta):
        assert not row.any()


def test_a_price_below_zero_or_missing_is_missing_under_black_and_one_for_bachelier():
    found = rights((1, 95, BASKET))
    below, bare = state(marks=MARKS - 100), state(marks=np.full(4, np.nan))

    black = value_options(CONTRACTS, found, held(1.0), below, market(found))
    normal = value_options(CONTRACTS, found, held(1.0), below, market(found, "BACHELIER", vol=30.0))
    nothing = value_options(CONTRACTS, found, held(1.0), bare, market(found))

    assert black.missing.all() and nothing.missing.all()
    assert not normal.missing.any() and 0 < normal.total[0] < 5


@given(
    marks=st.lists(st.floats(1, 500), min_size=4, max_size=4), strike=st.floats(1, 500),
    vol=st.floats(0, 3), rate=st.floats(-0.05, 0.2), at=st.integers(0, 24 * DAY),
)  # fmt: skip
def test_a_call_lies_between_its_intrinsic_value_and_its_discounted_forward(
    marks, strike, vol, rate, at
):
    found = rights((1, strike, BASKET))

    value = optionlet_prices(CONTRACTS, found, state(at, marks), market(found, vol=vol, rate=rate))

    forward, annuity = value.forward[0, 0], value.annuity[0]
    slack = 1e-9 * max(forward, strike)
    assert annuity * max(forward - strike, 0) - slack <= value.price[0]
    assert value.price[0] <= annuity * forward + slack


def day(at, marks, options, fees=0.0, *, is_held=True):
    nothing = np.zeros(0)
    return DayState(
        Holdings(1, NOBODY, NOBODY, nothing, nothing), state(at, marks), np.array([fees]),
        np.ones(1), np.array([is_held]), options,
    )  # fmt: skip


def test_a_day_of_options_is_explained_by_time_each_curve_interest_and_volatility():
    found = rights((1, 8, SPREAD), (1, 95, BASKET))
    first, second = market(found), market(found, vol=0.55, second=0.42, rate=0.035)
    holdings, moved = held(1000.0, -300.0), MARKS + np.array([2.0, -1.0, 0.5, 4.0])
    before = day(0, MARKS, OptionDay(found, holdings, first))
    after = day(DAY, moved, OptionDay(found, held(1000.0, -200.0), second))

    explained = waterfall(CONTRACTS, before, after)

    def worth(at, marks, on, what=holdings):
        return value_options(CONTRACTS, found, what, state(at, marks), on).total[0]

    half = np.where([True, True, True, False], moved, MARKS)
    charged = replace(first, rate=second.rate)
    walk = [
        worth(0, MARKS, first), worth(DAY, MARKS, first), worth(DAY, half, first),
        worth(DAY, moved, first), worth(DAY, moved, charged), worth(DAY, moved, second),
        worth(DAY, moved, second, held(1000.0, -200.0)),
    ]  # fmt: skip
    kinds = [
        StepRow(StepKind.TIME), StepRow(StepKind.PRICE, "DE"), StepRow(StepKind.PRICE, "FR"),
        StepRow(StepKind.INTEREST), StepRow(StepKind.VOL), StepRow(StepKind.AMENDMENT),
    ]  # fmt: skip
    got = {step: row[0] for step, row in zip(explained.steps, explained.native, strict=True)}
    cents = [round(100 * value) for value in walk]
    assert [got[kind] for kind in kinds] == list(np.diff(cents))
    assert all(got[kind] for kind in kinds)
    assert sum(got.values()) == explained.closing[0] - explained.opening[0]


def test_a_new_option_is_new_and_both_days_have_options_or_neither():
    found = rights((1, 95, BASKET))
    on = market(found)
    empty = OptionHoldings(1, NOBODY, NOBODY, np.zeros(0))
    before = day(0, MARKS, OptionDay(found, empty, on), is_held=False)
    after = day(DAY, MARKS, OptionDay(found, held(10.0), on), fees=-50.0)

    explained = waterfall(CONTRACTS, before, after)

    got = {step.kind: row[0] for step, row in zip(explained.steps, explained.native, strict=True)}
    assert got[StepKind.NEW] > 0 and got[StepKind.FEES] == -5000
    assert got[StepKind.VOL] == got[StepKind.TIME] == 0
    with pytest.raises(ValuationError, match="options"):
        waterfall(CONTRACTS, replace(before, options=None), after)
