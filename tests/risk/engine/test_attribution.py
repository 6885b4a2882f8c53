"""Whose VaR it is: components that sum, marginals that are derivatives, increments that are."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from risk.engine import (
    Convention,
    QuantileRule,
    ShortfallRule,
    TailError,
    attribute,
    kernel_weights,
    tail_risk,
)

parts = arrays(
    np.float64, st.tuples(st.integers(1, 6), st.integers(1, 120)), elements=st.floats(-1e6, 1e6)
)
conventions = st.builds(
    Convention,
    confidence=st.decimals("0.8", "0.995", places=3),
    quantile_rule=st.sampled_from(QuantileRule),
    shortfall_rule=st.sampled_from(ShortfallRule),
)


@given(parts, conventions)
def test_parts_sum_to_the_whole(pnl, convention):
    found = attribute(pnl, convention)
    whole = tail_risk(pnl.sum(axis=0), convention)
    scale = 1 + np.abs(pnl).sum()
    assert (found.var, found.es) == (whole.var, whole.es)
    assert found.component.sum() == pytest.approx(found.kernel_var, abs=1e-12 * scale)
    assert found.es_component.sum() == pytest.approx(found.es, abs=1e-12 * scale)


@given(parts, conventions)
def test_an_increment_is_what_is_left_without_the_part(pnl, convention):
    found = attribute(pnl, convention)
    for i in range(len(pnl)):
        left = tail_risk(pnl.sum(axis=0) - pnl[i], convention).var
        assert found.incremental[i] == pytest.approx(
            found.var - left, abs=1e-12 * (1 + np.abs(pnl).sum())
        )


def test_marginals_are_finite_differences_of_the_kernel_var():
    rng = np.random.default_rng(2)
    pnl = rng.standard_t(4, size=(5, 500)) * np.array([1e5, 5e4, 2e5, 1e4, 8e4])[:, None]
    found = attribute(pnl, Convention())
    for i in range(5):
        size = 1e-7
        moved = [
            attribute(pnl * np.where(np.arange(5) == i, 1 + s * size, 1.0)[:, None], Convention())
            for s in (1, -1)
        ]
        slope = (moved[0].kernel_var - moved[1].kernel_var) / (2 * size)
        assert found.component[i] == pytest.approx(slope, rel=1e-5, abs=1.0)


def test_a_part_that_is_all_of_it_has_all_of_it():
    rng = np.random.default_rng(3)
    one = rng.normal(size=250)
    found = attribute(np.stack([one, np.zeros(250)]), Convention())
    assert found.component == pytest.approx([found.kernel_var, 0.0])
    assert found.incremental == pytest.approx([found.var, 0.0])
    # Smoothed over its neighbors it is near the order statistic, and not it.
    assert found.kernel_var == pytest.approx(found.var, rel=0.2)


@given(st.integers(1, 3000), st.floats(0.001, 0.5))
def test_weights_are_a_mean_around_the_quantile(count, tail):
    weights = kernel_weights(count, tail)
    assert weights.sum() == pytest.approx(1.0)
    assert (weights >= 0).all()
    place = weights @ (np.arange(count) + 0.5) / count
    assert place == pytest.approx(tail, abs=1.5 / count)


def test_components_of_many_trades_fit_those_of_one_by_one():
    rng = np.random.default_rng(4)
    pnl = rng.normal(size=(9000, 500))
    found = attribute(pnl, Convention(confidence=Decimal("0.975")))
    assert found.incremental.shape == (9000,)
    some = rng.integers(0, 9000, 20)
    for i in some:
        left = tail_risk(pnl.sum(axis=0) - pnl[i], Convention(confidence=Decimal("0.975"))).var
        assert found.incremental[i] == pytest.approx(found.var - left, abs=1e-9)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: attribute(np.zeros((0, 5)), Convention()), "parts: shape"),
        (lambda: attribute(np.zeros(5), Convention()), "parts: shape"),
        (lambda: attribute([[1.0, np.nan]], Convention()), r"nan at \[0, 1\]"),
        (lambda: kernel_weights(0, 0.01), "count"),
        (lambda: kernel_weights(5, 1.0), "tail"),
    ],
)
def test_refuses_by_name(call, said):
    with pytest.raises(TailError, match=said):
        call()
