"""The hedge of a contract with choices by its plan, and by moving prices and solving again."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energyopti.foundation.calendars import DatePeriod
from trading.deals import Direction, RightForm
from trading.queries.valuation.structures import structure_holding
from trading.valuation import Agreement, StructureMarket, check_hedge
from trading.valuation._structures import value_structure

from .structures_desk import ALL, BATTERY, RIGHT, STORAGE, SWING, TOLLING

WEEKS = DatePeriod.months(2027, 3, 1)


def laid_out(leg):
    leg = replace(leg, schedule=replace(leg.schedule, period=WEEKS))
    return structure_holding(0, leg, tuple(() for _ in leg.underlying), {})


def valued(holding, prices, volatility=None):
    at = int(holding.bounds[0]) - 30 * 86_400
    market = StructureMarket(np.full(len(holding.dates), 0.03), volatility)
    return value_structure(holding, prices, at, market), at, market


def checked(holding, prices, volatility=None):
    worth, at, market = valued(holding, prices, volatility)
    assert not worth.reason
    return check_hedge(holding, worth, at, market)


# A store and a swing contract that may do anything in the one month.
FREE = [
    replace(STORAGE, terms=replace(STORAGE.terms, start_inventory=500)),
    replace(SWING, terms=replace(SWING.terms, maximum=2400, minimum=960)),
    BATTERY,
]


@given(seed=st.integers(0, 2**32 - 1), tick=st.sampled_from([0.01, 5.0]))
@settings(max_examples=12, deadline=None)
@pytest.mark.parametrize("leg", FREE, ids=lambda leg: leg.kind.value)
def test_the_delta_of_a_plan_always_lies_between_its_one_sided_differences(leg, seed, tick):
    holding = laid_out(leg)
    random = np.random.default_rng(seed)
    # Prices on a coarse tick have many days that cost the same: kinks.
    prices = 28 + tick * np.round(random.normal(0, 5 / tick, (1, len(holding.dates))))

    for row in checked(holding, prices):
        assert row.agreement in (Agreement.AGREES, Agreement.KINK), (seed, tick, row)
        # An optimum is convex in the price.
        assert row.up >= row.down - row.tolerance


def test_a_plant_agrees_for_power_and_fuel_and_what_is_granted_is_the_negative():
    holding = laid_out(TOLLING)
    hour = np.arange(len(holding.dates))
    prices = np.stack([70 + 30 * np.sin(hour / 3.8), 30 + 0.001 * hour])

    rows = checked(holding, prices)
    granted = replace(holding, leg=replace(holding.leg, direction=Direction.PAY))

    assert [(row.hedge.role, row.agreement) for row in rows] == [
        ("power", Agreement.AGREES), ("fuel", Agreement.AGREES),
    ]  # fmt: skip
    assert [row.delta for row in checked(granted, prices)] == pytest.approx(
        [-row.delta for row in rows]
    )


def test_an_option_on_a_spread_agrees_in_delta_gamma_and_vega_by_normal_and_lognormal():
    holding = laid_out(RIGHT)
    count = len(holding.dates)
    random = np.random.default_rng(3)
    prices = np.stack([80 + random.normal(0, 3, count), 83 + random.normal(0, 3, count)])
    legs = np.stack([np.full(count, 0.5), np.full(count, 0.4), np.full(count, 0.6)])

    for volatility in (np.full(count, 36.0), legs):
        for row in checked(holding, prices, volatility):
            assert row.agreement is Agreement.AGREES
            assert row.gamma == pytest.approx(row.hedge.gamma, rel=1e-4)
            if row.hedge.vega:
                assert row.vega == pytest.approx(row.hedge.vega, rel=1e-4)


def test_equally_dear_months_are_a_kink_and_a_wrong_delta_differs():
    # One price, only discounted: the month in which the best days end is at a kink.
    summer = structure_holding(0, SWING, ((),), {})
    level = np.full((2, len(laid_out(RIGHT).dates)), 80.0)

    kink = checked(summer, np.full((1, len(summer.dates)), 30.0))
    owed = laid_out(replace(RIGHT, terms=replace(RIGHT.terms, form=RightForm.OBLIGATION)))
    worth, at, market = valued(owed, level)
    off = tuple(replace(row, delta=1.01 * row.delta) for row in worth.hedge)
    wrong = replace(worth, hedge=off)

    assert Agreement.KINK in {row.agreement for row in kink} <= {Agreement.AGREES, Agreement.KINK}
    assert {row.agreement for row in check_hedge(owed, worth, at, market)} == {Agreement.AGREES}
    assert {row.agreement for row in check_hedge(owed, wrong, at, market)} == {Agreement.DIFFERS}


def test_what_is_delivered_does_not_move_and_nothing_is_left_to_move_after_the_end():
    holding = laid_out(FREE[1])
    prices = np.full((1, len(holding.dates)), 30.0)
    middle, end = int(holding.bounds[10]), int(holding.bounds[-1])
    market = StructureMarket(np.zeros(len(holding.dates)))

    (row,) = check_hedge(holding, value_structure(holding, prices, middle, market), middle, market)
    over = value_structure(holding, prices, end, market)

    # The eleventh day has begun in silence: the least of eleven days is taken.
    assert row.agreement is Agreement.AGREES
    assert row.delta == pytest.approx(2400 - 10 * 24)
    assert check_hedge(holding, over, end, market) == ()


def test_every_kind_is_checked():
    assert {leg.kind for leg in (*FREE, TOLLING, RIGHT)} == {leg.kind for leg in ALL.values()}
