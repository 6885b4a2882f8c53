"""Fitted volatility: finds what a series was made with, says how well, and refuses by name."""

import numpy as np
import pytest
from scipy.stats import chi2

from risk.engine import (
    Garch,
    Innovations,
    NotConverged,
    ScenarioError,
    filtered_returns,
    fit_ewma,
    fit_garch,
)

MADE_WITH = Garch(2e-6, 0.08, 0.9)


def series(model, steps, *, seed=1, degrees=None):
    rng = np.random.default_rng(seed)
    news = rng.standard_normal(steps)
    if degrees is not None:
        news = rng.standard_t(degrees, steps) * np.sqrt((degrees - 2) / degrees)
    found, variance = np.empty(steps), 1e-4
    for step, value in enumerate(news):
        found[step] = np.sqrt(variance) * value
        variance = model.next_variance(variance, found[step])
    return found


@pytest.mark.parametrize("degrees", [None, 5.0])
def test_garch_finds_what_a_series_was_made_with_and_leaves_nothing(degrees):
    law = Innovations.GAUSSIAN if degrees is None else Innovations.STUDENT
    returns = series(MADE_WITH, 4000, degrees=degrees)

    found = fit_garch(returns, innovations=law)

    made = {"omega": 2e-6, "alpha": 0.08, "beta": 0.9, "degrees": degrees}
    assert [p.name for p in found.parameters] == [n for n in made if made[n] is not None]
    for parameter in found.parameters:
        distance = abs(parameter.value - made[parameter.name])
        assert distance < 4 * parameter.standard_error, parameter
        assert parameter.standard_error < max(0.6 * parameter.value, 0.02), parameter
    assert found.persistence == found.model.alpha + found.model.beta
    assert found.observations == 4000
    assert found.left.p_value > 0.01
    assert np.std(found.residuals) == pytest.approx(1.0, abs=0.05)


def test_the_likelihood_is_that_of_the_returns_in_their_own_unit():
    returns = series(MADE_WITH, 1000)
    found = fit_garch(returns)
    variance = (returns / found.residuals) ** 2
    by_hand = -0.5 * (np.log(2 * np.pi * variance) + found.residuals**2).sum()
    assert found.log_likelihood == pytest.approx(by_hand, rel=1e-12)
    # Where the recursion begins is forgotten.
    assert variance[500:] == pytest.approx(found.model.variances(returns)[500:-1], rel=1e-3)
    other = fit_garch(returns * 250.0)
    assert other.log_likelihood == pytest.approx(
        found.log_likelihood - 1000 * np.log(250.0), abs=1e-3
    )
    assert other.model.omega == pytest.approx(found.model.omega * 250.0**2, rel=1e-4)


def test_ljung_box_is_that_of_squared_residuals():
    found = fit_garch(series(MADE_WITH, 500), lags=5)
    square = found.residuals**2 - np.mean(found.residuals**2)
    r = [square[k:] @ square[:-k] / (square @ square) for k in range(1, 6)]
    statistic = 500 * 502 * sum(value**2 / (500 - k) for k, value in enumerate(r, 1))
    assert found.left.lags == 5
    assert found.left.statistic == pytest.approx(statistic, rel=1e-9)
    assert found.left.p_value == pytest.approx(chi2.sf(statistic, 5), rel=1e-9)


def test_constant_volatility_leaves_what_moves():
    returns = series(Garch(1e-6, 0.3, 0.69), 2000, seed=3)
    # Weights that hardly decay follow no burst.
    assert fit_garch(returns).left.p_value > 0.01
    assert fit_ewma(np.random.default_rng(4).normal(size=2000)).model.beta > 0.99


def test_decay_of_exponential_weights_is_found_and_filters_history():
    returns = series(Garch(1e-9, 0.06, 0.94 - 1e-6), 3000, seed=5)
    found = fit_ewma(returns)
    (decay,) = found.parameters
    assert abs(decay.value - 0.94) < 4 * decay.standard_error < 0.08
    assert found.model == Garch.ewma(decay.value)
    assert filtered_returns(returns, found.model).shape == (3000,)


def test_each_series_is_filtered_by_its_own_fit():
    returns = np.stack([series(MADE_WITH, 300, seed=n) for n in (1, 2)], axis=1)
    models = [MADE_WITH, Garch.ewma(0.9)]
    both = filtered_returns(returns, models)
    for n, model in enumerate(models):
        assert both[:, n].tolist() == filtered_returns(returns[:, n], model).tolist()
    with pytest.raises(ScenarioError, match="model: 3 must be one for each of 2"):
        filtered_returns(returns, [MADE_WITH] * 3)


def test_a_search_without_an_end_says_which():
    spike = np.zeros(120)
    spike[60] = 1.0
    with pytest.raises(NotConverged, match=r"GARCH\(1,1\): the search ended without a fit"):
        fit_garch(spike, innovations=Innovations.STUDENT)


@pytest.mark.parametrize("fit", [fit_garch, fit_ewma])
@pytest.mark.parametrize(
    ("returns", "lags", "said"),
    [
        (np.ones(99), 10, "100 or more"),
        (np.ones((100, 2)), 10, "one row"),
        (np.tile([1.0, -1.0], 60), 10, "all of one size"),
        (np.zeros(120), 10, "all of one size"),
        (np.append(np.arange(150.0), np.nan), 10, r"nan at \[150\]"),
        (np.arange(150.0), 75, "lags: 75"),
    ],
)
def test_refuses_by_name(fit, returns, lags, said):
    with pytest.raises(ScenarioError, match=said):
        fit(returns, lags=lags)
