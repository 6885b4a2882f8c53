"""Two-factor forwards: martingales with the variance the formula says, and what begins stays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.pricing import PricingError, TwoFactorForwards

MODEL = TwoFactorForwards(
    mean_reversion=2.5, short_volatility=0.9, long_volatility=0.25, correlation=-0.3
)
models = st.builds(
    TwoFactorForwards,
    mean_reversion=st.floats(0.05, 50.0),
    short_volatility=st.floats(0.0, 1.5),
    long_volatility=st.floats(0.0, 0.6),
    correlation=st.floats(-1.0, 1.0),
)
MONTHS = np.array([0.05, 0.25, 0.5, 1.0])


def _simulated(scenarios=40_000, seed=3):
    times = np.array([0.1, 0.25, 0.4])
    factors = MODEL.factors(times=times, scenarios=scenarios, generator=np.random.default_rng(seed))
    curve = np.array([50.0, 60.0, 70.0, 65.0])
    return times, curve, MODEL.forwards(
        factors, times=times, curve=curve, delivery=MONTHS, length=1.0 / 12.0
    )  # fmt: skip


def test_every_forward_is_a_martingale_with_the_stated_variance():
    times, curve, forwards = _simulated()

    assert forwards.shape == (40_000, 3, 4)
    for t in range(3):
        for d in range(4):
            seen = forwards[:, t, d]
            error = seen.std(ddof=1) / np.sqrt(len(seen))
            # The first delivery begins before the first time: nothing has moved it.
            if d == 0:
                assert np.all(seen == pytest.approx(50.0))
                continue
            assert seen.mean() == pytest.approx(curve[d], abs=4.0 * error)
            expected = MODEL.variance(
                expiry=min(times[t], MONTHS[d]), delivery=MONTHS[d], length=1.0 / 12.0
            )
            assert np.log(seen).var() == pytest.approx(float(expected), rel=0.03)


def test_a_delivery_that_has_begun_keeps_its_price():
    *_, forwards = _simulated(scenarios=10)

    # 0.25 begins at the second time of the grid and is seen there, and then no more.
    assert np.all(forwards[:, 2, 1] == forwards[:, 1, 1])
    assert not np.any(forwards[:, 1, 1] == forwards[:, 0, 1])


def test_spot_is_the_forward_for_now_and_mirrored_in_pairs():
    times = np.arange(1, 366) / 365.0
    curve = 60.0 + 10.0 * np.cos(2.0 * np.pi * times)
    paths = MODEL.simulate(
        times=times, curve=curve, scenarios=8000, generator=np.random.default_rng(1)
    )

    same = MODEL.forwards(
        paths.factors[:, [90]], times=times[[90]], curve=curve[90], delivery=times[90]
    )
    assert paths.spot[:, 90] == pytest.approx(same[:, 0, 0])
    assert np.allclose(paths.factors[:4000], -paths.factors[4000:])
    pairs = paths.spot.reshape(2, 4000, 365).mean(axis=0)
    error = pairs.std(axis=0, ddof=1) / np.sqrt(4000)
    assert np.all(np.abs(pairs.mean(axis=0) - curve) < 4.5 * error)


def test_the_same_seed_gives_the_same_paths_on_any_grid_the_same_law():
    def draw(times):
        return MODEL.factors(times=times, scenarios=30_000, generator=np.random.default_rng(9))

    assert np.array_equal(draw([0.5, 1.0]), draw([0.5, 1.0]))
    one, many = draw([1.0])[:, -1], draw(np.linspace(0.1, 1.0, 10))[:, -1]
    assert np.cov(one.T) == pytest.approx(np.cov(many.T), abs=0.006)


@given(models, st.floats(0.01, 3.0), st.floats(0.0, 3.0), st.floats(0.0, 1.0))
def test_variance_grows_to_delivery_and_a_longer_delivery_moves_less_by_the_short_factor(
    model, expiry, wait, length
):
    delivery = expiry + wait
    until = model.variance(expiry=[0.0, 0.5 * expiry, expiry], delivery=delivery, length=length)
    short = TwoFactorForwards(model.mean_reversion, model.short_volatility, 0.0, 0.0)

    assert until[0] == 0.0
    assert np.all(np.diff(until) >= -1e-12)
    assert np.isfinite(model.volatility(expiry=expiry, delivery=delivery, length=length))
    assert short.variance(expiry=expiry, delivery=delivery, length=length) <= short.variance(
        expiry=expiry, delivery=delivery
    ) * (1 + 1e-12)


def test_one_factor_that_does_not_fade_is_black76():
    flat = TwoFactorForwards(
        mean_reversion=1.0, short_volatility=0.0, long_volatility=0.31, correlation=0.0
    )
    assert flat.volatility(expiry=[0.1, 2.0], delivery=3.0) == pytest.approx(0.31)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"mean_reversion": 0.0}, "mean_reversion"), ({"short_volatility": -0.1}, "short_volatility"),
     ({"long_volatility": np.nan}, "long_volatility"), ({"correlation": 1.1}, "correlation")],
)  # fmt: skip
def test_refuses_parameters_without_meaning(change, said):
    known = {"mean_reversion": 1.0, "short_volatility": 0.1, "long_volatility": 0.1,
             "correlation": 0.0}  # fmt: skip
    with pytest.raises(PricingError, match=said):
        TwoFactorForwards(**known | change)


@pytest.mark.parametrize(
    ("change", "said"),
    [({"times": [0.2, 0.1]}, r"times\[1\]"), ({"times": []}, "times: shape"),
     ({"times": [-0.1, 0.1]}, r"times\[0\]"), ({"curve": [50.0, -1.0]}, r"curve\[1\]"),
     ({"curve": [50.0]}, "curve: shape"), ({"scenarios": 3}, "scenarios: 3"),
     ({"scenarios": 0}, "scenarios: 0")],
)  # fmt: skip
def test_refuses_a_grid_without_meaning(change, said):
    known = {"times": [0.1, 0.2], "curve": 50.0, "scenarios": 2}
    with pytest.raises(PricingError, match=said):
        MODEL.simulate(**known | change, generator=np.random.default_rng(1))
