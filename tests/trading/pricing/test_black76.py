"""Black-76: written numbers, limits, parity, and derivatives against differences."""

from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from trading.pricing import NonPositivePrice, OptionType, PricingError, black76

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


@pytest.mark.skipif(not ORACLES.exists(), reason="the shared reference cases are not here")
def test_answers_the_reference_cases_of_an_options_day():
    call_command("validate_models", str(ORACLES), topic=["pnl_explain"])
