"""Closed forms of VaR and ES, delta-normal attribution, and Cornish and Fisher's expansion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from risk.engine import TailError, delta_gamma, delta_normal, normal_tail, student_tail

confidences = st.floats(0.6, 0.9999)
seeds = st.integers(0, 2**32 - 1)


def some_covariance(rng, n):
    root = rng.normal(size=(n, n)) * 0.02
    return root @ root.T


@settings(max_examples=15)
@given(confidences, st.floats(2.1, 60.0))
def test_expected_shortfall_is_the_mean_beyond_the_quantile(confidence, degrees):
    q = 1 - confidence
    for found, law in (
        (normal_tail(0.0, 1.0, confidence), stats.norm()),
        (student_tail(degrees, confidence), stats.t(degrees)),
    ):
        assert found.var == pytest.approx(-law.ppf(q), rel=1e-9, abs=1e-12)
        beyond, _ = quad(lambda u, law=law: law.isf(u), 0.0, q, limit=200)
        assert found.es == pytest.approx(beyond / q, rel=1e-5)


def test_mean_and_scale_move_and_stretch():
    one, other = normal_tail(0.0, 1.0, 0.99), normal_tail(5.0, 3.0, 0.99)
    assert other.var == pytest.approx(3 * one.var - 5)
    assert other.es == pytest.approx(3 * one.es - 5)
    one, other = student_tail(4, 0.99), student_tail(4, 0.99, location=5.0, scale=3.0)
    assert (other.var, other.es) == pytest.approx((3 * one.var - 5, 3 * one.es - 5))
    # With many degrees of freedom Student's t is the normal law.
    assert student_tail(1e7, 0.99).es == pytest.approx(normal_tail(0, 1, 0.99).es, rel=1e-6)


@given(seeds, st.integers(1, 8), confidences)
def test_components_sum_and_marginals_are_derivatives(seed, n, confidence):
    rng = np.random.default_rng(seed)
    held, moves = rng.normal(size=n) * 1e6, some_covariance(rng, n)
    found = delta_normal(held, moves, confidence)
    assert found.component.sum() == pytest.approx(found.var, rel=1e-9)
    assert found.es > found.var
    for i in range(n):
        bump = np.zeros(n)
        bump[i] = max(abs(held[i]), 1.0) * 1e-5
        up, down = (delta_normal(held + s * bump, moves, confidence).var for s in (1, -1))
        slope = (up - down) / (2 * bump[i])
        assert found.marginal[i] == pytest.approx(slope, rel=1e-4, abs=1e-7)
        left = held.copy()
        left[i] = 0.0
        lower = delta_normal(left, moves, confidence).var
        assert found.incremental[i] == pytest.approx(found.var - lower, abs=1e-6 * found.var)


def test_a_book_without_risk_has_no_marginals():
    found = delta_normal([1.0, -1.0], np.ones((2, 2)), 0.99)
    assert (found.var, found.es, found.marginal.tolist()) == (0.0, 0.0, [0.0, 0.0])
    # Without the second position the first would have its own risk.
    assert found.incremental == pytest.approx([-2.3263479] * 2)


@given(seeds, confidences)
def test_without_gamma_the_expansion_is_delta_normal(seed, confidence):
    rng = np.random.default_rng(seed)
    held, moves = rng.normal(size=3) * 1e5, some_covariance(rng, 3)
    found = delta_gamma(held, np.zeros((3, 3)), moves, confidence, theta=100.0)
    exact = delta_normal(held, moves, confidence)
    assert found.var == pytest.approx(exact.var - 100.0, rel=1e-9)
    assert found.es == pytest.approx(exact.es - 100.0, rel=1e-9)
    assert (found.skewness, found.kurtosis, found.mean) == (0.0, 0.0, 100.0)
    assert found.is_monotone


def test_the_cumulants_are_those_of_a_quadratic_form_and_its_tail_is_near():
    rng = np.random.default_rng(5)
    moves = some_covariance(rng, 4)
    slope = np.array([800.0, -300.0, 250.0, 100.0])
    root = rng.normal(size=(4, 4)) * 20
    bend = root + root.T
    found = delta_gamma(slope, bend, moves, 0.99)
    x = rng.multivariate_normal(np.zeros(4), moves, size=1_000_000)
    pnl = x @ slope + 0.5 * np.einsum("si,ij,sj->s", x, bend, x)
    assert found.mean == pytest.approx(pnl.mean(), abs=4 * pnl.std() / 1000)
    assert found.deviation == pytest.approx(pnl.std(), rel=5e-3)
    assert found.skewness == pytest.approx(stats.skew(pnl), abs=0.02)
    assert found.kurtosis == pytest.approx(stats.kurtosis(pnl), abs=0.06)
    assert found.var == pytest.approx(-np.quantile(pnl, 0.01), rel=0.01)
    worst = np.sort(pnl)[:10_000]
    assert found.es == pytest.approx(-worst.mean(), rel=0.02)


def test_says_where_the_expansion_turns_back():
    # A single square is chi-squared: skewness √8 is far beyond what the expansion can follow.
    found = delta_gamma([0.0], [[-2.0]], [[1.0]], 0.99)
    assert found.skewness == pytest.approx(-np.sqrt(8))
    assert found.kurtosis == pytest.approx(12.0)
    assert not found.is_monotone


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: normal_tail(0, 1, 1.0), "confidence"),
        (lambda: normal_tail(0, -1, 0.99), "deviation"),
        (lambda: normal_tail(float("nan"), 1, 0.99), "mean"),
        (lambda: student_tail(1.0, 0.99), "degrees"),
        (lambda: student_tail(4, 0.99, scale=float("inf")), "scale"),
        (lambda: delta_normal([], np.zeros((0, 0)), 0.99), "positions"),
        (lambda: delta_normal([1.0], [[1.0, 0.0], [0.0, 1.0]], 0.99), "covariance: shape"),
        (lambda: delta_normal([1.0, np.nan], np.eye(2), 0.99), r"positions: nan at \[1\]"),
        (lambda: delta_normal([1.0, 1.0], [[1.0, 0.5], [0.0, 1.0]], 0.99), "symmetric"),
        (lambda: delta_normal([1.0, -1.0], [[1.0, 2.0], [2.0, 1.0]], 0.99), "negative variance"),
        (lambda: delta_gamma([1.0], [[0.0]], np.eye(2), 0.99), "covariance: shape"),
        (lambda: delta_gamma([1.0, 1.0], [[0, 1], [0, 0]], np.eye(2), 0.99), "gamma: must be sym"),
        (lambda: delta_gamma([1.0], [[0.0]], [[1.0]], 0.0), "confidence"),
    ],
)
def test_refuses_by_name(call, said):
    with pytest.raises(TailError, match=said):
        call()
