"""GARCH and exponential weights step by step, and history at today's volatility."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from risk.engine import Garch, ScenarioError, filtered_returns

histories = arrays(np.float64, st.integers(2, 60), elements=st.floats(-0.2, 0.2))


def test_follows_the_recursion():
    model = Garch(2e-6, 0.13, 0.86)
    assert model.next_variance(0.016**2, 0.01) == pytest.approx(0.00023516, abs=1e-12)
    assert model.long_run_variance == pytest.approx(0.0002)
    found = model.variances([0.01, -0.02, 0.0], first=0.016**2)
    by_hand = [0.016**2]
    for value in (0.01, -0.02, 0.0):
        by_hand.append(2e-6 + 0.13 * value**2 + 0.86 * by_hand[-1])
    assert found == pytest.approx(by_hand, rel=1e-14)


@given(histories, st.floats(0.5, 0.99))
def test_exponential_weights_are_a_weighted_mean_of_squares(returns, decay):
    model = Garch.ewma(decay)
    assert model.long_run_variance is None
    n = len(returns)
    weights = (1 - decay) * decay ** np.arange(n - 1, -1, -1)
    slow = weights @ returns**2 + decay**n * np.mean(returns**2)
    assert model.variances(returns)[-1] == pytest.approx(slow, rel=1e-9, abs=1e-18)


@given(histories)
def test_series_beside_each_other_do_not_mix(returns):
    model = Garch(1e-6, 0.1, 0.85)
    both = filtered_returns(np.stack([returns, 2 * returns], axis=1), model)
    assert both[:, 0] == pytest.approx(filtered_returns(returns, model), rel=1e-12, abs=1e-15)


def test_a_calm_history_is_widened_when_today_is_wild():
    rng = np.random.default_rng(1)
    returns = np.concatenate([rng.normal(size=400) * 0.01, rng.normal(size=60) * 0.04])
    found = filtered_returns(returns, Garch.ewma(0.94))
    assert np.std(found[:400]) == pytest.approx(0.04, rel=0.25)
    assert np.sign(found[5:]) == pytest.approx(np.sign(returns[5:]))


def test_with_one_volatility_history_stays_as_it_was():
    returns = np.array([0.01, -0.01] * 50)
    assert filtered_returns(returns, Garch.ewma(0.9)) == pytest.approx(returns)
    assert filtered_returns(np.zeros(5), Garch.ewma(0.9)).tolist() == [0.0] * 5


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Garch(-1e-6, 0.1, 0.8), "omega"),
        (lambda: Garch(0.0, float("nan"), 0.8), "alpha"),
        (lambda: Garch(0.0, 0.3, 0.8), r"alpha \+ beta"),
        (lambda: Garch.ewma(1.5), "alpha"),
        (lambda: Garch.ewma(0.9).variances([0.1]), "two steps"),
        (lambda: Garch.ewma(0.9).variances([0.1, np.inf]), r"inf at \[1\]"),
        (lambda: Garch.ewma(0.9).variances([0.1, 0.2], first=-1.0), "first"),
    ],
)
def test_refuses_by_name(call, said):
    with pytest.raises(ScenarioError, match=said):
        call()
