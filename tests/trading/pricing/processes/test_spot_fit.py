"""Calibration of spot to history: what was put in comes out, and real prices are described."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm

from trading.pricing import MeanRevertingSpot, NonPositivePrice, PricingError, fit_spot

EPF = Path("/work/shared/data/epf")
DAYS = np.arange(6 * 365)
TRUTH = MeanRevertingSpot(
    mean_reversion=60.0, volatility=150.0, jump_intensity=20.0, jump_mean=25.0, jump_deviation=40.0
)
WEEK = np.array([3.0, 4.0, 3.0, 2.0, 1.0, -6.0, -7.0])


def _history(model=TRUTH, seed=3, level=50.0, days=DAYS):
    """Simulate six years of days; a lognormal's season multiplies, so that its logarithms add."""
    times = (days + 1) / 365.0
    shape = WEEK[days % 7] / 50.0 + 0.2 * np.cos(2.0 * np.pi * times)
    season = level * (np.exp(shape) if model.is_lognormal else 1.0 + shape)
    paths = model.simulate(
        times=times, curve=season, scenarios=1, generator=np.random.default_rng(seed),
        antithetic=False,
    )  # fmt: skip
    return times, paths.spot[0], season


def test_finds_the_process_that_made_the_history():
    times, prices, _ = _history()

    fit = fit_spot(times, prices, groups=DAYS % 7)

    assert fit.has_settled
    for parameter in fit.parameters:
        truth = getattr(TRUTH, parameter.name)
        assert 0 < parameter.standard_error < 0.35 * truth, parameter
        assert parameter.value == pytest.approx(truth, abs=3.5 * parameter.standard_error)
        assert getattr(fit.process, parameter.name) == parameter.value
    assert fit.process.half_life * 365.0 == pytest.approx(4.2, abs=0.5)
    assert fit.log_likelihood > fit.log_likelihood_without_jumps + 100.0
    assert 0.02 < fit.season_share < 0.3
    assert fit.observations == len(DAYS) - 1
    left = fit.residuals
    assert (left.mean, left.skewness, left.autocorrelation) == pytest.approx((0, 0, 0), abs=0.1)
    assert left.deviation == pytest.approx(1.0, abs=0.03)
    assert left.excess_kurtosis == pytest.approx(0.0, abs=0.3)


@pytest.mark.slow
def test_the_standard_errors_are_the_scatter_of_the_estimates():
    days = DAYS[: 3 * 365]
    fits = [fit_spot(*_history(seed=seed, days=days)[:2], groups=days % 7) for seed in range(10)]

    for n, name in enumerate(p.name for p in fits[0].parameters):
        values = np.array([fit.parameters[n].value for fit in fits])
        stated = np.mean([fit.parameters[n].standard_error for fit in fits])
        # A deviation from 10 draws is known to a factor of about two.
        assert 0.5 < values.std(ddof=1) / stated < 2.0, name
        # The season takes some of the persistence with it: a few hundredths in three years.
        bias = abs(values.mean() - getattr(TRUTH, name))
        assert bias < 3.5 * stated / 10**0.5 + 0.04 * abs(getattr(TRUTH, name)), name


def test_finds_the_season_within_what_noise_leaves_of_it():
    still = MeanRevertingSpot(mean_reversion=60.0, volatility=1.5)
    times, prices, season = _history(still)

    fit = fit_spot(times, prices, groups=DAYS % 7)

    # σ/κ = 0.025 a √year: some 0.01 on each of nine terms after six years.
    assert fit.season.at(times, DAYS % 7) == pytest.approx(season, abs=0.1)
    assert fit.season_share > 0.99


def test_finds_no_jumps_where_there_are_none():
    quiet = MeanRevertingSpot(mean_reversion=60.0, volatility=150.0)
    times, prices, _ = _history(quiet)

    fit = fit_spot(times, prices, groups=DAYS % 7)

    assert [p.name for p in fit.parameters] == ["mean_reversion", "volatility"]
    assert fit.process.jump_intensity == 0.0
    assert fit.log_likelihood == fit.log_likelihood_without_jumps
    # Of an autoregression, whose likelihood is written here for the fitted numbers.
    deviation = prices - fit.season.at(times, DAYS % 7)
    k, sigma = fit.process.mean_reversion, fit.process.volatility
    stays = np.exp(-k / 365.0)
    noise = sigma * np.sqrt((1.0 - stays**2) / (2.0 * k))
    exact = norm.logpdf(deviation[1:], stays * deviation[:-1], noise).sum()
    assert fit.log_likelihood == pytest.approx(exact, abs=0.01)


