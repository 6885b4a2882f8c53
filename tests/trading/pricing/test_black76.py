"""Black-76: written numbers, limits, parity, and derivatives against differences."""

from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from trading.pricing import NonPositivePrice, OptionType, PricingError, bachelier, black76

ORACLES = Path("/work/shared/data/oracles/trading_risk.json")
prices = st.floats(1.0, 500.0)
years = st.floats(0.01, 5.0)
vols = st.floats(0.05, 1.5)


def test_equals_the_published_price_of_an_option_on_a_future():
    # Haug, Option Pricing Formulas: nine months on Brent at 19 USD, 28 %, rate 10 %: 1.7011.
    for option in OptionType:
        value = black76(
            forward=19.0, strike=19.0, expiry=0.75, volatility=0.28,
            discount=np.exp(-0.1 * 0.75), option=option,
        )  # fmt: skip
        assert float(value.price) == pytest.approx(1.7011, abs=5e-5)


@pytest.mark.parametrize(("expiry", "volatility"), [(0.0, 0.4), (0.7, 0.0), (0.0, 0.0)])
@pytest.mark.parametrize(
    ("option", "worth", "delta"),
    [(OptionType.CALL, [0.0, 0.0, 20.0], [0.0, 0.5, 1.0]),
     (OptionType.PUT, [20.0, 0.0, 0.0], [-1.0, -0.5, 0.0])],
)  # fmt: skip
def test_equals_the_discounted_payoff_without_time_or_volatility(
    expiry, volatility, option, worth, delta
):
    value = black76(
        forward=[60.0, 80.0, 100.0], strike=80.0, expiry=expiry, volatility=volatility,
        discount=0.5, option=option,
    )  # fmt: skip

    assert value.price == pytest.approx(np.array(worth) * 0.5)
    assert value.delta == pytest.approx(np.array(delta) * 0.5)
    assert not (value.gamma.any() or value.vega.any() or value.vanna.any())


@given(prices, prices, years, vols)
def test_call_less_put_is_the_discounted_forward(forward, strike, expiry, volatility):
    terms = {
        "forward": forward, "strike": strike, "expiry": expiry, "volatility": volatility,
        "discount": 0.9,
    }  # fmt: skip

    call, put = (black76(**terms, option=option) for option in OptionType)

    assert float(call.price - put.price) == pytest.approx(0.9 * (forward - strike), abs=1e-9)
    assert call.gamma == pytest.approx(put.gamma)
    assert call.vanna == pytest.approx(put.vanna)


