"""Implied volatilities: round trips over wide ranges, edges, and what has none."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trading.pricing import (
    ModelChoice,
    NoImpliedVolatility,
    OptionType,
    PriceModel,
    PricingError,
    bachelier,
    bachelier_implied_volatility,
    black76,
    black76_implied_volatility,
    displaced_black,
    implied_volatility,
)

prices = st.floats(1.0, 500.0)
years = st.floats(0.002, 10.0)


def noise(price, payoff, vega):
    """The volatility that the price's last digits hide: a few units of what it is built from."""
    return 1e-10 + 64 * np.finfo(float).eps * (price + payoff) / vega


@given(prices, prices, years, st.floats(0.01, 4.0), st.sampled_from(OptionType))
@example(100.0, 100.0, 1.0, 0.2, OptionType.CALL)
@example(100.0, 100.00000001, 0.01, 0.01, OptionType.PUT)
def test_black76_returns_the_volatility_of_a_price(forward, strike, expiry, volatility, option):
    terms = {
        "forward": forward, "strike": strike, "expiry": expiry, "discount": 0.9, "option": option,
    }  # fmt: skip
    value = black76(volatility=volatility, **terms)
    price, vega = float(value.price), float(value.vega)
    if vega < 1e-9 * forward:  # the price does not tell the volatility
        return

    found = float(black76_implied_volatility(price=price, **terms))

    assert found == pytest.approx(volatility, abs=noise(price, forward + strike, vega))


@given(
    st.floats(-500.0, 500.0), st.floats(-500.0, 500.0), years, st.floats(0.1, 400.0),
    st.sampled_from(OptionType),
)  # fmt: skip
@example(-20.0, -20.0, 0.5, 30.0, OptionType.CALL)
def test_bachelier_returns_the_volatility_of_a_price(forward, strike, expiry, volatility, option):
    terms = {
        "forward": forward, "strike": strike, "expiry": expiry, "discount": 0.9, "option": option,
    }  # fmt: skip
    value = bachelier(volatility=volatility, **terms)
    price, vega = float(value.price), float(value.vega)
    if vega < 1e-6:
        return

    found = float(bachelier_implied_volatility(price=price, **terms))

    scale = abs(forward) + abs(strike) + volatility
    assert found == pytest.approx(volatility, abs=noise(price, scale, vega), rel=1e-12)


@pytest.mark.parametrize("decades", [-1.0, -10.0, -50.0, -150.0, -290.0])
def test_finds_volatilities_from_values_near_nothing(decades):
    """A time value of 1e-290 of the forward still has sixteen digits."""
    price = 100 * 10.0**decades
    terms = {"forward": 100.0, "strike": [100.5, 130.0, 900.0], "expiry": 0.5}

    found = black76_implied_volatility(price=price, **terms)
    normal = bachelier_implied_volatility(price=price, **terms)

    assert black76(volatility=found, **terms).price == pytest.approx(price, rel=1e-9)
    assert bachelier(volatility=normal, **terms).price == pytest.approx(price, rel=1e-9)


def test_spans_tiny_and_huge_volatilities():
    volatilities = np.logspace(-7, 1, 60)
    at_the_money = {"forward": 100.0, "strike": 100.0, "expiry": 1.0}

    found = black76_implied_volatility(
        price=black76(volatility=volatilities, **at_the_money).price, **at_the_money
    )

    # At 10 the price is the forward but for 6e-7 of it, which leaves ten digits.
    assert found == pytest.approx(volatilities, rel=1e-8)


