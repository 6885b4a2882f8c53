"""Spread options: the exact value against other integrals, limits, bounds and derivatives."""

from itertools import pairwise
from math import erf, exp, log, pi, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad

from trading.pricing import (
    NonPositivePrice,
    OptionType,
    PricingError,
    black76,
    calendar_spread,
    crack_spread,
    dark_spread,
    kirk_spread,
    margrabe,
    spark_spread,
    spread_option,
)

prices = st.floats(5.0, 200.0)
strikes = st.floats(-80.0, 80.0)
vols = st.floats(0.05, 1.2)
correlations = st.floats(-1.0, 1.0)
years = st.floats(0.02, 3.0)
BASE = {
    "first": 80.0, "second": 70.0, "strike": 5.0, "expiry": 0.8, "volatility1": 0.4,
    "volatility2": 0.5, "correlation": 0.6, "discount": 0.96,
}  # fmt: skip


def by_the_first(first, second, strike, expiry, volatility1, volatility2, correlation):
    """The call, integrated over the first forward instead of the second, by QUADPACK."""
    s1, s2 = volatility1 * sqrt(expiry), volatility2 * sqrt(expiry)
    v = s2 * sqrt(1 - correlation**2)

    def given_first(z: float) -> float:
        room = first * exp(s1 * z - 0.5 * s1 * s1) - strike  # a put on the second struck here
        mean = second * exp(correlation * s2 * z - 0.5 * (correlation * s2) ** 2)
        if room <= 0:
            return 0.0
        d1 = log(mean / room) / v + 0.5 * v
        N1, N2 = (0.5 * (1 + erf(-d / sqrt(2))) for d in (d1, d1 - v))
        return (room * N2 - mean * N1) * exp(-0.5 * z * z) / sqrt(2 * pi)

    kink = [(log(strike / first) + 0.5 * s1 * s1) / s1] if strike > 0 else []
    edges = [-10.0, *(z for z in kink if -10 < z < 12), 12.0]
    return sum(
        quad(given_first, low, high, epsabs=1e-12, epsrel=1e-12, limit=400)[0]
        for low, high in pairwise(edges)
    )


def test_equals_the_integral_over_the_other_forward():
    rng = np.random.default_rng(20261121)
    n = 250
    terms = {
        "first": rng.uniform(20, 150, n), "second": rng.uniform(20, 150, n),
        "strike": rng.uniform(-40, 40, n), "expiry": rng.uniform(0.05, 2, n),
        "volatility1": rng.uniform(0.1, 0.9, n), "volatility2": rng.uniform(0.1, 0.9, n),
        "correlation": rng.uniform(-0.95, 0.98, n),
    }  # fmt: skip

    found = spread_option(**terms).price

    for i in range(n):
        case = {name: float(row[i]) for name, row in terms.items()}
        assert found[i] == pytest.approx(by_the_first(**case), abs=1e-8), case


@given(prices, prices, strikes, years, vols, vols, correlations)
def test_call_less_put_is_the_discounted_spread(
    first, second, strike, expiry, volatility1, volatility2, correlation
):
    terms = {
        "first": first, "second": second, "strike": strike, "expiry": expiry,
        "volatility1": volatility1, "volatility2": volatility2, "correlation": correlation,
    }  # fmt: skip
    call, put = (spread_option(**terms, discount=0.9, option=option) for option in OptionType)

    assert float(call.price - put.price) == pytest.approx(0.9 * (first - second - strike), abs=1e-9)
    assert float(call.delta1 - put.delta1) == pytest.approx(0.9, abs=1e-9)
    assert float(call.delta2 - put.delta2) == pytest.approx(-0.9, abs=1e-9)
    assert float(call.price) >= max(0.9 * (first - second - strike) - 1e-9, 0.0)
    assert float(call.price) <= 0.9 * (first + max(-strike, 0.0)) + 1e-9


@given(prices, prices, years, vols, vols, correlations)
def test_equals_margrabe_without_a_strike(
    first, second, expiry, volatility1, volatility2, correlation
):
    terms = {
        "first": first, "second": second, "expiry": expiry, "volatility1": volatility1,
        "volatility2": volatility2, "correlation": correlation,
    }  # fmt: skip

    exact, exchange = spread_option(**terms, strike=0.0), margrabe(**terms)
    kirk = kirk_spread(**terms, strike=0.0)

    assert float(exact.price) == pytest.approx(float(exchange.price), abs=1e-9)
    assert float(kirk) == pytest.approx(float(exchange.price), abs=1e-9)


