"""Transmission rights: written numbers, settled hours, parity, bounds and Greeks by differences."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.pricing import (
    LegVolatilities,
    NonPositivePrice,
    PricingError,
    RightKind,
    margrabe,
    transmission_right,
)

prices = st.floats(-200.0, 400.0)
years = st.just(0.0) | st.floats(0.001, 3.0)
vols = st.just(0.0) | st.floats(0.01, 120.0)


def right(kind=RightKind.OPTION, **changes):
    terms = {
        "volume": [10.0, 10.0, 10.0], "source": [50.0, 60.0, -20.0], "sink": [62.0, 45.0, 5.0],
    }  # fmt: skip
    return transmission_right(kind=kind, **(terms | changes))


def test_an_obligation_pays_the_spread_even_below_zero():
    value = right(RightKind.OBLIGATION)

    assert value.value == pytest.approx([120.0, -150.0, 250.0])
    assert float(value.total) == pytest.approx(220.0)
    assert value.delta_sink == pytest.approx([10.0, 10.0, 10.0])
    assert value.delta_source == pytest.approx([-10.0, -10.0, -10.0])
    assert not (value.gamma_sink.any() or value.vega.any())


def test_an_option_without_time_pays_no_less_than_nothing():
    value = right()

    assert value.value == pytest.approx([120.0, 0.0, 250.0])
    assert float(value.time_value) == 0.0
    assert value.delta_sink == pytest.approx([10.0, 0.0, 10.0])


def test_an_option_at_the_money_is_worth_the_spreads_deviation_over_root_two_pi():
    value = right(
        volume=100.0 * np.ones(1),
        source=40.0,
        sink=40.0,
        expiry=0.25,
        volatility=30.0,
        discount=0.9,
    )

    # 30 √0.25 / √(2π) = 5.98413 a MWh, of which 0.9 today.
    assert value.value == pytest.approx([0.9 * 598.413420602], rel=1e-10)
    assert value.delta_sink == pytest.approx([45.0])
    assert float(value.intrinsic.sum()) == 0.0


def test_settled_hours_are_realised_and_the_rest_is_not():
    value = right(
        expiry=0.5, volatility=20.0, settled=[True, False, False], volume=[10.0, 0.0, 10.0],
        sink=[62.0, 45.0, 205.0],
    )  # fmt: skip

    assert float(value.realised) == pytest.approx(120.0)
    assert float(value.unrealised) == pytest.approx(2250.0)
    assert value.delta_sink == pytest.approx([0.0, 0.0, 10.0])
    assert value.vega[0] == 0.0


def test_curtailment_takes_from_open_hours_only():
    value = right(RightKind.OBLIGATION, firmness=0.9, settled=[True, False, False])

    assert value.value == pytest.approx([120.0, -135.0, 225.0])


def test_what_use_costs_is_taken_off_the_spread():
    assert right(strike=5.0).value == pytest.approx([70.0, 0.0, 200.0])
    assert right(RightKind.OBLIGATION, strike=5.0).value == pytest.approx([70.0, -200.0, 200.0])


def test_scenarios_come_before_intervals():
    value = right(source=np.zeros((4, 3)), sink=[[10.0], [20.0], [-5.0], [0.0]], expiry=[0, 1, 2])

    assert value.value.shape == (4, 3)
    assert value.total == pytest.approx([300.0, 600.0, 0.0, 0.0])


@given(prices, prices, years, vols, st.floats(-20.0, 20.0), st.floats(0.1, 1.0))
def test_an_option_less_its_reverse_is_the_obligation(source, sink, expiry, vol, strike, discount):
    shared = {"volume": [7.0], "expiry": expiry, "volatility": vol, "discount": discount}

    there = transmission_right(
        kind=RightKind.OPTION, source=source, sink=sink, strike=strike, **shared
    )
    back = transmission_right(
        kind=RightKind.OPTION, source=sink, sink=source, strike=-strike, **shared
    )
    owed = transmission_right(
        kind=RightKind.OBLIGATION, source=source, sink=sink, strike=strike, **shared
    )

    assert float(there.total - back.total) == pytest.approx(float(owed.total), abs=1e-8)
    assert float(there.total) >= max(float(owed.total), 0.0) - 1e-9
    assert float(there.time_value) >= -1e-9
    assert there.delta_sink == pytest.approx(owed.delta_sink + back.delta_source, abs=1e-9)


@given(prices, prices, years, vols, st.floats(0.01, 50.0))
def test_an_option_gains_with_volatility(source, sink, expiry, vol, more):
    less, much = (
        float(right(volume=[1.0], source=source, sink=sink, expiry=expiry, volatility=v).total)
        for v in (vol, vol + more)
    )

    assert much >= less - 1e-9


@pytest.mark.parametrize("kind", list(RightKind))
def test_greeks_equal_central_differences(kind):
    terms = {
        "volume": np.array([-5.0]), "source": 45.0, "sink": 52.0, "strike": 2.0, "expiry": 0.3,
        "volatility": 35.0, "discount": 0.95, "firmness": 0.97,
    }  # fmt: skip
    h = 1e-3

    def worth(**moved: float) -> float:
        return float(transmission_right(kind=kind, **(terms | moved)).total)

    value = transmission_right(kind=kind, **terms)

    up, down = worth(sink=52 + h), worth(sink=52 - h)
    assert value.delta_sink == pytest.approx([(up - down) / (2 * h)], rel=1e-6)
    assert value.gamma_sink == pytest.approx([(up - 2 * worth() + down) / h**2], rel=1e-3, abs=1e-6)
    left, low = worth(source=45 + h), worth(source=45 - h)
    assert value.delta_source == pytest.approx([(left - low) / (2 * h)], rel=1e-6)
    slope = (worth(volatility=35 + h) - worth(volatility=35 - h)) / (2 * h)
    assert value.vega == pytest.approx([slope], rel=1e-6, abs=1e-9)


def test_lognormal_legs_without_strike_are_worth_an_exchange():
    legs = LegVolatilities(source=0.5, sink=0.4, correlation=0.8)
    exchange = margrabe(
        first=[62.0, 45.0], second=[50.0, 60.0], expiry=0.3, volatility1=0.4, volatility2=0.5,
        correlation=0.8,
    )  # fmt: skip

    value = right(
        volume=[10.0, 10.0], source=[50.0, 60.0], sink=[62.0, 45.0], expiry=0.3, volatility=legs
    )

    assert value.value == pytest.approx(10 * exchange.price, rel=1e-9)
    assert value.delta_sink == pytest.approx(10 * exchange.delta1, rel=1e-8)
    assert value.delta_source == pytest.approx(10 * exchange.delta2, rel=1e-8)
    assert not value.vega.any()


def test_settled_hours_of_lognormal_legs_may_have_been_negative():
    legs = LegVolatilities(source=0.5, sink=0.4, correlation=0.8)

    value = right(source=[50.0, 60.0, -20.0], settled=[False, False, True], expiry=1.0,
                  volatility=legs)  # fmt: skip

    assert float(value.realised) == pytest.approx(250.0)
    assert value.correlation_risk[2] == 0.0
    with pytest.raises(NonPositivePrice, match=r"^source\[2\]: -20.0 must be above 0 if lognormal"):
        right(expiry=1.0, volatility=legs)


@given(
    st.floats(5.0, 200.0), st.floats(5.0, 200.0), st.floats(0.05, 2.0), st.floats(0.05, 0.9),
    st.floats(0.05, 0.9), st.floats(-0.95, 0.95), st.floats(-20.0, 20.0),
)  # fmt: skip
def test_lognormal_options_keep_the_parity(source, sink, expiry, one, other, rho, strike):
    shared = {"kind": RightKind.OPTION, "volume": [1.0], "expiry": expiry}

    there = transmission_right(
        source=source,
        sink=sink,
        strike=strike,
        volatility=LegVolatilities(one, other, rho),
        **shared,
    )
    back = transmission_right(
        source=sink,
        sink=source,
        strike=-strike,
        volatility=LegVolatilities(other, one, rho),
        **shared,
    )

    assert float(there.total - back.total) == pytest.approx(sink - source - strike, abs=1e-9)
    assert float(there.total) >= max(sink - source - strike, 0.0) - 1e-9


def test_lognormal_greeks_equal_central_differences():
    terms = {"volume": [4.0], "strike": 3.0, "expiry": 0.6, "discount": 0.9, "firmness": 0.95}
    start = {"source": 48.0, "sink": 55.0, "one": 0.5, "other": 0.4, "rho": 0.7}

    def worth(**moved: float) -> float:
        at = start | moved
        legs = LegVolatilities(at["one"], at["other"], at["rho"])
        return float(right(source=at["source"], sink=at["sink"], volatility=legs, **terms).total)

    def slope(name: str, h: float) -> float:
        return (worth(**{name: start[name] + h}) - worth(**{name: start[name] - h})) / (2 * h)

    value = right(source=48.0, sink=55.0, volatility=LegVolatilities(0.5, 0.4, 0.7), **terms)

    for field, name, h in (
        ("delta_source", "source", 1e-3), ("delta_sink", "sink", 1e-3),
        ("vega_source", "one", 1e-4), ("vega_sink", "other", 1e-4),
        ("correlation_risk", "rho", 1e-4),
    ):  # fmt: skip
        assert getattr(value, field) == pytest.approx([slope(name, h)], rel=1e-5), field


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"volume": 10.0}, r"^volume: must have at least one interval"),
        ({"volume": []}, r"^volume: must have at least one interval"),
        ({"sink": [1.0, 2.0]}, r"^sink: shape \(2,\) must fit \(3,\)"),
        ({"source": np.zeros((2, 3)), "sink": np.zeros((4, 3))}, r"^sink: shape \(4, 3\)"),
        ({"source": [1.0, np.nan, 3.0]}, r"^source\[1\]: nan must be a number"),
        ({"expiry": -0.1}, r"^expiry: -0.1 must not be negative"),
        ({"volatility": np.inf}, r"^volatility: inf must not be negative, and be finite"),
        ({"discount": 0.0}, r"^discount: 0.0 must be above 0"),
        ({"firmness": [1.0, 1.2, 1.0]}, r"^firmness\[1\]: 1.2 must be from 0 to 1"),
        ({"settled": [0, 2, 1]}, r"^settled\[1\]: 2.0 must be true or false"),
        ({"volatility": LegVolatilities(-0.1, 0.2, 0.0)}, r"^volatility.source: -0.1 must not be"),
        ({"volatility": LegVolatilities(0.1, np.nan, 0.0)}, r"^volatility.sink: nan must not be"),
        (
            {"volatility": LegVolatilities(0.1, 0.2, [0.0, 2.0, 0.0])},
            r"^volatility.correlation\[1\]: 2.0 must be from -1 to 1",
        ),
        ({"kind": "SWAP"}, r"^kind: SWAP must be one of OBLIGATION, OPTION"),
        ({"strike": "much"}, r"^strike: must be numbers"),
    ],
)
def test_refuses_what_it_cannot_value(changes, message):
    with pytest.raises(PricingError, match=message):
        right(**changes)
