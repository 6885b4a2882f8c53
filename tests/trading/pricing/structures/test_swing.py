"""Swing contracts: beside a mixed-integer programme, replayed, and beyond the curve."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from trading.pricing import OptionType, PricingError
from trading.pricing.processes import MeanRevertingSpot, TwoFactorForwards
from trading.pricing.structures import (
    ContractYear,
    InfeasibleContract,
    SpotResponse,
    Swing,
    swing_extrinsic,
    swing_intrinsic,
    swing_rights,
)

FIRST = np.datetime64("2027-10-01")
BIG = 1_000.0


def contract(days=12, number=1, **terms):
    dates = FIRST + np.arange(days)
    a_year = terms.pop("year", {"annual_max": 8.0})
    begins = [FIRST + days * n // number for n in range(number)]
    asked = {
        "dates": dates, "strike": 25.0, "lot": 1.0, "max_quantity": 2.0,
        "years": tuple(ContractYear(first_date=begin, **a_year) for begin in begins),
    }  # fmt: skip
    return Swing(**asked | terms)


def programme_optimum(swing, curve, discount):
    """Return the optimum of a mixed-integer programme over days, totals and balances."""
    rows, lower, upper, cost, bounds, whole = [], [], [], [], [], []

    def column(low, high, worth=0.0, is_whole=0):
        cost.append(-worth)
        bounds.append((low, high))
        whole.append(is_whole)
        return len(cost) - 1

    def row(terms, low, high):
        rows.append(terms)
        lower.append(low)
        upper.append(high)

    sign = 1.0 if swing.option is OptionType.CALL else -1.0
    margin = sign * discount * (curve - np.asarray(swing.strike))
    day = [
        column(low, high, m)
        for low, high, m in zip(swing.min_quantity, swing.max_quantity, margin, strict=True)
    ]
    carried, short = column(0, 0), column(0, 0)
    for year, span in zip(swing.years, swing.spans, strict=True):
        paid = discount[span.stop - 1]
        is_hard = year.shortfall_price is None
        over, under = column(0, np.inf), column(0, np.inf)
        new = column(0, 0 if is_hard else np.inf, 0 if is_hard else -paid * year.shortfall_price)
        back = column(0, np.inf, paid * year.make_up_price)
        taken = {day[t]: 1.0 for t in range(span.start, span.stop)}
        row(taken, -np.inf, year.annual_max)
        row(taken | {carried: 1, short: -1, over: -1, under: 1}, year.take_or_pay, year.take_or_pay)
        is_over, is_new = column(0, 1, is_whole=1), column(0, 1, is_whole=1)
        row({over: 1, is_over: -BIG}, -np.inf, 0)
        row({under: 1, is_over: BIG}, -np.inf, BIG)
        row({under: 1, short: -1, new: -1, back: 1}, 0, 0)
        row({new: 1, is_new: -BIG}, -np.inf, 0)
        row({back: 1, is_new: BIG}, -np.inf, BIG)
        after = []
        for amount, limit in ((over, swing.carry_forward_limit), (under, swing.make_up_limit)):
            kept, is_cut = column(0, limit), column(0, 1, is_whole=1)
            row({kept: 1, amount: -1}, -np.inf, 0)
            row({kept: 1, amount: -1, is_cut: BIG}, 0, np.inf)
            row({kept: 1, is_cut: -BIG}, limit - BIG, np.inf)
            after.append(kept)
        carried, short = after
    matrix = np.zeros((len(rows), len(cost)))
    for n, terms in enumerate(rows):
        for at, value in terms.items():
            matrix[n, at] = value
    low, high = np.array(bounds, dtype=float).T
    answer = milp(
        cost, integrality=whole, bounds=Bounds(low, high),
        constraints=LinearConstraint(matrix, lower, upper), options={"mip_rel_gap": 0.0},
    )  # fmt: skip
    assert answer.status == 0, answer.message
    return -answer.fun


def replay(swing, plan, curve, discount):
    """Take the quantities day by day, settle the years, and return what was earned."""
    sign = 1.0 if swing.option is OptionType.CALL else -1.0
    assert (plan.quantity >= np.asarray(swing.min_quantity) - 1e-9).all()
    assert (plan.quantity <= np.asarray(swing.max_quantity) + 1e-9).all()
    money = float(discount @ (sign * plan.quantity * (curve - np.asarray(swing.strike))))
    balance = 0.0
    for n, (year, span) in enumerate(zip(swing.years, swing.spans, strict=True)):
        total = plan.quantity[span].sum()
        assert total == pytest.approx(plan.total[n])
        assert total <= year.annual_max + 1e-9
        owed = year.take_or_pay - max(balance, 0.0)
        earlier = max(-balance, 0.0)
        if total < owed:
            assert year.shortfall_price is not None
            money -= discount[span.stop - 1] * (owed - total) * year.shortfall_price
        extra = max(total - owed, 0.0)
        made_up = min(extra, earlier)
        money += discount[span.stop - 1] * made_up * year.make_up_price
        after = earlier - made_up + max(owed - total, 0.0)
        balance = min(extra - made_up, swing.carry_forward_limit) - min(after, swing.make_up_limit)
        assert plan.balance[n + 1] == pytest.approx(balance)
    return money


@given(
    prices=st.lists(st.integers(5, 45), min_size=12, max_size=12),
    top=st.integers(0, 7),
    penalty=st.sampled_from([None, 8.0, 25.0]),
    back=st.sampled_from([0.0, 5.0, 8.0]),
    make_up=st.integers(0, 4),
    carry=st.integers(0, 4),
    least=st.sampled_from([0.0, 1.0]),
    option=st.sampled_from(list(OptionType)),
)
@settings(max_examples=60, deadline=None)
def test_three_years_equal_the_mixed_integer_programme(
    prices, top, penalty, back, make_up, carry, least, option
):
    year = {"annual_max": 7.0, "take_or_pay": float(top), "shortfall_price": penalty,
            "make_up_price": back}  # fmt: skip
    swing = contract(
        number=3, year=year, make_up_limit=make_up, carry_forward_limit=carry, min_quantity=least,
        option=option,
    )  # fmt: skip
    curve, discount = np.array(prices, dtype=float), 0.97 ** np.arange(12)

    plan = swing_intrinsic(swing, curve, discount=discount)

    assert plan.value == pytest.approx(programme_optimum(swing, curve, discount), abs=1e-6)
    assert replay(swing, plan, curve, discount) == pytest.approx(plan.value, abs=1e-9)
    assert plan.cash_flow.sum() == pytest.approx(plan.value, abs=1e-9)


def test_a_year_of_daily_rights_takes_the_best_days():
    generator = np.random.default_rng(4)
    curve = 25.0 + generator.normal(0.0, 6.0, 365)
    swing = contract(
        days=365, lot=10.0, max_quantity=10.0, year={"annual_max": 1_000.0, "take_or_pay": 600.0}
    )

    plan = swing_intrinsic(swing, curve)

    best = np.sort(curve - 25.0)[::-1]
    count = int(np.clip((best > 0).sum(), 60, 100))
    assert plan.value == pytest.approx(10.0 * best[:count].sum())
    assert plan.value == pytest.approx(programme_optimum(swing, curve, np.ones(365)), rel=1e-9)
    assert plan.hedge.delta.sum() == pytest.approx(10.0 * count)


def test_pays_for_what_it_does_not_take_and_makes_it_up_later():
    # Short of 2 in a poor year, at 20 each; the good one takes 6 more than its own 2.
    year = {"annual_max": 8.0, "take_or_pay": 2.0, "shortfall_price": 20.0, "make_up_price": 20.0}
    swing = contract(days=8, number=2, year=year, make_up_limit=6.0)
    curve = np.array([1.0] * 4 + [30.0] * 4)

    plan = swing_intrinsic(swing, curve)

    assert plan.total.tolist() == [0.0, 8.0]
    assert plan.balance.tolist() == [0.0, -2.0, 0.0]
    assert plan.settlement.tolist() == [-40.0, 40.0]
    assert plan.value == pytest.approx(8 * 5.0)


@given(st.lists(st.integers(5, 45), min_size=10, max_size=10), st.integers(1, 19))
@settings(max_examples=30, deadline=None)
def test_more_quantity_is_never_worth_less_and_ever_less_more(prices, cap):
    worth = [
        swing_intrinsic(contract(days=10, year={"annual_max": float(c)}), prices).value
        for c in (cap - 1, cap, cap + 1)
    ]

    assert worth[0] <= worth[1] <= worth[2]
    assert worth[2] - worth[1] <= worth[1] - worth[0] + 1e-9


def lognormal(forwards, times, volatility, scenarios, generator):
    # No fading: the spot of `swing_rights`.
    model = TwoFactorForwards(
        mean_reversion=1.0, short_volatility=0.0, long_volatility=volatility, correlation=0.0
    )
    return model.simulate(times=times, curve=forwards, scenarios=scenarios, generator=generator)


@pytest.mark.parametrize("rights", [1, 3, 6])
def test_simulation_agrees_with_quadrature_on_a_lognormal_spot(rights):
    times, forwards = np.arange(1, 7) / 12.0, np.array([30.0, 31.0, 29.0, 32.0, 30.0, 28.0])
    generator = np.random.default_rng(17)
    fit, paths = (lognormal(forwards, times, 0.5, 4_000, generator) for _ in range(2))
    swing = Swing(
        dates=FIRST + np.arange(6), strike=30.0, lot=1.0, max_quantity=1.0,
        years=(ContractYear(FIRST, annual_max=float(rights)),), option=OptionType.PUT,
    )  # fmt: skip

    found = swing_extrinsic(swing, forwards, fit=fit, paths=paths, discount=0.95, seed=17)

    exact = swing_rights(
        forwards=forwards, strike=30.0, times=times, volatility=0.5, rights=rights,
        discounts=0.95, option=OptionType.PUT,
    ).price  # fmt: skip
    error = found.estimate.standard_error
    assert exact - 4 * error - 0.01 * exact < found.value < exact + 4 * error
    assert (found.hedge.delta < 0).all()
    assert found.expected_volume.sum() >= -rights


def test_years_with_make_up_are_followed_and_equal_the_plan_where_nothing_moves():
    year = {"annual_max": 8.0, "take_or_pay": 5.0, "shortfall_price": 9.0, "make_up_price": 7.0}
    swing = contract(days=16, number=2, year=year, make_up_limit=4.0, carry_forward_limit=2.0)
    curve = np.concatenate([np.linspace(15.0, 22.0, 8), np.linspace(24.0, 33.0, 8)])
    times = np.arange(1, 17) / 365.0

    def found(volatility):
        model = MeanRevertingSpot(mean_reversion=30.0, volatility=volatility)
        generator = np.random.default_rng(2)
        fit, paths = (
            model.simulate(times=times, curve=curve, scenarios=600, generator=generator)
            for _ in range(2)
        )
        return swing_extrinsic(
            swing, curve, fit=fit, paths=paths, response=SpotResponse.PARALLEL, degree=2
        )

    intrinsic = swing_intrinsic(swing, curve)
    assert found(0.0).value == pytest.approx(intrinsic.value, abs=1e-9)
    moving = found(60.0)
    assert moving.value > intrinsic.value + 3 * moving.estimate.standard_error


@pytest.mark.parametrize(
    ("terms", "says"),
    [({"lot": 0.0}, "lot: 0.0 must be above 0"),
     ({"max_quantity": 1.5}, "max_quantity.*: 1.5 must be a multiple of the lot 1"),
     ({"min_quantity": np.where(np.arange(12) == 3, 3.0, 0.0)}, r"max_quantity\[3\]"),
     ({"strike": np.where(np.arange(12) == 5, np.nan, 25.0)}, r"strike\[5\]: nan"),
     ({"make_up_limit": -1.0}, "make_up_limit"),
     ({"carry_forward_limit": 0.5}, "carry_forward_limit: 0.5 must be a multiple"),
     ({"years": ()}, "years: there must be one"),
     ({"years": (ContractYear(FIRST + 1, annual_max=1.0),)}, "years: the first must begin"),
     ({"year": {"annual_max": np.inf}}, r"years\[0\].annual_max: inf"),
     ({"year": {"annual_max": 2.0, "take_or_pay": 3.0}}, r"years\[0\].take_or_pay"),
     ({"year": {"annual_max": 2.0, "shortfall_price": np.nan}}, r"years\[0\].shortfall_price")],
)  # fmt: skip
def test_refuses_terms_by_name_index_and_rule(terms, says):
    with pytest.raises(PricingError, match=says):
        contract(**terms)


def test_refuses_a_contract_that_no_plan_fulfils():
    with pytest.raises(InfeasibleContract, match=r"years\[0\].annual_max: min_quantity asks 12"):
        contract(min_quantity=1.0)
    with pytest.raises(InfeasibleContract, match=r"years\[1\].take_or_pay: 9 MWh .* only 8"):
        contract(number=3, year={"annual_max": 9.0, "take_or_pay": 9.0}, carry_forward_limit=1.0,
                 max_quantity=np.where(np.arange(12) < 4, 3.0, 2.0))  # fmt: skip


def test_refuses_more_states_than_a_machine_holds():
    swing = contract(days=4, max_quantity=200_000.0, year={"annual_max": 200_000.0})
    generator = np.random.default_rng(1)
    times, curve = np.arange(1, 5) / 365.0, np.full(4, 25.0)
    fit = lognormal(curve, times, 0.5, 2_000, generator)
    with pytest.raises(PricingError, match=r"lot: 1 makes .* moves a day, more than"):
        swing_extrinsic(swing, curve, fit=fit, paths=fit)
    swing = contract(days=4, max_quantity=1.0, year={"annual_max": 4.0}, make_up_limit=20_000.0)
    with pytest.raises(PricingError, match="paths: 2000 scenarios of 100005 states are more than"):
        swing_extrinsic(swing, curve, fit=fit, paths=fit)
