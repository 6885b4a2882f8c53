"""Factors that revert and jump: moments in closed form, draws that mirror, refusals by name."""

from decimal import Decimal

import numpy as np
import pytest
from scipy.stats import kstat

from risk.engine import (
    Convention,
    Draw,
    Factors,
    ForwardRows,
    JumpDiffusion,
    Portfolio,
    ScenarioError,
    ShockRule,
    Shocks,
    Simulation,
    monte_carlo,
    normal_tail,
)
from trading.pricing.processes import MeanRevertingSpot, fit_spot

CALM = MeanRevertingSpot(8.0, 30.0)
WILD = MeanRevertingSpot(60.0, 90.0, 25.0, 12.0, 5.0)
LOG = MeanRevertingSpot(4.0, 0.9, 10.0, 0.1, 0.15, is_lognormal=True)
RHO = np.array([[1.0, 0.6, -0.3], [0.6, 1.0, 0.1], [-0.3, 0.1, 1.0]])
ALL = JumpDiffusion((CALM, WILD, LOG), RHO, 10.0, 365.0, np.array([5.0, -8.0, 0.0]))
CONFIDENCE = Convention(confidence=Decimal("0.95"), horizon_days=10, method="Monte Carlo")


def drawn(law, *, paths=200_000, seed=1, draw=Draw.PSEUDO):
    simulation = Simulation(paths, 2, seed, draw=draw, jumps=law)
    return np.concatenate([simulation.normals(n, len(law.processes)) for n in range(2)])


@pytest.mark.parametrize("draw", [Draw.PSEUDO, Draw.ANTITHETIC])
def test_means_and_covariances_are_the_closed_form(draw):
    moves = drawn(ALL, draw=draw)
    deviation = np.sqrt(np.diag(ALL.covariance))
    assert np.abs(moves.mean(axis=0) - ALL.mean) / deviation == pytest.approx(0.0, abs=0.01)
    found = np.cov(moves.T) / np.outer(deviation, deviation)
    assert found == pytest.approx(ALL.covariance / np.outer(deviation, deviation), abs=0.015)


def test_higher_moments_are_those_of_jumps_that_fade():
    years, k = ALL.years, WILD.mean_reversion
    # Cumulants of compound Poisson noise: λ E[Jⁿ] ∫ e^{−nκs} ds; the Gaussian part has none.
    mean, variance = WILD.jump_mean, WILD.jump_deviation**2
    third, fourth = (
        WILD.jump_intensity * moment * -np.expm1(-n * k * years) / (n * k)
        for n, moment in (
            (3, mean**3 + 3 * mean * variance),
            (4, mean**4 + 6 * mean**2 * variance + 3 * variance**2),
        )
    )
    moves = drawn(ALL)[:, 1]
    assert kstat(moves, 3) == pytest.approx(third, rel=0.05)
    assert kstat(moves, 4) == pytest.approx(fourth, rel=0.1)


def test_by_hand_of_one_factor():
    law = JumpDiffusion((WILD,), np.eye(1), 2.0, 250.0, np.array([10.0]))
    faded = np.exp(-60.0 * 0.008)
    assert law.mean == pytest.approx([10.0 * (faded - 1.0)])
    variance = (90.0**2 + 25.0 * (12.0**2 + 5.0**2)) * (1 - faded**2) / 120.0
    assert law.covariance[0, 0] == pytest.approx(variance)


def test_a_lognormal_factor_leaves_the_mean_of_prices():
    moves = drawn(ALL)[:, 2]
    assert np.exp(moves).mean() == pytest.approx(1.0, abs=3e-3)


def test_a_mirrored_path_is_as_far_on_the_other_side():
    half = 20_000
    law = JumpDiffusion((CALM, WILD), np.eye(2), 10.0)
    moves = Simulation(2 * 2 * half, 2, 3, jumps=law).normals(0, 2)
    both = moves[:half] + moves[half:]
    assert both[:, 0] == pytest.approx(0.0, abs=1e-12)
    # Noise and sizes cancel; what is left is that both jump at the same times.
    left = 25.0 * 12.0**2 * -np.expm1(-2 * 60.0 * law.years) / (2 * 60.0)
    assert both[:, 1].std() == pytest.approx(2 * np.sqrt(left), rel=0.03)


