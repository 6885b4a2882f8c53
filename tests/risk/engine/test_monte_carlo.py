"""Monte Carlo VaR: laws with the covariance asked for, errors that hold, seeds that repeat."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kurtosis

from risk.engine import (
    Convention,
    Draw,
    Factors,
    ForwardRows,
    Portfolio,
    ScenarioError,
    ShockRule,
    Shocks,
    Simulation,
    delta_normal,
    factors_of_covariance,
    factors_of_history,
    monte_carlo,
    revalue,
    student_tail,
)
from trading.pricing import ModelChoice, OptionRows, PriceModel

NODES = 5
AMOUNTS = np.array([300.0, -200.0, 50.0, 120.0, -80.0])
PRICES = np.array([50.0, 60.0, 70.0, 40.0, 55.0])
LINEAR = Portfolio(NODES, ForwardRows(np.arange(NODES), AMOUNTS, PRICES), np.arange(NODES))
CONFIDENCE = Convention(confidence=Decimal("0.95"))


def some_covariance(seed=1):
    root = np.random.default_rng(seed).normal(size=(NODES, NODES))
    return root @ root.T


def simulated(simulation, covariance):
    return monte_carlo(
        LINEAR, PRICES, [], factors_of_covariance(covariance),
        Shocks.all(NODES, ShockRule.ABSOLUTE), simulation, CONFIDENCE,
    )  # fmt: skip


@pytest.mark.parametrize("draw", list(Draw))
def test_linear_positions_have_the_closed_form_within_the_error(draw):
    covariance = some_covariance()
    found = simulated(Simulation(paths=81_920, batches=10, seed=3, draw=draw), covariance)
    exact = delta_normal(AMOUNTS, covariance, 0.95)
    assert found.pnl.shape == (81_920,)
    assert found.value == pytest.approx(0.0)
    assert abs(found.tail.var - exact.var) < 4 * found.var_error + 1e-9
    assert abs(found.tail.es - exact.es) < 4 * found.es_error + 1e-9
    assert 0 < found.var_error < 0.02 * exact.var


def test_quasi_random_numbers_err_least():
    covariance = some_covariance()
    error = {
        draw: simulated(Simulation(20_480, 10, 5, draw=draw), covariance).var_error for draw in Draw
    }
    assert error[Draw.QUASI] < 0.5 * error[Draw.PSEUDO]


def test_student_t_has_the_covariance_and_fatter_tails():
    covariance = some_covariance()
    found = simulated(Simulation(163_840, 10, 7, degrees=5.0, draw=Draw.PSEUDO), covariance)
    deviation = np.sqrt(AMOUNTS @ covariance @ AMOUNTS)
    assert found.pnl.std() == pytest.approx(deviation, rel=0.02)
    assert kurtosis(found.pnl) > 2.0
    # A sum of multivariate t is t: its scale is the deviation by √((ν − 2) / ν).
    exact = student_tail(5.0, 0.95, scale=deviation * np.sqrt(3 / 5))
    assert abs(found.tail.var - exact.var) < 4 * found.var_error
    assert abs(found.tail.es - exact.es) < 4 * found.es_error


@pytest.mark.parametrize("draw", list(Draw))
@pytest.mark.parametrize("degrees", [None, 4.0])
def test_a_seed_repeats_to_the_last_digit_and_another_does_not(draw, degrees):
    covariance = some_covariance()
    first, again, other = (
        simulated(Simulation(1_280, 10, seed, degrees, draw), covariance).pnl.tobytes()
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_an_antithetic_batch_is_even():
    z = Simulation(400, 2, 0, degrees=4.0).normals(0, 3)
    assert z[100:] == pytest.approx(-z[:100])


def test_options_are_revalued_in_full_on_every_path():
    rng = np.random.default_rng(4)
    n = 40
    options = OptionRows(
        ModelChoice(PriceModel.BLACK76), rng.integers(0, NODES, n), np.zeros(n, dtype=int),
        rng.uniform(40, 70, n), rng.uniform(0.1, 1, n), rng.normal(size=n) * 100, "CALL",
    )  # fmt: skip
    held = Portfolio(n + NODES, LINEAR.forwards, np.arange(NODES), (options,),
                     (np.arange(NODES, n + NODES),))  # fmt: skip
    factors = Factors(rng.normal(size=(3, NODES + 1)) * 0.05, 1.0)
    shocks = Shocks.all(NODES + 1, ShockRule.LOGARITHMIC)
    simulation = Simulation(512, 4, 9, draw=Draw.PSEUDO)
    found = monte_carlo(held, PRICES, [0.4], factors, shocks, simulation, CONFIDENCE)
    moves = np.concatenate([simulation.normals(b, 3) for b in range(4)]) @ factors.loadings
    slow = revalue(
        held, PRICES, [0.4], (PRICES * np.exp(moves[:, :NODES])).T,
        0.4 * np.exp(moves[:, NODES:]).T,
    )  # fmt: skip
    assert found.pnl == pytest.approx(slow.pnl, abs=1e-6)
    assert found.value == pytest.approx(slow.value)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(2, 40), st.integers(1, 12))
def test_factors_of_a_history_have_its_covariance(seed, days, nodes):
    past = np.random.default_rng(seed).normal(size=(days, nodes)) * 0.02 + 0.5
    found = factors_of_history(past, explained=1.0)
    assert found.covariance == pytest.approx(
        np.cov(past.T, ddof=1).reshape(nodes, nodes), abs=1e-12
    )
    assert found.explained == pytest.approx(1.0)
    few = factors_of_history(past, explained=0.5)
    assert len(few.loadings) <= len(found.loadings)
    assert few.explained + 1e-12 >= 0.5


def test_what_never_moves_has_no_factor():
    found = factors_of_history(np.ones((10, 3)))
    assert found.loadings.shape == (0, 3)
    still = monte_carlo(
        Portfolio(1, ForwardRows(np.array([0]), np.array([1.0]), np.array([1.0])), np.array([0])),
        np.ones(3), [], found, Shocks.all(3, ShockRule.ABSOLUTE), Simulation(20, 2), CONFIDENCE,
    )  # fmt: skip
    assert (still.tail.var, still.var_error) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: Simulation(batches=1), "batches"),
        (lambda: Simulation(paths=101, batches=10), "paths"),
        (lambda: Simulation(paths=30, batches=10), "mirror"),
        (lambda: Simulation(paths=10_000, batches=10, draw=Draw.QUASI), "power of two"),
        (lambda: Simulation(degrees=2.0), "degrees"),
        (lambda: Simulation(seed=-1), "seed"),
        (lambda: factors_of_history(np.ones((1, 3))), "two days"),
        (lambda: factors_of_history([[1.0], [np.nan]]), r"moves\[1, 0\]"),
        (lambda: factors_of_history(np.eye(3), explained=0.0), "explained"),
        (lambda: factors_of_covariance([[1.0, 2.0], [2.0, 1.0]]), "repair it first"),
        (lambda: factors_of_covariance([[1.0, 0.2], [0.1, 1.0]]), "symmetric"),
        (lambda: factors_of_covariance([[np.inf]]), "finite"),
        (lambda: factors_of_covariance([[1.0, 0.0]]), "square"),
        (
            lambda: monte_carlo(
                LINEAR, PRICES, [0.2], factors_of_covariance(np.eye(NODES)),
                Shocks.all(NODES, ShockRule.ABSOLUTE), Simulation(), CONFIDENCE,
            ),
            "must be 6",
        ),
    ],
)  # fmt: skip
def test_refuses_by_name(call, said):
    with pytest.raises(ScenarioError, match=said):
        call()