@pytest.mark.parametrize("option", list(OptionType))
@pytest.mark.parametrize("strike", [-30.0, 0.0, 5.0, 40.0])
@pytest.mark.parametrize("correlation", [-1.0, -0.5, 0.9999, 1.0])
def test_derivatives_equal_central_differences(option, strike, correlation):
    terms = BASE | {"strike": strike, "correlation": correlation, "option": option}
    value = spread_option(**terms)

    def moved(step, **by):
        names = list(by)
        up = spread_option(**terms | {n: terms[n] + by[n] * step for n in names})
        down = spread_option(**terms | {n: terms[n] - by[n] * step for n in names})
        return up, down

    for name, delta, own, cross in (
        ("first", "delta1", "gamma11", "gamma12"), ("second", "delta2", "gamma22", None)
    ):  # fmt: skip
        up, down = moved(1e-3, **{name: 1.0})
        assert float(getattr(value, delta)) == pytest.approx(
            float(up.price - down.price) / 2e-3, abs=1e-7
        )
        assert float(getattr(value, own)) == pytest.approx(
            float(getattr(up, delta) - getattr(down, delta)) / 2e-3, abs=1e-6
        )
        if cross:
            assert float(getattr(value, cross)) == pytest.approx(
                float(up.delta2 - down.delta2) / 2e-3, abs=1e-6
            )
    for name, vega in (("volatility1", "vega1"), ("volatility2", "vega2")):
        up, down = moved(1e-4, **{name: 1.0})
        assert float(getattr(value, vega)) == pytest.approx(
            float(up.price - down.price) / 2e-4, abs=1e-4
        )
    up, down = moved(1e-4, expiry=1.0)
    assert float(value.theta) == pytest.approx(-float(up.price - down.price) / 2e-4, abs=1e-3)
    if correlation == -0.5:
        up, down = moved(1e-4, correlation=1.0)
        assert float(value.correlation_risk) == pytest.approx(
            float(up.price - down.price) / 2e-4, abs=1e-4
        )


@pytest.mark.parametrize("sure", ["expiry", "both"])
def test_equals_the_payoff_where_nothing_moves(sure):
    still = {"expiry": 0.0} if sure == "expiry" else {"volatility1": 0.0, "volatility2": 0.0}
    for option, worth, delta in (
        (OptionType.CALL, [0.0, 0.0, 15.0], [0.0, 0.5, 1.0]),
        (OptionType.PUT, [15.0, 0.0, 0.0], [-1.0, -0.5, 0.0]),
    ):
        value = spread_option(
            **BASE | still | {"first": [60.0, 75.0, 90.0], "discount": 0.5, "option": option}
        )

        assert value.price == pytest.approx(np.array(worth) * 0.5)
        assert value.delta1 == pytest.approx(np.array(delta) * 0.5)
        assert value.delta2 == pytest.approx(-np.array(delta) * 0.5)
        assert not (value.vega1.any() or value.theta.any() or value.correlation_risk.any())


def test_one_that_does_not_move_leaves_black76():
    still_second = spread_option(**BASE | {"volatility2": 0.0})
    call = black76(forward=80.0, strike=75.0, expiry=0.8, volatility=0.4, discount=0.96)
    still_first = spread_option(**BASE | {"volatility1": 0.0})
    put = black76(
        forward=70.0, strike=75.0, expiry=0.8, volatility=0.5, discount=0.96,
        option=OptionType.PUT,
    )  # fmt: skip

    assert float(still_second.price) == pytest.approx(float(call.price), abs=1e-11)
    assert float(still_second.gamma11) == pytest.approx(float(call.gamma), abs=1e-11)
    assert float(still_first.price) == pytest.approx(float(put.price), abs=1e-11)
    assert float(still_first.gamma22) == pytest.approx(float(put.gamma), abs=1e-11)


def test_nears_full_correlation_without_a_jump():
    at = spread_option(**BASE | {"correlation": 1.0})
    near = spread_option(**BASE | {"correlation": 1.0 - 1e-9})

    assert float(near.price) == pytest.approx(float(at.price), abs=1e-6)
    assert float(near.delta1) == pytest.approx(float(at.delta1), abs=1e-4)