def test_a_linear_book_without_jumps_has_the_normal_tail_by_sobol_points_too():
    law = JumpDiffusion((CALM, MeanRevertingSpot(60.0, 90.0)), RHO[:2, :2], 10.0)
    amount = np.array([100.0, -40.0])
    held = Portfolio(2, ForwardRows(np.arange(2), amount, np.array([50.0, 60.0])), np.arange(2))
    exact = normal_tail(0.0, float(np.sqrt(amount @ law.covariance @ amount)), 0.95)
    for draw in Draw:
        found = monte_carlo(
            held, [50.0, 60.0], [], Factors(np.eye(2), 1.0), Shocks.all(2, ShockRule.ABSOLUTE),
            Simulation(40_960, 10, 5, draw=draw, jumps=law), CONFIDENCE,
        )  # fmt: skip
        assert abs(found.tail.var - exact.var) < 4 * found.var_error + 1e-9
        assert 0 < found.var_error < 0.02 * exact.var


def test_jumps_fatten_the_tail_and_a_seed_repeats_it():
    held = Portfolio(1, ForwardRows(np.array([0]), np.array([-1.0]), np.array([50.0])),
                     np.array([0]))  # fmt: skip
    law = JumpDiffusion((WILD,), np.eye(1), 1.0)
    found, again, other = (
        monte_carlo(
            held, [50.0], [], Factors(np.eye(1), 1.0), Shocks.all(1, ShockRule.ABSOLUTE),
            Simulation(20_000, 10, seed, jumps=law), Convention(confidence=Decimal("0.99")),
        )
        for seed in (1, 1, 2)
    )  # fmt: skip
    assert found.pnl.tobytes() == again.pnl.tobytes() != other.pnl.tobytes()
    assert (found.simulation.seed, other.simulation.jumps) == (1, law)
    # Whoever is short a price that jumps up loses more than the normal of the same variance says.
    assert found.tail.es > normal_tail(0.0, float(np.sqrt(law.covariance[0, 0])), 0.99).es


def test_calibrated_processes_start_where_their_history_ends():
    times = np.arange(300) / 365
    history = MeanRevertingSpot(30.0, 60.0, 12.0, 15.0, 5.0).simulate(
        times=times + 1 / 365, curve=50.0, scenarios=2, generator=np.random.default_rng(6)
    )
    fits = [fit_spot(times, row, harmonics=0) for row in history.spot]
    law = JumpDiffusion.of_fits(fits, np.eye(2), horizon_days=1.0)
    assert law.processes == tuple(fit.process for fit in fits)
    assert law.deviation.tolist() == [fit.latest_deviation for fit in fits]
    assert (np.sign(law.mean) == -np.sign(law.deviation)).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: JumpDiffusion((), np.eye(0)), "processes"),
        (lambda: JumpDiffusion((CALM,), np.eye(2)), r"shape \(2, 2\) must be \(1, 1\)"),
        (lambda: JumpDiffusion((CALM, WILD), np.array([[1, 0.2], [0.1, 1]])), "symmetric"),
        (
            lambda: JumpDiffusion((CALM, CALM, WILD), 1.8 * np.eye(3) - 0.8),
            "negative eigenvalue; repair",
        ),
        (lambda: JumpDiffusion((CALM,), np.eye(1), 0.0), "horizon_days"),
        (lambda: JumpDiffusion((CALM,), np.eye(1), 1.0, np.inf), "days_a_year"),
        (lambda: JumpDiffusion((CALM,), np.eye(1), deviation=np.zeros(2)), "deviation"),
        (lambda: Simulation(jumps=ALL, degrees=5.0), "degrees: must be None"),
        (
            lambda: Simulation(paths=1024, batches=2, jumps=ALL, draw=Draw.QUASI),
            "draw: must not be QUASI for jumps",
        ),
        (lambda: Simulation(jumps=ALL).normals(0, 2), "processes: 3 must be 2"),
    ],
)
def test_refuses_by_name(call, said):
    with pytest.raises(ScenarioError, match=said):
        call()
