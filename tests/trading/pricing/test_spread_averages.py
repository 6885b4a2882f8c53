"""Options on the difference of two averages: exact where it is normal, near where it is not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.pricing import (
    NonPositivePrice,
    OpenAverage,
    OptionType,
    PriceModel,
    PricingError,
    average_option,
    average_spread_option,
    spread_option,
)

BLACK, NORMAL = PriceModel.BLACK76, PriceModel.BACHELIER
DAYS = np.linspace(0.3, 0.38, 21)
FIRST = OpenAverage(np.linspace(98.0, 103.0, 21), np.full(21, 1 / 21), DAYS, 0.6)
SECOND = OpenAverage(np.linspace(88.0, 84.0, 21), np.full(21, 1 / 21), DAYS + 0.01, 0.45)
CASE = {"first": FIRST, "second": SECOND, "strike": 12.0, "correlation": 0.7}
IN_PRICE = {"first": replace(FIRST, volatility=60.0), "second": replace(SECOND, volatility=40.0)}


def simulated(model, *, first, second, correlation, paths=50_000):
    """The difference of both averages on correlated paths."""
    draw = np.random.default_rng(11)
    times = np.unique(np.concatenate([first.times, second.times]))
    steps = np.sqrt(np.diff(times, prepend=0.0))
    one, other = (np.cumsum(draw.standard_normal((paths, times.size)) * steps, axis=1)
                  for _ in range(2))  # fmt: skip
    walks = one, correlation * one + np.sqrt(1 - correlation**2) * other
    averages = []
    for side, walk in zip((first, second), walks, strict=True):
        moved = walk[:, np.searchsorted(times, side.times)] * side.volatility
        if model is NORMAL:
            fixings = side.forward + moved
        else:
            fixings = side.forward * np.exp(moved - 0.5 * side.volatility**2 * side.times)
        averages.append(fixings @ side.weight)
    return averages[0] - averages[1]


@pytest.mark.parametrize(
    ("model", "sides", "apart"), [(NORMAL, IN_PRICE, 0.0), (BLACK, {}, 0.03)]
)  # fmt: skip
def test_agrees_with_simulated_paths_of_both_averages(model, sides, apart):
    terms = {**CASE, **sides}
    del terms["strike"]
    drawn = simulated(model, **terms)

    for strike in (-5.0, 15.0, 45.0):
        found = average_spread_option(model, **terms, strike=strike, fixed=2.0)
        payoff = np.maximum(drawn + 2.0 - strike, 0.0)
        error = payoff.std() / np.sqrt(payoff.size)

        # The normal is exact; two lognormals for two averages are at most cents away here.
        assert abs(found.price - payoff.mean()) < 3 * error + apart, (strike, found.price, error)


def test_one_fixing_a_side_is_the_spread_and_one_side_alone_the_average():
    one, two = (OpenAverage([at], [1.0], [0.5], vol) for at, vol in ((100.0, 0.6), (88.0, 0.4)))
    spread = average_spread_option(BLACK, first=one, second=two, strike=10.0, correlation=0.7)
    exact = spread_option(
        first=100.0, second=88.0, strike=10.0, expiry=0.5, volatility1=0.6, volatility2=0.4,
        correlation=0.7,
    )  # fmt: skip
    gone = replace(SECOND, weight=np.zeros(21))
    alone = average_spread_option(
        BLACK, first=FIRST, second=gone, strike=12.0, fixed=-86.0, correlation=0.7
    )
    average = average_option(
        forward=FIRST.forward, weight=FIRST.weight, times=DAYS, volatility=0.6, strike=98.0
    )

    got = [spread.price, spread.delta1[0], spread.delta2[0], spread.vega1, spread.vega2]
    wanted = [exact.price, exact.delta1, exact.delta2, exact.vega1, exact.vega2]
    assert got == pytest.approx([float(row) for row in wanted], rel=1e-9)
    assert spread.gamma1 == pytest.approx(float(exact.gamma11), rel=1e-4)
    assert alone.price == pytest.approx(float(average.price), rel=1e-7)
    assert alone.delta1 == pytest.approx(average.fixing_delta, rel=1e-6)
    assert alone.vega1 == pytest.approx(float(average.vega), rel=1e-6)


@given(
    st.sampled_from([BLACK, NORMAL]), st.sampled_from(list(OptionType)), st.floats(-0.95, 0.95),
    st.floats(-30, 60), st.integers(0, 2**32 - 1),
)  # fmt: skip
@settings(max_examples=25)
def test_deltas_and_vegas_are_what_moving_each_input_gives(model, option, rho, strike, seed):
    draw = np.random.default_rng(seed)

    def side():
        scale = 1.0 if model is BLACK else 80.0
        level = scale * float(draw.uniform(0.2, 0.7))
        forward, weight, times = draw.uniform(60, 120, 5), draw.uniform(0, 0.3, 5), draw.random(5)
        return OpenAverage(forward, weight, times, level)

    terms = {"first": side(), "second": side(), "strike": strike, "correlation": rho,
             "option": option}  # fmt: skip
    found = average_spread_option(model, **terms)

    for name, deltas, vega in (
        ("first", found.delta1, found.vega1), ("second", found.delta2, found.vega2),
    ):  # fmt: skip

        def worth(name=name, **moved):
            return average_spread_option(
                model, **{**terms, name: replace(terms[name], **moved)}
            ).price

        h = 1e-3 * np.eye(5)[2]
        forward, level = terms[name].forward, terms[name].volatility
        bumped = (worth(forward=forward + h) - worth(forward=forward - h)) / 2e-3
        step = 1e-4 * level
        lifted = (worth(volatility=level + step) - worth(volatility=level - step)) / (2 * step)
        assert deltas[2] == pytest.approx(bumped, abs=2e-6)
        assert vega == pytest.approx(lifted, rel=1e-4, abs=2e-4)


def test_what_cannot_be_priced_is_refused_by_name():
    for change, error, field in (
        ({"correlation": 1.1}, PricingError, "correlation"),
        ({"first": replace(FIRST, forward=np.full(21, -1.0))}, NonPositivePrice, "first"),
        ({"second": replace(SECOND, times=-DAYS)}, PricingError, "times"),
    ):
        with pytest.raises(error, match=field):
            average_spread_option(BLACK, **{**CASE, **change})
    with pytest.raises(PricingError, match="model"):
        average_spread_option(PriceModel.DISPLACED_BLACK, **CASE)