def test_falls_with_correlation_and_the_strike():
    by_correlation = spread_option(**BASE | {"correlation": np.linspace(-1, 1, 21)}).price
    by_strike = spread_option(**BASE | {"strike": np.linspace(-60, 60, 41)}).price

    assert (np.diff(by_correlation) < 0).all()
    assert (np.diff(by_strike) < 0).all()
    assert (np.diff(by_strike, 2) > 0).all()


def test_margrabe_derivatives_equal_central_differences():
    terms = {
        "first": 22.0, "second": 10.0, "expiry": 0.5, "volatility1": 0.3, "volatility2": 0.2,
        "correlation": 0.4, "quantity1": 1.0, "quantity2": 2.0, "yield1": 0.06, "yield2": 0.04,
    }  # fmt: skip
    value = margrabe(**terms)

    def price(**moved):
        return float(margrabe(**terms | moved).price)

    for name, delta, gamma in (("first", "delta1", "gamma1"), ("second", "delta2", "gamma2")):
        at, h = terms[name], 1e-3
        up, down = price(**{name: at + h}), price(**{name: at - h})
        assert float(getattr(value, delta)) == pytest.approx((up - down) / (2 * h), rel=1e-6)
        assert float(getattr(value, gamma)) == pytest.approx(
            (up - 2 * price() + down) / h**2, rel=1e-4
        )
    slope = (price(expiry=0.5 + 1e-5) - price(expiry=0.5 - 1e-5)) / 2e-5
    assert float(value.theta) == pytest.approx(-slope, rel=1e-6)


@pytest.mark.parametrize(
    ("terms", "error", "words"),
    [({"correlation": 1.01}, PricingError, r"correlation: 1.01 must be between"),
     ({"first": [80.0, 0.0]}, NonPositivePrice, r"first\[1\]: 0.0"),
     ({"second": -1.0}, NonPositivePrice, r"second: -1.0"),
     ({"strike": np.inf}, PricingError, r"strike: inf"),
     ({"volatility2": -0.1}, PricingError, r"volatility2: -0.1"),
     ({"correlation": np.nan}, PricingError, r"correlation: nan")],
)  # fmt: skip
def test_names_what_it_cannot_take(terms, error, words):
    with pytest.raises(error, match=words):
        spread_option(**BASE | terms)


def test_kirk_needs_a_second_side_above_zero():
    with pytest.raises(NonPositivePrice, match=r"second \+ strike: -10.0"):
        kirk_spread(**BASE | {"strike": -80.0})


def test_a_spark_spread_burns_its_heat_rate():
    terms = spark_spread(power=90.0, gas=30.0, heat_rate=2.0, cost=[3.0, 4.0])

    assert (float(terms.first), float(terms.second), float(terms.ratio)) == (90.0, 60.0, 2.0)
    assert terms.strike.tolist() == [3.0, 4.0]
    with pytest.raises(PricingError, match=r"heat_rate: 0\.0 must be above 0"):
        spark_spread(power=90.0, gas=30.0, heat_rate=0.0)


def test_a_clean_dark_spread_pays_for_coal_and_carbon():
    terms = dark_spread(
        power=100.0, coal=139.56, efficiency=0.4, carbon=80.0, emission_factor=0.35, cost=2.0
    )

    # 139.56 / 6.978 = 20 a MWh of heat, 50 a MWh of power; 0.35 / 0.4 × 80 = 70 of carbon.
    assert float(terms.second) == pytest.approx(50.0)
    assert float(terms.strike) == pytest.approx(72.0)
    with pytest.raises(PricingError, match=r"efficiency: 1\.1 must be at most 1"):
        dark_spread(power=100.0, coal=100.0, efficiency=1.1)


def test_a_crack_spread_weighs_products_by_barrel():
    terms = crack_spread(crude=80.0, gasoline=105.0, distillate=108.0)

    assert float(terms.first) == pytest.approx(106.0)
    assert float(terms.second) == 80.0
    with pytest.raises(PricingError, match="barrels"):
        crack_spread(crude=80.0, gasoline=105.0, distillate=108.0, barrels=(3, 2, 2))


def test_a_calendar_spread_is_later_less_sooner():
    terms = calendar_spread(later=50.0, sooner=45.0, cost=1.0)

    assert (float(terms.first), float(terms.second), float(terms.strike)) == (50.0, 45.0, 1.0)
