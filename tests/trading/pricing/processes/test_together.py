"""Markets simulated together: news correlated as stated, each market's own law unchanged."""

import numpy as np
import pytest

from trading.pricing import MeanRevertingSpot, PricingError, TwoFactorForwards, simulate_together

POWER = MeanRevertingSpot(20.0, 60.0)
GAS = TwoFactorForwards(3.0, 0.6, 0.2, 0.3)
CARBON = MeanRevertingSpot(1.0, 0.4, is_lognormal=True)
TIMES = (np.arange(20) + 1) / 365
STATED = np.array([[1.0, 0.6, 0.4], [0.6, 1.0, -0.3], [0.4, -0.3, 1.0]])


def simulate(models=(POWER, GAS, CARBON), curves=(80.0, 30.0, 70.0), correlation=STATED, **more):
    return simulate_together(
        models, times=TIMES, curves=curves, correlation=correlation,
        **{"scenarios": 20_000, "generator": np.random.default_rng(3), **more},
    )  # fmt: skip


def test_the_news_of_a_step_are_correlated_as_stated_and_each_law_is_its_own():
    found = simulate()
    alone = [
        model.simulate(
            times=TIMES, curve=curve, scenarios=20_000, generator=np.random.default_rng(9)
        )
        for model, curve in zip((POWER, GAS, CARBON), (80.0, 30.0, 70.0), strict=True)
    ]

    # Of 20,000 scenarios, half of them mirrored: 1 / √10,000 is one deviation.
    moves = [found[0].spot[:, 0], np.log(found[1].spot[:, 0]), np.log(found[2].spot[:, 0])]
    assert np.corrcoef(moves) == pytest.approx(STATED, abs=0.03)
    for together, own in zip(found, alone, strict=True):
        assert together.spot.mean(axis=0) == pytest.approx(own.spot.mean(axis=0), rel=0.01)
        assert together.spot.std(axis=0) == pytest.approx(own.spot.std(axis=0), rel=0.03)
        assert together.factors.shape == own.factors.shape
    # How the two factors of gas go together is not changed by what is beside it.
    of_gas = [np.corrcoef(paths.factors[:, -1].T)[0, 1] for paths in (found[1], alone[1])]
    assert of_gas[0] == pytest.approx(of_gas[1], abs=0.03)


def test_one_market_has_the_paths_of_its_own_and_mirrors_stay_mirrored():
    (one,) = simulate((GAS,), (30.0,), [[1.0]], scenarios=100)
    own = GAS.simulate(
        times=TIMES, curve=30.0, scenarios=100, generator=np.random.default_rng(3)
    )  # fmt: skip
    power, _ = simulate((POWER, GAS), (80.0, 30.0), [[1.0, 0.5], [0.5, 1.0]], scenarios=100)

    assert np.array_equal(one.spot, own.spot)
    assert power.spot[:50] + power.spot[50:] == pytest.approx(np.full((50, 20), 160.0))


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ([[1.0, 0.9, 0.9], [0.9, 1.0, -0.9], [0.9, -0.9, 1.0]], "contradict each other"),
        ([[1.0, 0.1, 0.2], [0.3, 1.0, 0.0], [0.2, 0.0, 1.0]], "symmetric"),
        ([[1.0, 0.5], [0.5, 1.0]], "is not that of 3 models"),
        (np.full((3, 3), np.nan), "symmetric"),
    ],
)
def test_correlations_that_no_prices_can_have_are_refused(matrix, words):
    with pytest.raises(PricingError, match=words):
        simulate(correlation=matrix)
