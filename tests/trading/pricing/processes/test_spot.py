"""Mean-reverting spot with jumps: its curve as mean, its variance, below zero where it may."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from trading.pricing import MeanRevertingSpot, PricingError

POWER = MeanRevertingSpot(
    mean_reversion=60.0, volatility=150.0, jump_intensity=20.0, jump_mean=25.0, jump_deviation=40.0
)
GAS = MeanRevertingSpot(
    mean_reversion=8.0, volatility=0.6, jump_intensity=4.0, jump_mean=0.15, jump_deviation=0.2,
    is_lognormal=True,
)  # fmt: skip
DAYS = np.arange(1, 181) / 365.0
CURVE = 40.0 + 15.0 * np.cos(2.0 * np.pi * DAYS)


def _simulate(model, scenarios=20_000, seed=4, **change):
    terms = {"times": DAYS, "curve": CURVE, "scenarios": scenarios} | change
    return model.simulate(**terms, generator=np.random.default_rng(seed))


@pytest.mark.parametrize("model", [POWER, GAS])
def test_the_mean_is_the_curve_at_every_time(model):
    spot = _simulate(model).spot

    pairs = spot.reshape(2, -1, len(DAYS)).mean(axis=0)
    error = pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs))
    assert np.all(np.abs(pairs.mean(axis=0) - CURVE) < 4.5 * error)


@pytest.mark.parametrize("model", [POWER, GAS])
def test_the_variance_is_the_stated_one(model):
    state = _simulate(model).factors[..., 0]

    assert state.var(axis=0)[[0, 30, 179]] == pytest.approx(
        model.variance(DAYS[[0, 30, 179]]), rel=0.05
    )


def test_normal_prices_go_below_zero_and_lognormal_ones_never_do():
    assert _simulate(POWER, curve=5.0).spot.min() < 0
    assert _simulate(GAS, curve=5.0).spot.min() > 0


def test_a_half_life_halves_the_memory():
    pair = _simulate(POWER, times=[5.0, 5.0 + POWER.half_life], curve=50.0, scenarios=50_000)

    first, later = pair.factors[:, :, 0].T
    assert np.cov(first, later)[0, 1] / first.var() == pytest.approx(0.5, abs=0.02)


def test_a_coarse_grid_has_the_law_of_a_fine_one():
    coarse = _simulate(POWER, times=[0.1], curve=50.0, scenarios=40_000).spot[:, 0]
    fine = _simulate(POWER, times=np.linspace(0.005, 0.1, 20), curve=50.0, scenarios=40_000, seed=8)

    assert ks_2samp(coarse, fine.spot[:, -1]).pvalue > 0.001


@settings(max_examples=30, deadline=None)
@given(
    st.floats(0.5, 300.0), st.floats(0.0, 2.0), st.floats(0.0, 30.0), st.floats(-0.5, 0.5),
    st.floats(0.0, 0.5), st.floats(0.001, 3.0),
)  # fmt: skip
def test_the_lognormal_mean_is_the_quadrature_of_a_slow_twin(k, sigma, rate, mean, deviation, t):
    model = MeanRevertingSpot(k, sigma, rate, mean, deviation, is_lognormal=True)
    s = (np.arange(40_000) + 0.5) / 40_000 * t
    theta = np.exp(-k * s)
    jumps = np.exp(mean * theta + 0.5 * (deviation * theta) ** 2) - 1.0 - mean * theta
    slow = (0.5 * (sigma * theta) ** 2 + rate * jumps).mean() * t

    assert float(model.log_mean(t)) == pytest.approx(slow, rel=1e-4, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"mean_reversion": -1.0}, "mean_reversion"), ({"volatility": -0.1}, "volatility"),
     ({"jump_intensity": np.inf}, "jump_intensity"), ({"jump_mean": np.nan}, "jump_mean"),
     ({"jump_deviation": -1.0}, "jump_deviation")],
)  # fmt: skip
def test_refuses_parameters_without_meaning(change, said):
    with pytest.raises(PricingError, match=said):
        MeanRevertingSpot(**{"mean_reversion": 1.0, "volatility": 1.0} | change)


def test_names_what_is_no_number_and_what_no_number_holds():
    with pytest.raises(PricingError, match="curve: must be numbers"):
        _simulate(POWER, curve="much")
    wild = MeanRevertingSpot(mean_reversion=0.1, volatility=0.0, jump_intensity=50.0,
                             jump_mean=400.0, is_lognormal=True)  # fmt: skip
    with pytest.raises(PricingError, match="beyond 64-bit"), np.errstate(all="ignore"):
        _simulate(wild, times=[1.0], curve=50.0, scenarios=20)


def test_a_lognormal_curve_must_be_above_zero():
    with pytest.raises(PricingError, match=r"curve\[1\]: -5.0"):
        _simulate(GAS, times=[0.1, 0.2], curve=[5.0, -5.0])
