"""Options in scenarios beside pricing each of them again at moved marks and volatilities."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.valuation import bound_values, bounds_in_scenarios, optionlet_prices
from trading.valuation import options_in_scenarios as in_scenarios

from . import test_bounds as profile
from .test_optionlets import (
    BASKET,
    CASES,
    CONTRACTS,
    DAY,
    MARKS,
    SPREAD,
    early,
    early_market,
    market,
    rights,
    state,
)

RNG = np.random.default_rng(5)
# As prices move in a day: some 5 %, and a quiet and a wild day beside.
MOVES = RNG.normal(0, 4, (len(CONTRACTS), 12)) * np.append(np.ones(10), [0.0, 4.0])
VOLS = RNG.normal(0, 0.02, (2, 12))


def again(found, on, moves, vols=None, at=0, fixings=None):
    """Price every right anew in each scenario, by the desk's own function."""
    rows = []
    for n in range(moves.shape[1]):
        moved = on
        if vols is not None:
            added = vols[:, None, n] * np.where(on.formula == "BACHELIER", 100.0, 1.0)
            moved = replace(on, volatility=on.volatility + added)
        here = state(at, MARKS + moves[:, n], fixings)
        rows.append(optionlet_prices(CONTRACTS, found, here, moved).price)
    base = optionlet_prices(CONTRACTS, found, state(at, MARKS, fixings), on).price
    return base, np.array(rows).T - base[:, None]


def vol_moves(on, vols):
    scale = np.where(on.formula == "BACHELIER", 100.0, 1.0)
    return vols[:, None, :] * scale[None, :, None]


@pytest.mark.parametrize("at", [0, 40 * DAY], ids=["before", "within the first month"])
@pytest.mark.parametrize(
    ("rows", "formula", "terms", "averages"),
    [(*case, False) for case in CASES.values()]
    + [(SPREAD, "DISPLACED_BLACK", {"shift": 40.0}, False)]
    + [(BASKET, formula, terms, True) for rows, formula, terms in list(CASES.values())[:3]],
    ids=[*CASES, "spread, displaced", *(f"average {name}" for name in list(CASES)[:3])],
)
def test_each_right_equals_its_full_price_in_every_scenario(rows, formula, terms, averages, at):
    strike = 8 if rows is SPREAD else 96
    found = rights((1, strike, rows), (-1, strike + 3, rows), averages=averages,
                   expiry=(120 if averages else 45) * DAY)  # fmt: skip
    on = market(found, formula, **terms)
    base, change = again(found, on, MOVES, VOLS, at)

    values = in_scenarios(CONTRACTS, found, state(at), on, MOVES, vol_moves(on, VOLS))

    assert values.priced.all() and not values.error.any() and not values.payoffs.any()
    assert values.price == pytest.approx(base, rel=1e-12)
    assert values.change == pytest.approx(change, rel=1e-9, abs=1e-9)
    assert np.abs(change).max() > 1


@pytest.mark.parametrize("formula", ["BLACK76", "DISPLACED_BLACK", "BACHELIER"])
@pytest.mark.parametrize("american", [True, False])
def test_an_early_right_is_within_its_measured_error_of_its_full_price(american, formula):
    found = early(american, (1, 92, BASKET), (-1, 101, BASKET))
    on = early_market(found, formula)
    _, change = again(found, on, MOVES)

    values = in_scenarios(CONTRACTS, found, state(), on, MOVES)

    assert np.abs(values.change - change).max() < 0.02
    assert (values.error >= 0).all() and values.error.max() < 0.02
    # Without what is gained early it would be wrong by more.
    european = in_scenarios(
        CONTRACTS, replace(found, early=None), state(), replace(on, early_rate=None), MOVES
    )
    assert np.abs(values.change - change).max() < np.abs(european.change - change).max()


def test_the_average_of_a_spread_moves_by_its_greeks_and_says_how_far_that_is_off():
    found = rights((1, 8, SPREAD), (-1, 10, SPREAD), averages=True, expiry=120 * DAY)
    on = market(found)
    moves = MOVES[:, :6]
    _, change = again(found, on, moves)

    values = in_scenarios(CONTRACTS, found, state(), on, moves)

    assert (values.error > 0).all()
    assert np.abs(values.change - change).max() < 0.1
    extreme = int(values.change[0].argmin())
    assert abs(values.change[0] - change[0])[extreme] <= values.error[0] * (1 + 1e-9)


@settings(max_examples=25)
@given(st.floats(-400, 400), st.sampled_from(["BLACK76", "DISPLACED_BLACK", "BACHELIER"]))
def test_parity_holds_in_every_scenario_even_where_a_price_has_no_logarithm(move, formula):
    found = rights((1, 96, BASKET), (-1, 96, BASKET))
    shift = 40.0 if formula == "DISPLACED_BLACK" else 0.0
    on = market(found, formula, shift=shift, vol=35.0 if formula == "BACHELIER" else 0.5)
    moves = np.full((len(CONTRACTS), 1), move)
    annuity = optionlet_prices(CONTRACTS, found, state(), on).annuity[0]

    values = in_scenarios(CONTRACTS, found, state(), on, moves)

    gained = values.change[0] - values.change[1]
    assert gained == pytest.approx(annuity * move, rel=1e-9, abs=1e-8)
    highest = float(MARKS[:3].max()) + move + shift  # the basket lies below it
    if formula == "BACHELIER":
        assert not values.payoffs.any()
    elif highest < 0:
        assert values.payoffs.tolist() == [1, 1]


def test_what_is_decided_or_has_no_price_gains_nothing():
    over = rights((1, 90, BASKET), delivers=True)
    values = in_scenarios(CONTRACTS, over, state(26 * DAY), market(over), MOVES)
    assert values.priced.all() and not values.change.any() and not values.price.any()

    paid = rights((1, 90, [(0, 0, 1.0)]))
    settled = replace(market(paid), settled=np.array([97.0]))
    values = in_scenarios(CONTRACTS, paid, state(26 * DAY), settled, MOVES)
    assert (
        values.price[0] == pytest.approx(7 * np.exp(-0.03 * 14 / 365)) and not values.change.any()
    )

    unknown = rights((1, 90, BASKET))
    values = in_scenarios(CONTRACTS, unknown, state(), market(unknown, vol=np.nan), MOVES)
    assert not values.priced.any() and not values.change.any()


def test_bounds_of_a_profile_equal_full_revaluation_within_their_measured_error():
    here, on = profile.state(profile.START - 9 * DAY), profile.quoted()
    moves = np.linspace(-30, 30, 21)[None]
    args = (profile.BOUNDS, profile.HELD)

    found = bounds_in_scenarios([profile.MONTH], *args, here, on, moves)

    base = bound_values([profile.MONTH], *args, here, on)
    assert found.value == pytest.approx(base.realised + base.unrealised, rel=1e-12)
    assert found.change[:, 10] == pytest.approx([0.0, 0.0], abs=1e-9)
    for n in (0, 4, 17, 20):
        moved = replace(here, fine={0: here.fine[0] + moves[0, n]})
        full = bound_values([profile.MONTH], *args, moved, on)
        gained = full.realised + full.unrealised - found.value
        assert found.change[:, n] == pytest.approx(gained, abs=2 * found.error.max() + 1e-6)
    assert (found.error < 1e-3 * np.abs(found.change).max(axis=1)).all()
