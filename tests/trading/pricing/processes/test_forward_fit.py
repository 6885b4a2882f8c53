"""Calibration of forwards to history and to quotes: what was put in comes out, errors honest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from trading.pricing import (
    NonPositivePrice,
    PricingError,
    TwoFactorForwards,
    fit_forwards_to_history,
    fit_forwards_to_volatilities,
)

TRUTH = TwoFactorForwards(
    mean_reversion=2.5, short_volatility=0.9, long_volatility=0.25, correlation=-0.3
)
MONTHS = np.arange(1, 25) / 12.0
TENORS = np.array([1, 2, 3, 4, 5, 6, 9, 12, 18, 24]) / 12.0


def _history(seed=7, days=250, noise=0.05):
    """Simulate daily curves of monthly deliveries, twelve quoted at a time."""
    times = np.arange(days + 1) / 250.0
    draws = np.random.default_rng(seed)
    factors = TRUTH.factors(times=times[1:], scenarios=1, generator=draws, antithetic=False)
    curves = TRUTH.forwards(
        factors, times=times[1:], curve=50.0, delivery=MONTHS, length=1.0 / 12.0
    )[0]  # fmt: skip
    curves = np.vstack([np.full(len(MONTHS), 50.0), curves])
    alone = draws.normal(size=curves.shape) * noise / np.sqrt(250.0)
    curves *= np.exp(np.cumsum(alone, axis=0))
    ahead = MONTHS - times[:, None]
    curves[(ahead < 0) | (ahead > 1.0)] = np.nan
    return times, curves


def test_finds_the_model_that_made_the_curves():
    times, curves = _history(days=500)

    fit = fit_forwards_to_history(times, curves, delivery=MONTHS, length=1.0 / 12.0)

    assert fit.has_settled
    for parameter in fit.parameters:
        truth = 0.05 if parameter.name == "noise" else getattr(TRUTH, parameter.name)
        assert 0 < parameter.standard_error < 0.1
        assert parameter.value == pytest.approx(truth, abs=3.5 * parameter.standard_error)
    assert fit.explained > 0.9
    quoted = fit.seen > 0
    assert fit.seen.shape == fit.modelled.shape == MONTHS.shape
    assert fit.modelled[quoted] == pytest.approx(fit.seen[quoted], rel=0.3)
    assert fit.rmse < 0.08
    assert fit.observations == int((~np.isnan(curves[1:]) & ~np.isnan(curves[:-1])).sum())


def test_the_likelihood_is_the_normal_density_of_the_returns():
    times, curves = _history(days=40)
    fit = fit_forwards_to_history(times, curves, delivery=MONTHS, length=1.0 / 12.0)
    noise = fit.parameters[-1].value

    slow = 0.0
    for n in range(40):
        seen = ~np.isnan(curves[n]) & ~np.isnan(curves[n + 1])
        step = times[n + 1] - times[n]
        load = np.stack(
            [fit.model.loading(MONTHS[seen] - times[n + 1], 1.0 / 12.0), np.ones(seen.sum())]
        )
        factors = load.T @ fit.model.covariance(step) @ load
        slow += multivariate_normal.logpdf(
            np.log(curves[n + 1, seen] / curves[n, seen]),
            -0.5 * np.diag(factors),
            factors + noise**2 * step * np.eye(seen.sum()),
        )
    assert fit.log_likelihood == pytest.approx(slow, abs=1e-6 * abs(slow))


@settings(max_examples=10, deadline=None)
@given(st.floats(0.5, 6.0), st.floats(0.3, 1.2), st.floats(0.1, 0.4), st.floats(-0.6, 0.6))
def test_finds_a_models_volatilities_again(k, short, long, correlation):
    truth = TwoFactorForwards(k, short, long, correlation)
    quoted = truth.volatility(expiry=TENORS - 0.02, delivery=TENORS, length=1.0 / 12.0)

    fit = fit_forwards_to_volatilities(
        quoted, expiry=TENORS - 0.02, delivery=TENORS, length=1.0 / 12.0, correlation=correlation
    )

    assert fit.rmse < 1e-6
    assert fit.modelled == pytest.approx(quoted, abs=1e-5)
    assert fit.model.mean_reversion == pytest.approx(k, rel=1e-2)
    assert fit.model.correlation == pytest.approx(correlation)
    assert fit.parameters[-1].standard_error == 0.0


def test_shows_how_far_its_volatilities_are_from_the_quotes():
    noise = np.random.default_rng(3).normal(size=len(TENORS)) * 0.005
    quoted = noise + TRUTH.volatility(expiry=TENORS - 0.02, delivery=TENORS, length=1.0 / 12.0)

    fit = fit_forwards_to_volatilities(
        quoted, expiry=TENORS - 0.02, delivery=TENORS, length=1.0 / 12.0
    )

    again = fit.model.volatility(expiry=TENORS - 0.02, delivery=TENORS, length=1.0 / 12.0)
    assert fit.modelled == pytest.approx(again)
    assert fit.rmse == pytest.approx(np.sqrt(np.mean((again - quoted) ** 2)))
    assert 0.001 < fit.rmse < 0.008
    for parameter in fit.parameters:
        truth = getattr(TRUTH, parameter.name)
        assert parameter.value == pytest.approx(truth, abs=3.5 * parameter.standard_error)


def test_says_that_flat_quotes_do_not_tell_how_fast_news_fades():
    fit = fit_forwards_to_volatilities(
        np.full(10, 0.3), expiry=TENORS, delivery=TENORS, correlation=0.0
    )
    exact = fit_forwards_to_volatilities(
        [0.5, 0.4, 0.3], expiry=TENORS[:3], delivery=TENORS[:3], correlation=0.0
    )

    assert fit.rmse < 1e-5
    assert fit.modelled == pytest.approx(0.3, abs=1e-4)
    assert all(p.standard_error == np.inf for p in exact.parameters[:3])


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [({"forwards": np.ones((60, 2))}, PricingError, "no price ever moves"),
     ({"forwards": np.ones((59, 2))}, PricingError, "forwards: shape"),
     ({"forwards": -np.ones((60, 2))}, NonPositivePrice, r"forwards\[0, 0\]: -1.0"),
     ({"times": np.zeros(60)}, PricingError, r"times\[1\]"),
     ({"delivery": [0.0, 0.0]}, PricingError, "0 returns cannot tell"),
     ({"forwards": np.array([[1.0, np.nan]] * 60)}, PricingError, "returns cannot tell"),
     ({"length": -1.0}, PricingError, "length: |length\\[0\\]")],
)  # fmt: skip
def test_names_what_a_history_lacks(change, error, words):
    whole = {"times": np.arange(60) / 250.0, "forwards": np.ones((60, 2)), "delivery": [1.0, 2.0]}

    with pytest.raises(error, match=words):
        fit_forwards_to_history(**whole | change)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"volatility": [0.3, 0.3, 0.3]}, "3 quotes cannot fit 4"),
     ({"volatility": [0.3, 0.0, 0.3, 0.3]}, r"volatility\[1\]"),
     ({"expiry": [0.1, 0.2, 3.0, 0.4]}, r"expiry\[2\]"),
     ({"correlation": 1.0}, "correlation: 1.0")],
)  # fmt: skip
def test_names_what_quotes_lack(change, words):
    whole = {"volatility": [0.4, 0.35, 0.3, 0.28], "expiry": 0.5, "delivery": 1.0}
    if len(change.get("volatility", [])) == 3:
        whole["expiry"] = [0.1, 0.2, 0.3]

    with pytest.raises(PricingError, match=words):
        fit_forwards_to_volatilities(**whole | change)
