"""Bachelier, displaced Black and the choice between models."""

from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.pricing import (
    ModelChoice,
    NonPositivePrice,
    OptionType,
    PriceModel,
    PricingError,
    bachelier,
    black76,
    displaced_black,
    price_option,
)

prices = st.floats(-200.0, 500.0)
years = st.floats(0.01, 5.0)
normal_vols = st.floats(0.5, 150.0)


@pytest.mark.parametrize(
    ("option", "worth", "delta"),
    [(OptionType.CALL, [0.0, 0.0, 20.0], [0.0, 0.5, 1.0]),
     (OptionType.PUT, [20.0, 0.0, 0.0], [-1.0, -0.5, 0.0])],
)  # fmt: skip
@pytest.mark.parametrize(("expiry", "volatility"), [(0.0, 20.0), (0.7, 0.0), (0.0, 0.0)])
def test_bachelier_equals_the_payoff_without_time_or_volatility(
    expiry, volatility, option, worth, delta
):
    value = bachelier(
        forward=[-30.0, -10.0, 10.0], strike=-10.0, expiry=expiry, volatility=volatility,
        discount=0.5, option=option,
    )  # fmt: skip

    assert value.price == pytest.approx(np.array(worth) * 0.5)
    assert value.delta == pytest.approx(np.array(delta) * 0.5)
    assert not (value.gamma.any() or value.vega.any() or value.vanna.any())
    assert not (value.volga.any() or value.theta.any())


@given(prices, prices, years, normal_vols)
def test_bachelier_call_less_put_is_the_discounted_forward(forward, strike, expiry, volatility):
    call, put = (
        bachelier(
            forward=forward, strike=strike, expiry=expiry, volatility=volatility, discount=0.9,
            option=option,
        )
        for option in OptionType
    )  # fmt: skip

    assert float(call.price - put.price) == pytest.approx(0.9 * (forward - strike), abs=1e-9)
    assert float(call.delta - put.delta) == pytest.approx(0.9)
    assert float(call.price) >= max(0.9 * (forward - strike), 0.0)


@given(prices, prices, years, normal_vols)
def test_bachelier_mirrors_call_into_put(forward, strike, expiry, volatility):
    """A call on F at K is a put on −F at −K."""
    call = bachelier(forward=forward, strike=strike, expiry=expiry, volatility=volatility)
    put = bachelier(
        forward=-forward, strike=-strike, expiry=expiry, volatility=volatility,
        option=OptionType.PUT,
    )  # fmt: skip

    assert float(call.price) == pytest.approx(float(put.price), rel=1e-12)
    assert float(call.delta) == pytest.approx(-float(put.delta), rel=1e-12)


def test_a_large_displacement_approaches_bachelier():
    """Lognormal at a distance: σ_N = σ (F + d) as d grows."""
    far = 1e6
    shifted = displaced_black(
        forward=-5.0, strike=3.0, displacement=far, expiry=0.5, volatility=20.0 / far
    )
    normal = bachelier(forward=-5.0, strike=3.0, expiry=0.5, volatility=20.0)

    assert float(shifted.price) == pytest.approx(float(normal.price), rel=1e-4)
    assert float(shifted.delta) == pytest.approx(float(normal.delta), rel=1e-4)


def test_the_choice_is_the_formula_of_its_name():
    terms = {"forward": 30.0, "strike": 35.0, "expiry": 0.8, "discount": 0.95}

    assert price_option(ModelChoice(PriceModel.BLACK76), volatility=0.4, **terms).price == (
        black76(volatility=0.4, **terms).price
    )
    assert price_option(ModelChoice(PriceModel.BACHELIER), volatility=9.0, **terms).price == (
        bachelier(volatility=9.0, **terms).price
    )
    assert price_option(
        ModelChoice(PriceModel.DISPLACED_BLACK, 50.0), volatility=0.2, **terms
    ).price == (displaced_black(volatility=0.2, displacement=50.0, **terms).price)


def test_no_model_steps_in_for_a_negative_price():
    terms = {"forward": [30.0, -1.0], "strike": 35.0, "expiry": 0.8, "volatility": 0.4}

    with pytest.raises(NonPositivePrice, match=r"forward\[1\]: -1.0 must be above 0"):
        price_option(ModelChoice(PriceModel.BLACK76), **terms)
    with pytest.raises(NonPositivePrice, match=r"forward \+ displacement\[1\]: -0.5"):
        price_option(ModelChoice(PriceModel.DISPLACED_BLACK, 0.5), **terms)


@pytest.mark.parametrize(
    ("model", "displacement"),
    [(PriceModel.BLACK76, 10.0), (PriceModel.BACHELIER, -1.0), (PriceModel.DISPLACED_BLACK, 0.0),
     (PriceModel.DISPLACED_BLACK, -5.0), (PriceModel.DISPLACED_BLACK, inf),
     (PriceModel.BLACK76, nan)],
)  # fmt: skip
def test_a_displacement_belongs_to_displaced_black_alone(model, displacement):
    with pytest.raises(PricingError, match="displacement"):
        ModelChoice(model, displacement)


def test_calls_and_puts_mix_in_one_array():
    both = bachelier(
        forward=10.0, strike=12.0, expiry=1.0, volatility=5.0,
        option=[OptionType.CALL, OptionType.PUT],
    )  # fmt: skip

    assert float(both.price[1] - both.price[0]) == pytest.approx(2.0)
    with pytest.raises(PricingError, match=r"option\[1\]: STRADDLE must be CALL or PUT"):
        bachelier(
            forward=10.0, strike=12.0, expiry=1.0, volatility=5.0,
            option=np.array(["CALL", "STRADDLE"]),
        )  # fmt: skip


def test_refuses_what_leads_beyond_64_bits():
    with pytest.raises(PricingError, match=r"result\[1\]: the arguments lead beyond"):
        bachelier(forward=[1.0, 1e308], strike=1.0, expiry=1.0, volatility=1.0, discount=100.0)
