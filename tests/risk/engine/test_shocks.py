"""Moves of nodes: taken between two days and put on today's level, by a rule that is chosen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from risk.engine import ScenarioError, ShockRule, Shocks

RULES = [(rule, 500.0 if rule is ShockRule.DISPLACED else 0.0) for rule in ShockRule]
high = arrays(np.float64, (3, 4), elements=st.floats(1.0, 500.0))


@given(high, st.sampled_from(RULES))
def test_a_move_leads_from_one_day_to_the_next(levels, chosen):
    shocks = Shocks.all(4, *chosen)
    moves = shocks.between(levels[:-1], levels[1:])
    for before, after, move in zip(levels[:-1], levels[1:], moves, strict=True):
        assert shocks.applied(before, move) == pytest.approx(after, rel=1e-10)


@given(high, st.sampled_from(RULES))
def test_no_move_changes_no_digit(levels, chosen):
    shocks = Shocks.all(4, *chosen)
    assert (shocks.applied(levels[0], np.zeros((5, 4))) == levels[0]).all()


def test_negative_prices_move_by_amounts_or_above_a_displacement():
    before, after = np.array([-5.0]), np.array([10.0])
    absolute = Shocks.all(1, ShockRule.ABSOLUTE)
    assert absolute.applied([80.0], absolute.between(before, after)) == pytest.approx([95.0])
    displaced = Shocks.all(1, ShockRule.DISPLACED, 50.0)
    # (10 + 50) / (−5 + 50) of 80 + 50, less 50
    assert displaced.applied([80.0], displaced.between(before, after)) == pytest.approx(
        [130 * 60 / 45 - 50]
    )
    for rule in (ShockRule.RELATIVE, ShockRule.LOGARITHMIC):
        with pytest.raises(ScenarioError, match=r"before\[0\]: -5.0 must be above 0"):
            Shocks.all(1, rule).between(before, after)
    with pytest.raises(ScenarioError, match=r"levels\[0\]: -60.0 must be above -50"):
        displaced.applied([-60.0], [0.1])


def test_each_node_has_its_own_rule():
    shocks = Shocks(
        np.array(["ABSOLUTE", "RELATIVE", "LOGARITHMIC", "DISPLACED"]),
        np.array([0.0, 0.0, 0.0, 20.0]),
    )
    found = shocks.applied([-10.0, 50.0, 50.0, 30.0], np.full((2, 4), 0.1))
    wanted = [-9.9, 55.0, 50 * np.exp(0.1), 50 * np.exp(0.1) - 20]
    assert found == pytest.approx(np.array([wanted, wanted]))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Shocks(np.array(["SOME"]), np.zeros(1)), r"rule\[0\]: SOME"),
        (lambda: Shocks.all(2, ShockRule.DISPLACED), r"displacement\[0\]: 0.0 must be above 0"),
        (lambda: Shocks.all(2, ShockRule.ABSOLUTE, 5.0), "must be 0 for ABSOLUTE"),
        (lambda: Shocks.all(2, ShockRule.DISPLACED, np.nan), "displacement"),
        (lambda: Shocks(np.array(["ABSOLUTE"]), np.zeros(2)), "one for each rule"),
        (lambda: Shocks.all(2, ShockRule.ABSOLUTE).applied([1.0], [[1.0, 2.0]]), "2 nodes"),
        (lambda: Shocks.all(1, ShockRule.ABSOLUTE).applied([1.0], [[np.nan]]), r"moves\[0, 0\]"),
        (lambda: Shocks.all(1, ShockRule.ABSOLUTE).between([np.inf], [1.0]), r"before\[0\]: inf"),
    ],
)
def test_refuses_by_name(call, said):
    with pytest.raises(ScenarioError, match=said):
        call()