@pytest.mark.parametrize("option", list(OptionType))
@pytest.mark.parametrize("strike", [55.0, 80.0, 120.0])
def test_derivatives_equal_central_differences(option, strike):
    def price(forward: float, volatility: float) -> float:
        return float(
            black76(
                forward=forward,
                strike=strike,
                expiry=0.4,
                volatility=volatility,
                discount=0.97,
                option=option,
            ).price
        )

    value = black76(
        forward=80.0, strike=strike, expiry=0.4, volatility=0.45, discount=0.97, option=option
    )
    h, k = 1e-2, 1e-4

    assert float(value.delta) == pytest.approx(
        (price(80 + h, 0.45) - price(80 - h, 0.45)) / (2 * h), rel=1e-5
    )
    assert float(value.gamma) == pytest.approx(
        (price(80 + h, 0.45) - 2 * price(80, 0.45) + price(80 - h, 0.45)) / h**2, rel=1e-4
    )
    assert float(value.vega) == pytest.approx(
        (price(80, 0.45 + k) - price(80, 0.45 - k)) / (2 * k), rel=1e-5
    )
    assert float(value.volga) == pytest.approx(
        (price(80, 0.45 + k) - 2 * price(80, 0.45) + price(80, 0.45 - k)) / k**2,
        rel=1e-3, abs=1e-3,
    )  # fmt: skip
    later, sooner = (
        black76(forward=80.0, strike=strike, expiry=0.4 + t, volatility=0.45, discount=0.97,
                option=option)
        for t in (k, -k)
    )  # fmt: skip
    assert float(value.theta) == pytest.approx(
        float(sooner.price - later.price) / (2 * k), rel=1e-5
    )
    corners = [a * b * price(80 + a * h, 0.45 + b * k) for a in (1, -1) for b in (1, -1)]
    assert float(value.vanna) == pytest.approx(sum(corners) / (4 * h * k), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(
    ("terms", "error", "words"),
    [({"forward": [50.0, -1.0]}, NonPositivePrice, r"forward\[1\]: -1.0"),
     ({"strike": 0.0}, NonPositivePrice, r"strike: 0.0"),
     ({"expiry": -0.1}, PricingError, r"expiry: -0.1"),
     ({"volatility": float("nan")}, PricingError, r"volatility: nan")],
)  # fmt: skip
def test_names_what_it_cannot_take(terms, error, words):
    whole = {"forward": 50.0, "strike": 50.0, "expiry": 1.0, "volatility": 0.3, **terms}

    with pytest.raises(error, match=words):
        black76(**whole)


def plain(forward, strike, expiry, volatility, discount, sign):
    """The same formulas in plain NumPy."""
    root = np.sqrt(expiry)
    d1 = np.log(forward / strike) / (volatility * root) + 0.5 * volatility * root
    d2 = d1 - volatility * root
    density = discount * np.exp(-0.5 * d1 * d1) / np.sqrt(2 * np.pi)
    vega = forward * density * root
    return {
        "price": discount * sign * (forward * ndtr(sign * d1) - strike * ndtr(sign * d2)),
        "delta": discount * sign * ndtr(sign * d1),
        "gamma": density / (forward * volatility * root),
        "vega": vega,
        "vanna": -density * d2 / volatility,
        "volga": vega * d1 * d2 / volatility,
        "theta": -forward * density * volatility / (2 * root),
    }


@pytest.mark.parametrize("option", list(OptionType))
@pytest.mark.parametrize("shape", [(10_007,), (3, 5), ()])
def test_equals_plain_numpy(option, shape):
    rng = np.random.default_rng(76)
    terms = {
        "forward": rng.uniform(5, 300, shape), "strike": rng.uniform(5, 300, shape),
        "expiry": rng.uniform(0.01, 4, shape), "volatility": rng.uniform(0.02, 2, shape),
        "discount": rng.uniform(0.7, 1, shape),
    }  # fmt: skip

    value = black76(**terms, option=option)

    for name, twin in plain(*terms.values(), 1.0 if option is OptionType.CALL else -1.0).items():
        found = getattr(value, name)
        assert found.shape == shape
        # Tails differ by the rounding of the forward.
        assert found == pytest.approx(twin, rel=1e-11, abs=1e-11), name


@pytest.mark.parametrize("formula", [black76, bachelier])
def test_a_number_for_all_counts_as_for_each(formula):
    rng = np.random.default_rng(5)
    each = {"forward": rng.uniform(20, 90, (3, 200)), "volatility": rng.uniform(0.1, 9, 200)}
    for_all = {"strike": 50.0, "expiry": 0.7, "discount": [0.9]}

    ours = formula(**each, **for_all)
    rows = formula(**each, **{name: np.full((3, 200), value) for name, value in for_all.items()})

    for name in ours.__slots__:
        assert (getattr(ours, name) == getattr(rows, name)).all(), name


@given(prices, st.lists(prices, min_size=3, max_size=3, unique=True), years, vols)
def test_price_falls_and_bends_with_the_strike(forward, strikes, expiry, volatility):
    low, middle, high = sorted(strikes)
    value = black76(
        forward=forward, strike=[low, middle, high], expiry=expiry, volatility=volatility
    ).price
    weight = (high - middle) / (high - low)

    assert value[0] >= value[1] >= value[2] >= 0
    assert value[1] <= weight * value[0] + (1 - weight) * value[2] + 1e-10
    assert (value <= forward).all()


@given(prices, prices, years, st.tuples(vols, vols))
def test_price_rises_with_volatility_and_time(forward, strike, expiry, volatilities):
    terms = {"forward": forward, "strike": strike}
    by_volatility = black76(**terms, expiry=expiry, volatility=sorted(volatilities)).price
    by_time = black76(**terms, expiry=[expiry, 2 * expiry], volatility=0.3).price

    assert by_volatility[1] >= by_volatility[0] - 1e-12 * forward
    assert by_time[1] >= by_time[0] - 1e-12 * forward


@given(prices, prices, years, vols, st.floats(0.01, 100.0))
def test_price_scales_with_its_unit_and_mirrors_call_into_put(
    forward, strike, expiry, volatility, unit
):
    terms = {"expiry": expiry, "volatility": volatility}
    call = black76(forward=forward, strike=strike, **terms).price
    scaled = black76(forward=unit * forward, strike=unit * strike, **terms).price
    put = black76(forward=strike, strike=forward, **terms, option=OptionType.PUT).price

    assert float(scaled) == pytest.approx(unit * float(call), rel=1e-9, abs=1e-11)
    assert float(put) == pytest.approx(float(call), rel=1e-9, abs=1e-11)


def test_takes_the_ends_of_the_range_without_a_nan():
    ends = np.array([1e-12, 1e-3, 1.0, 1e3, 1e12])
    F, K, T, sigma = (a.ravel() for a in np.meshgrid(ends, ends, ends[:-1], ends))

    value = black76(forward=F, strike=K, expiry=T, volatility=sigma)

    assert (value.price >= np.maximum(F - K, 0)).all()
    assert (value.price <= F * (1 + 1e-15)).all()
    assert ((value.delta >= 0) & (value.delta <= 1)).all()
    for term in ("gamma", "vega", "vanna", "volga", "theta"):
        assert np.isfinite(getattr(value, term)).all()


@pytest.mark.skipif(not ORACLES.exists(), reason="the shared reference cases are not here")
@pytest.mark.parametrize(
    "topic",
    ["bachelier", "black76", "black76_implied_vol", "kirk_spread", "margrabe", "pnl_explain",
     "spread_exact"],
)  # fmt: skip
def test_answers_the_reference_cases(topic):
    call_command("validate_models", str(ORACLES), topic=[topic])
