"""Least-squares Monte Carlo: exact where the truth is a polynomial, honest where it is not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.pricing import PricingError, TwoFactorForwards, estimate, fit_continuation, seed_of


@given(st.lists(st.floats(-50.0, 50.0), min_size=6, max_size=6), st.integers(0, 2**32))
def test_finds_a_quadratic_again_and_holds_it_beyond_the_sample(truth, seed):
    factors = np.random.default_rng(seed).uniform(-2.0, 3.0, (200, 2))

    def value(x):
        a, b = x[:, 0], x[:, 1]
        return np.stack([np.ones(len(x)), a, b, a * a, a * b, b * b], axis=1) @ np.array(truth)

    fitted = fit_continuation(np.stack([value(factors), -value(factors)], axis=1), factors)

    size = 1.0 + np.abs(truth).max()
    assert fitted(factors)[:, 0] == pytest.approx(value(factors), abs=1e-8 * size)
    assert fitted(factors)[:, 1] == pytest.approx(-value(factors), abs=1e-8 * size)
    border = np.array([[factors[:, 0].max(), factors[:, 1].min()]])
    assert fitted([[1e9, -1e9]])[:, 0] == pytest.approx(value(border), abs=1e-8 * size)


def test_takes_a_factor_that_does_not_move_and_one_that_repeats():
    spread = np.random.default_rng(5).normal(size=500)
    known = np.full(500, 40.0)

    alone = fit_continuation(3.0 + spread, spread[:, None])
    with_others = fit_continuation(3.0 + spread, np.stack([spread, known, spread], axis=1))

    ask = np.linspace(-1.0, 1.0, 5)
    answer = with_others(np.stack([ask, np.full(5, 99.0), ask], axis=1))
    assert answer == pytest.approx(3.0 + ask)
    assert alone(ask[:, None]) == pytest.approx(3.0 + ask)


def test_a_rule_valued_on_new_paths_is_a_lower_bound_and_close():
    # A Bermudan put on a driftless lognormal price; its value by a binomial tree.
    model = TwoFactorForwards(
        mean_reversion=1.0, short_volatility=0.0, long_volatility=0.2, correlation=0.0
    )
    dates = np.array([0.25, 0.5, 0.75, 1.0])
    discount = np.exp(-0.06 * dates)
    exact = _bermudan_put(forward=100.0, strike=100.0, volatility=0.2, rate=0.06, steps=4000)

    def paths(generator, antithetic):
        return model.simulate(times=dates, curve=100.0, scenarios=20_000, generator=generator,
                              antithetic=antithetic).spot  # fmt: skip

    fit_on, value_on = np.random.default_rng(12).spawn(2)
    spot = paths(fit_on, False)
    payoff = np.maximum(100.0 - spot, 0.0) * discount
    rules, worth = [], payoff[:, -1]
    for n in (2, 1, 0):
        rules.insert(0, fit_continuation(worth, spot[:, [n]], degree=4))
        worth = np.where(payoff[:, n] > np.maximum(rules[0](spot[:, [n]]), 0), payoff[:, n], worth)
    fresh = paths(value_on, True)
    payoff = np.maximum(100.0 - fresh, 0.0) * discount
    worth = payoff[:, -1]
    for n in (2, 1, 0):
        worth = np.where(payoff[:, n] > np.maximum(rules[n](fresh[:, [n]]), 0), payoff[:, n], worth)
    found = estimate(worth, antithetic=True, seed=12)

    assert (found.paths, found.seed) == (20_000, 12)
    assert found.value - exact < 3.5 * found.standard_error
    assert found.value > exact * 0.985
    assert 0 < found.standard_error < 0.05


def test_mirrored_scenarios_count_as_one_observation():
    half = np.array([1.0, 2.0, 4.0])
    mirrored = np.concatenate([half, 6.0 - half])

    assert estimate(mirrored, antithetic=True, seed=1).standard_error == 0.0
    assert estimate(mirrored, antithetic=False, seed=1).standard_error == pytest.approx(
        mirrored.std(ddof=1) / 6**0.5
    )


def test_the_seed_is_the_generators_own():
    assert seed_of(np.random.default_rng(7)) == 7
    assert seed_of(np.random.default_rng(7).spawn(1)[0]) is None


@pytest.mark.parametrize(
    ("values", "factors", "degree", "said"),
    [
        ([1.0, 2.0], [[1.0]], 2, "values: shape"),
        ([1.0], [1.0], 2, "factors: shape"),
        ([1.0, np.nan], [[1.0], [2.0]], 0, r"values\[1\]: nan"),
        ([1.0, 2.0], [[1.0], [np.inf]], 0, r"factors\[1, 0\]: inf"),
        ([1.0, 2.0], [[1.0], [2.0]], 2, "cannot fit 3 terms"),
        ([1.0, 2.0], [[1.0], [2.0]], 7, "degree: 7"),
    ],
)
def test_refuses_what_cannot_be_fitted(values, factors, degree, said):
    with pytest.raises(PricingError, match=said):
        fit_continuation(values, factors, degree=degree)


@pytest.mark.parametrize(
    ("payoffs", "antithetic", "said"),
    [([[1.0]], False, "payoffs: shape"), ([1.0, np.nan], False, r"payoffs\[1\]"),
     ([1.0, 2.0, 3.0], True, "pairs"), ([1.0, 2.0], True, "1 independent")],
)  # fmt: skip
def test_refuses_an_estimate_without_error(payoffs, antithetic, said):
    with pytest.raises(PricingError, match=said):
        estimate(payoffs, antithetic=antithetic, seed=None)


def _bermudan_put(*, forward, strike, volatility, rate, steps):
    """Value quarterly exercise of a put on a martingale within a year, by a binomial tree."""
    dt = 1.0 / steps
    up = np.exp(volatility * np.sqrt(dt))
    chance = (1.0 - 1.0 / up) / (up - 1.0 / up)
    exponents = np.arange(steps, -steps - 1, -2)
    value = np.maximum(strike - forward * up ** exponents.astype(float), 0.0)
    for step in range(steps - 1, -1, -1):
        value = np.exp(-rate * dt) * (chance * value[:-1] + (1.0 - chance) * value[1:])
        if step and step % (steps // 4) == 0:
            exponents = np.arange(step, -step - 1, -2)
            value = np.maximum(value, strike - forward * up ** exponents.astype(float))
    return float(value[0])
