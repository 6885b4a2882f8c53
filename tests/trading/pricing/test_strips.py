"""Caps, floors and swaptions on forwards: sums by hand, parity, hedges against differences."""

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
    cap_floor,
    swaption,
)

BLACK, NORMAL = ModelChoice(PriceModel.BLACK76), ModelChoice(PriceModel.BACHELIER)
FORWARDS = [70.0, 80.0, 95.0]
VOLUMES = [744.0, 672.0, 743.0]
DISCOUNTS = [0.99, 0.985, 0.98]
STRIP = {
    "forwards": FORWARDS, "strikes": 85.0, "expiries": [0.1, 0.2, 0.3],
    "volatilities": [0.6, 0.5, 0.45], "volumes": VOLUMES, "discounts": DISCOUNTS,
}  # fmt: skip
SWAP = {
    "forwards": FORWARDS, "strike": 85.0, "expiry": 0.25, "volatility": 0.4,
    "volumes": VOLUMES, "discounts": DISCOUNTS,
}  # fmt: skip


def test_a_cap_is_the_sum_of_its_periods():
    cap = cap_floor(BLACK, **STRIP)

    by_hand = sum(
        volume * float(black76(forward=f, strike=85.0, expiry=t, volatility=v, discount=d).price)
        for f, t, v, d, volume in zip(
            FORWARDS, STRIP["expiries"], STRIP["volatilities"], DISCOUNTS, VOLUMES, strict=True
        )
    )
    assert float(cap.price) == pytest.approx(by_hand, rel=1e-14)
    assert cap.periods.price.shape == (3,)


@given(st.floats(-100.0, 200.0), st.sampled_from([BLACK, NORMAL]))
def test_a_cap_less_a_floor_is_the_swap(strike, choice):
    if choice is BLACK and strike <= 0:
        return
    terms = STRIP | {"strikes": strike, "volatilities": 0.5 if choice is BLACK else 40.0}
    cap, floor = (cap_floor(choice, **terms, option=option) for option in OptionType)

    swap = sum(v * d * (f - strike) for f, v, d in zip(FORWARDS, VOLUMES, DISCOUNTS, strict=True))
    assert float(cap.price - floor.price) == pytest.approx(swap, abs=1e-6)


def test_a_fixed_period_pays_what_it_fixed_at():
    cap = cap_floor(BLACK, **STRIP | {"forwards": [100.0, 80.0, 95.0], "expiries": [0.0, 0.2, 0.3]})

    assert float(cap.periods.price[0]) == pytest.approx(744.0 * 0.99 * 15.0)
    assert float(cap.periods.delta[0]) == pytest.approx(744.0 * 0.99)


def test_scenarios_stand_before_the_period():
    shifted = np.asarray(FORWARDS) + np.array([[0.0], [10.0]])

    caps = cap_floor(BLACK, **STRIP | {"forwards": shifted})

    assert caps.price.shape == (2,)
    assert caps.price[0] == pytest.approx(float(cap_floor(BLACK, **STRIP).price))
    assert caps.price[1] > caps.price[0]


def test_a_swaption_is_on_the_swap_price():
    value = swaption(BLACK, **SWAP)

    weights = np.array(VOLUMES) * np.array(DISCOUNTS)
    assert float(value.annuity) == pytest.approx(weights.sum())
    assert float(value.swap_price) == pytest.approx((weights * FORWARDS).sum() / weights.sum())
    one = black76(forward=value.swap_price, strike=85.0, expiry=0.25, volatility=0.4)
    assert float(value.price) == pytest.approx(weights.sum() * float(one.price))


def test_an_option_on_one_period_is_the_option_on_its_forward():
    value = swaption(
        NORMAL, forwards=[-5.0], strike=3.0, expiry=0.4, volatility=25.0, volumes=[24.0],
        discounts=[0.97],
    )  # fmt: skip
    one = bachelier(forward=-5.0, strike=3.0, expiry=0.4, volatility=25.0, discount=0.97)

    assert float(value.price) == pytest.approx(24.0 * float(one.price), rel=1e-14)
    assert value.deltas == pytest.approx([24.0 * float(one.delta)])


@pytest.mark.parametrize("option", list(OptionType))
def test_a_swaption_is_hedged_period_by_period(option):
    value = swaption(BLACK, **SWAP, option=option)
    h = 1e-3
    for i in range(3):
        up, down = (
            swaption(BLACK, **SWAP | {"forwards": np.asarray(FORWARDS) + s * h * np.eye(3)[i]},
                     option=option).price
            for s in (1, -1)
        )  # fmt: skip
        assert float(value.deltas[i]) == pytest.approx(float(up - down) / (2 * h), rel=1e-7)


def test_strikes_beside_each_other_share_the_swap():
    value = swaption(BLACK, **SWAP | {"strike": [80.0, 85.0, 90.0, 95.0]})

    assert value.price.shape == (4,)
    assert value.deltas.shape == (4, 3)
    assert (np.diff(value.price) < 0).all()


@pytest.mark.parametrize(
    ("terms", "error", "words"),
    [({"forwards": 80.0, "volumes": 1.0, "discounts": 1.0}, PricingError, "must have periods"),
     ({"forwards": [], "volumes": [], "discounts": []}, PricingError, "must have periods"),
     ({"volumes": [0.0, 0.0, 0.0]}, PricingError, "sum of volumes × discounts: 0.0"),
     ({"volumes": [1.0, -1.0, 1.0]}, PricingError, r"volumes\[1\]: -1.0"),
     ({"forwards": [-70.0, 10.0, 20.0]}, NonPositivePrice, "forward: -"),
     ({"discounts": [1.0, 0.0, 1.0]}, PricingError, r"discounts\[1\]: 0.0")],
)  # fmt: skip
def test_a_swaption_names_what_it_cannot_take(terms, error, words):
    with pytest.raises(error, match=words):
        swaption(BLACK, **SWAP | terms)


def test_a_cap_names_what_it_cannot_take():
    with pytest.raises(PricingError, match=r"volumes\[2\]: -1.0"):
        cap_floor(BLACK, **STRIP | {"volumes": [1.0, 1.0, -1.0]})
    with pytest.raises(PricingError, match="must have periods"):
        cap_floor(BLACK, forwards=80.0, strikes=80.0, expiries=1.0, volatilities=0.3, volumes=10.0)