def test_a_lognormal_history_is_fitted_in_logarithms_and_continued_at_its_mean():
    gas = MeanRevertingSpot(8.0, 0.6, 4.0, 0.15, 0.2, is_lognormal=True)
    times, prices, _ = _history(gas)

    fit = fit_spot(times, prices, groups=DAYS % 7, is_lognormal=True)

    assert fit.process.is_lognormal
    reversion, volatility = fit.parameters[:2]
    assert volatility.value == pytest.approx(0.6, abs=3.5 * volatility.standard_error)
    # A half-life of a month in six years: the sample's own mean makes it look shorter.
    assert reversion.value == pytest.approx(8.0, abs=4.5 * reversion.standard_error)
    ahead = np.arange(1, 800) / 365.0
    mean = fit.expected(fit.latest_time + ahead, (DAYS[-1] + np.arange(1, 800)) % 7)
    paths = fit.process.simulate(
        times=ahead, curve=mean, scenarios=100, generator=np.random.default_rng(1)
    )
    assert mean[0] == pytest.approx(prices[-1], rel=0.2)
    assert paths.spot.mean() == pytest.approx(prices.mean(), rel=0.15)


@pytest.mark.skipif(not EPF.exists(), reason="the shared histories of prices are not here")
@pytest.mark.parametrize(("market", "half_life"), [("NP", (15, 60)), ("PJM", (1.5, 6))])
def test_describes_six_years_of_day_ahead_prices(market, half_life):
    with (EPF / f"{market}.csv").open() as lines:
        hourly = np.array([float(row["Price"]) for row in csv.DictReader(lines)])
    daily = hourly.reshape(-1, 24).mean(axis=1)
    days = np.arange(len(daily))

    fit = fit_spot(days / 365.25, daily, groups=days % 7)

    assert fit.has_settled
    assert half_life[0] < fit.process.half_life * 365.25 < half_life[1]
    # Without jumps the likelihood is hundreds lower, and the scores are far from normal.
    assert fit.log_likelihood > fit.log_likelihood_without_jumps + 300.0
    assert abs(fit.residuals.autocorrelation) < 0.1
    assert fit.residuals.deviation == pytest.approx(1.0, abs=0.05)
    assert abs(fit.residuals.excess_kurtosis) < 1.5
    for parameter in fit.parameters:
        assert np.isfinite(parameter.standard_error)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [({"prices": np.ones(99)}, PricingError, "prices: shape"),
     ({"times": np.zeros(100)}, PricingError, r"times\[1\]: 0.0 must rise"),
     ({"prices": np.ones(100)}, PricingError, "nothing is left"),
     ({"prices": np.append(np.arange(99.0), np.nan)}, PricingError, r"prices\[99\]: nan"),
     ({"is_lognormal": True}, NonPositivePrice, r"prices\[0\]: 0.0"),
     ({"groups": np.full(100, 0.5)}, PricingError, "groups: float64"),
     ({"groups": np.full(100, -1)}, PricingError, "groups: -1"),
     ({"groups": np.full(100, 2)}, PricingError, "groups: none is 0"),
     ({"harmonics": 40}, PricingError, "harmonics: 40"),
     ({"times": np.arange(20.0), "prices": np.arange(20.0)}, PricingError, "too few")],
)  # fmt: skip
def test_names_what_it_cannot_fit(change, error, words):
    whole = {"times": np.arange(100) / 365.0, "prices": np.arange(100.0) % 7}

    with pytest.raises(error, match=words):
        fit_spot(**whole | change)


def test_does_not_continue_before_its_end_or_for_unseen_groups():
    fit = fit_spot(*_history()[:2])

    with pytest.raises(PricingError, match="before the end"):
        fit.expected(fit.latest_time - 0.01)
    with pytest.raises(PricingError, match="groups: 1 is not 0 to 0"):
        fit.expected(fit.latest_time + 0.01, 1)