def test_finds_volatilities_of_strikes_beyond_all_markets():
    """To thirty powers of e from the forward, where first guesses are rough."""
    rng = np.random.default_rng(23)
    strike = np.exp(rng.uniform(-30.0, 30.0, 20_000))
    volatility = 10.0 ** rng.uniform(-2.0, 1.1, strike.size)
    terms = {"forward": 1.0, "strike": strike, "expiry": 1.0}
    value = black76(**terms, volatility=volatility, option=np.where(strike > 1, "CALL", "PUT"))
    worth = value.price / np.minimum(1.0, strike)
    told = (worth > 1e-250) & (worth < 1 - 1e-9)
    terms["strike"] = strike[told]

    found = black76_implied_volatility(
        price=value.price[told], **terms, option=np.where(strike[told] > 1, "CALL", "PUT")
    )

    assert told.sum() > 8_000
    assert found == pytest.approx(volatility[told], rel=1e-7)  # next to 1 nine digits are gone
    again = black76(**terms, volatility=found, option=np.where(strike[told] > 1, "CALL", "PUT"))
    assert again.price == pytest.approx(value.price[told], rel=1e-8)


def test_at_the_money_the_smallest_value_has_a_volatility():
    """σ √T = √(2π) price / forward, as far down as numbers go."""
    found = black76_implied_volatility(
        price=[1e-300, 1e-12, 1e-7], forward=100.0, strike=100.0, expiry=1.0
    )

    assert found == pytest.approx(np.sqrt(2 * np.pi) * np.array([1e-302, 1e-14, 1e-9]), rel=1e-12)


def test_deep_in_the_money_is_read_by_parity():
    terms = {"forward": 300.0, "strike": 100.0, "expiry": 1.0, "discount": 0.95}
    value = black76(volatility=0.6, **terms)

    found = float(black76_implied_volatility(price=value.price, **terms))

    assert found == pytest.approx(0.6, abs=1e-12)


def test_the_chosen_model_implies_its_own_volatility():
    terms = {"forward": -10.0, "strike": 5.0, "expiry": 0.4, "discount": 0.97}
    price = float(bachelier(volatility=25.0, **terms).price)
    normal, displaced = (
        ModelChoice(PriceModel.BACHELIER),
        ModelChoice(PriceModel.DISPLACED_BLACK, 60.0),
    )

    assert float(implied_volatility(normal, price=price, **terms)) == pytest.approx(25.0)
    sigma = implied_volatility(displaced, price=price, **terms)
    again = displaced_black(displacement=60.0, volatility=sigma, **terms)
    assert float(again.price) == pytest.approx(price, rel=1e-12)
    with pytest.raises(PricingError, match=r"forward: -10.0 must be above 0"):
        implied_volatility(ModelChoice(PriceModel.BLACK76), price=price, **terms)


@pytest.mark.parametrize(
    ("terms", "words"),
    [({"price": [5.0, 0.0]}, r"price\[1\]: 0.0 leaves 0.0 above the payoff"),
     ({"price": [5.0, -1.0]}, r"price\[1\]: -1.0"),
     ({"price": 50.0}, r"price: 50.0 leaves 50.0"),
     ({"price": 20.0, "strike": 30.0}, r"price: 20.0 leaves 0.0"),
     ({"price": 19.0, "strike": 30.0}, r"price: 19.0 leaves -1.0"),
     ({"price": 60.0, "strike": 60.0, "option": OptionType.PUT}, r"price: 60.0")],
)  # fmt: skip
def test_names_the_price_that_no_volatility_gives(terms, words):
    whole = {"forward": 50.0, "strike": 50.0, "expiry": 1.0, **terms}

    with pytest.raises(NoImpliedVolatility, match=words):
        black76_implied_volatility(**whole)


@pytest.mark.parametrize("formula", [black76_implied_volatility, bachelier_implied_volatility])
def test_needs_time_and_finite_numbers(formula):
    terms = {"price": 1.0, "forward": 50.0, "strike": 60.0, "expiry": 1.0}

    with pytest.raises(PricingError, match=r"expiry: 0.0 must be above 0"):
        formula(**terms | {"expiry": 0.0})
    with pytest.raises(PricingError, match=r"price\[0\]: inf"):
        formula(**terms | {"price": [np.inf]})
    with pytest.raises(NoImpliedVolatility, match=r"price: 1.0 leaves -9"):
        formula(**terms | {"strike": 40.0})
