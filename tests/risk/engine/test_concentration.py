"""Concentration: shares that sum, an index within its bounds, refusals by name."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.engine import (
    Convention,
    ScenarioError,
    TailError,
    exposure_concentration,
    risk_concentration,
)

sizes = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=30)


def test_by_hand():
    found = exposure_concentration(
        [600.0, -200.0, 150.0, -50.0], ["Nordwind", "Stadtwerk", "Nordwind", "Hafen"]
    )
    assert [(row.group, row.amount, row.share) for row in found.largest] == [
        ("Nordwind", 750.0, 0.75),
        ("Stadtwerk", 200.0, 0.2),
        ("Hafen", 50.0, 0.05),
    ]
    assert found.total == 1000.0
    assert found.herfindahl == pytest.approx(0.75**2 + 0.2**2 + 0.05**2)
    assert found.share_of_largest(2) == pytest.approx(0.95)
    assert found.share_of_largest(9) == pytest.approx(1.0)


@given(sizes, st.integers(1, 5))
def test_shares_sum_to_one_and_the_index_is_between_even_and_one(exposures, groups):
    found = exposure_concentration(exposures, [n % groups for n in range(len(exposures))])
    if not found.total:
        assert found.herfindahl == found.even_groups == 0.0
        return
    assert sum(row.share for row in found.largest) == pytest.approx(1.0)
    amounts = [row.amount for row in found.largest]
    assert amounts == sorted(amounts, reverse=True)
    assert 1 / len(amounts) - 1e-12 <= found.herfindahl <= 1 + 1e-12
    assert 1 - 1e-9 <= found.even_groups <= len(amounts) + 1e-9


def test_even_groups_are_as_many_as_they_are():
    assert exposure_concentration(np.ones(8), range(8)).even_groups == pytest.approx(8.0)


def test_standalone_risk_is_not_netted():
    rng = np.random.default_rng(1)
    power = rng.normal(size=1000)
    found = risk_concentration(
        {"long": 3 * power, "short": -2 * power, "never loses": np.full(1000, 5.0)}, Convention()
    )
    assert [row.group for row in found.largest] == ["long", "short", "never loses"]
    assert found.largest[2].amount == 0.0
    assert found.largest[0].share == pytest.approx(0.6, abs=0.06)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: exposure_concentration([], []), ScenarioError, "exposures: shape"),
        (lambda: exposure_concentration([1.0], ["a", "b"]), ScenarioError, "exposures: shape"),
        (lambda: exposure_concentration([1.0, np.nan], "ab"), ScenarioError, r"exposures\[1\]"),
        (lambda: risk_concentration({}, Convention()), ScenarioError, "at least one group"),
        (
            lambda: risk_concentration({"a": [1.0], "b": [1.0, 2.0]}, Convention()),
            ScenarioError,
            "same scenarios",
        ),
        (lambda: risk_concentration({"a": [np.inf]}, Convention()), TailError, "scenario 0"),
    ],
)
def test_refuses_by_name(call, error, said):
    with pytest.raises(error, match=said):
        call()
