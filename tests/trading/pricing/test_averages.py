"""Average options: published numbers, QuantLib, limits, bounds, derivatives, simulation."""

from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.pricing import (
    ModelChoice,
    NonPositivePrice,
    OptionType,
    PriceModel,
    PricingError,
    average_option,
    bachelier,
    black76,
    levy_average_option,
    normal_average_option,
    price_average_option,
    simulate_average_option,
)

ORACLES = Path("/work/shared/data/oracles/trading_risk.json")
CALL, PUT = OptionType.CALL, OptionType.PUT
MONTH = np.arange(1, 22) / 252.0 + 0.25

fixings = st.integers(1, 12)
prices = st.floats(5.0, 300.0)
vols = st.floats(0.02, 1.2)


@st.composite
def terms(draw):
    """Draw one trade with its own forward, time and volatility a fixing, part of it realised."""
    count = draw(fixings)

    def row(values):
        return np.array(draw(st.lists(values, min_size=count, max_size=count)))

    past = draw(st.integers(0, 5))
    return {
        "forward": row(prices), "times": row(st.floats(0.0, 2.0)), "volatility": row(vols),
        "strike": draw(st.floats(1.0, 300.0)), "weight": 1.0 / (count + past),
        "fixed": draw(prices) * past / (count + past), "discount": draw(st.floats(0.7, 1.0)),
    }  # fmt: skip


@given(terms())
def test_call_less_put_is_the_discounted_average_less_the_strike(trade):
    call, put = (average_option(**trade, option=option) for option in (CALL, PUT))

    average = trade["fixed"] + trade["weight"] * trade["forward"].sum()
    parity = trade["discount"] * (average - trade["strike"])
    assert float(call.price - put.price) == pytest.approx(parity, abs=1e-9)
    assert call.gamma == pytest.approx(put.gamma, abs=1e-9)
    assert call.vega == pytest.approx(put.vega, abs=1e-9)
    total = trade["discount"] * trade["weight"] * len(trade["forward"])
    assert float(call.delta - put.delta) == pytest.approx(total, abs=1e-9)
    assert float(call.fixing_delta.sum()) == pytest.approx(float(call.delta), abs=1e-9)


@given(terms(), st.sampled_from(OptionType))
def test_lies_between_its_payoff_forward_and_the_european_options_of_its_fixings(trade, option):
    value = average_option(**trade, option=option)

    sign = 1.0 if option is CALL else -1.0
    average = trade["fixed"] + trade["weight"] * trade["forward"].sum()
    intrinsic = max(trade["discount"] * sign * (average - trade["strike"]), 0.0)
    assert float(value.price) >= intrinsic - 1e-9
    for figure in (value.price, value.delta, value.gamma, value.vega, value.deviation):
        assert np.isfinite(figure)
    assert float(value.gamma) >= -1e-9 or np.ptp(trade["forward"]) > 0


@given(prices, prices, vols, st.lists(st.floats(0.01, 2.0), min_size=1, max_size=12))
def test_on_a_flat_curve_an_average_is_worth_no_more_than_its_latest_fixing(
    forward, strike, volatility, times
):
    average = average_option(forward=forward, strike=strike, times=times, volatility=volatility)
    european = black76(forward=forward, strike=strike, expiry=max(times), volatility=volatility)

    assert float(average.price) <= float(european.price) + 1e-9
    # Black-76 knows a delta to 1e-16 of one, not of itself.
    assert float(average.delta) >= -1e-12


@given(terms(), st.floats(0.001, 0.5))
def test_more_volatility_is_worth_no_less(trade, more):
    higher = trade | {"volatility": trade["volatility"] + more}

    assert float(average_option(**higher).price) >= float(average_option(**trade).price) - 1e-9


@given(terms(), st.randoms(use_true_random=False))
def test_the_order_of_fixings_and_one_without_weight_change_nothing(trade, random):
    count = len(trade["forward"])
    order = random.sample(range(count), count)
    plain = average_option(**trade)
    rows = {name: np.append(trade[name][order], 7.0 if name != "volatility" else 0.3)
            for name in ("forward", "times", "volatility")}  # fmt: skip
    rows["weight"] = np.append(np.full(count, trade["weight"]), 0.0)

    padded = average_option(**trade | rows)

    assert float(padded.price) == pytest.approx(float(plain.price), rel=1e-12, abs=1e-12)
    assert padded.fixing_delta[:-1] == pytest.approx(plain.fixing_delta[order], abs=1e-10)
    assert padded.fixing_delta[-1] == 0.0


@given(prices, prices, st.just(0.0) | st.floats(1e-6, 3.0), vols, st.sampled_from(OptionType))
def test_one_fixing_is_black76(forward, strike, time, volatility, option):
    average = average_option(
        forward=[forward], strike=strike, times=[time], volatility=[volatility], option=option
    )
    black = black76(
        forward=forward, strike=strike, expiry=time, volatility=volatility, option=option
    )

    for name in ("price", "delta", "gamma", "vega"):
        expected = float(getattr(black, name))
        assert float(getattr(average, name)) == pytest.approx(expected, rel=1e-9, abs=1e-9), name


@pytest.mark.parametrize(("option", "sign"), [(CALL, 1.0), (PUT, -1.0)])
@pytest.mark.parametrize("strike", [70.0, 80.0, 84.0, 100.0])
def test_derivatives_equal_central_differences(option, sign, strike):
    curve = 80.0 + 6.0 * np.cos(np.arange(21) / 4.0)
    smile = 0.6 - 0.01 * np.arange(21)

    def price(shift=0.0, more=0.0, only=slice(None)):
        moved = curve.copy()
        moved[only] += shift
        return float(
            average_option(
                forward=moved, strike=strike, times=MONTH, volatility=smile + more,
                weight=1.0 / 30.0, fixed=23.5, discount=0.97, option=option,
            ).price
        )  # fmt: skip

    value = average_option(
        forward=curve, strike=strike, times=MONTH, volatility=smile, weight=1.0 / 30.0,
        fixed=23.5, discount=0.97, option=option,
    )  # fmt: skip
    h, k = 1e-2, 1e-4

    assert float(value.delta) == pytest.approx((price(h) - price(-h)) / (2 * h), rel=1e-6)
    assert float(value.gamma) == pytest.approx(
        (price(h) - 2 * price() + price(-h)) / h**2, rel=1e-4
    )
    assert float(value.vega) == pytest.approx((price(0, k) - price(0, -k)) / (2 * k), rel=1e-6)
    for n in (0, 7, 20):
        slope = (price(h, only=n) - price(-h, only=n)) / (2 * h)
        assert value.fixing_delta[n] == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize(
    ("option", "worth", "delta"),
    [(CALL, [0.0, 0.0, 5.0], [0.0, 0.25, 0.5]), (PUT, [5.0, 0.0, 0.0], [-0.5, -0.25, 0.0])],
)
@pytest.mark.parametrize(("time", "volatility"), [(0.0, 0.5), (0.3, 0.0), (0.0, 0.0)])
def test_equals_the_discounted_payoff_without_time_or_volatility(
    option, worth, delta, time, volatility
):
    # Half of the average is realised at 40, half is still at 50: the average is 45.
    value = average_option(
        forward=np.full(4, 50.0), strike=[55.0, 45.0, 35.0], times=time, volatility=volatility,
        weight=0.125, fixed=20.0, discount=0.5, option=option,
    )  # fmt: skip

    assert value.price == pytest.approx(worth)
    assert value.delta == pytest.approx(np.array(delta) / 2.0)
    assert not (value.gamma.any() or value.vega.any())


def test_a_realised_part_beyond_the_strike_leaves_a_forward():
    terms = {"forward": [50.0, 60.0], "strike": 30.0, "times": [0.1, 0.2], "volatility": 0.8,
             "weight": 0.25, "fixed": 35.0, "discount": 0.9}  # fmt: skip

    call, put = average_option(**terms), average_option(**terms, option=PUT)

    assert float(call.price) == pytest.approx(0.9 * (35.0 + 27.5 - 30.0))
    assert call.fixing_delta == pytest.approx([0.225, 0.225])
    assert (float(call.gamma), float(call.vega)) == (0.0, 0.0)
    assert (float(put.price), float(put.delta)) == (0.0, 0.0)


def test_calls_and_puts_stand_in_one_array():
    terms = {"forward": [50.0, 60.0], "times": [0.1, 0.2], "volatility": 0.8}

    mixed = average_option(**terms, strike=[[50.0], [60.0]], option=[CALL, PUT])

    assert mixed.fixing_delta.shape == (2, 2, 2)
    for column, option in enumerate((CALL, PUT)):
        alone = average_option(**terms, strike=[50.0, 60.0], option=option)
        assert mixed.price[:, column] == pytest.approx(alone.price)
        assert mixed.fixing_delta[:, column] == pytest.approx(alone.fixing_delta)


@pytest.mark.parametrize(("option", "worth"), [(CALL, [5.4, 0.0]), (PUT, [0.0, 3.6])])
def test_an_average_wholly_realised_is_its_discounted_payoff(option, worth):
    value = average_option(
        forward=50.0, strike=[44.0, 54.0], times=[0.1, 0.2], volatility=0.4, weight=0.0,
        fixed=50.0, discount=0.9, option=option,
    )  # fmt: skip

    assert value.price == pytest.approx(worth)
    assert not (value.delta.any() or value.gamma.any() or value.vega.any())
    assert not value.fixing_delta.any()


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [({"forward": [50.0, -1.0]}, NonPositivePrice, r"forward\[1\]: -1.0"),
     ({"times": [0.1, -0.2]}, PricingError, r"times\[1\]: -0.2"),
     ({"volatility": [0.1, np.nan]}, PricingError, r"volatility\[1\]: nan"),
     ({"weight": [0.1, -0.5]}, PricingError, r"weight\[1\]: -0.5"),
     ({"strike": np.inf}, PricingError, "strike: inf"),
     ({"fixed": np.nan}, PricingError, "fixed: nan"),
     ({"discount": 0.0}, PricingError, "discount: 0.0"),
     ({"volatility": 80.0}, PricingError, "too large"),
     ({"forward": 50.0, "times": 0.1, "volatility": 0.1}, PricingError, "axis of fixings")],
)  # fmt: skip
def test_names_what_it_cannot_take(change, error, words):
    whole = {"forward": [50.0, 51.0], "strike": 50.0, "times": [0.1, 0.2], "volatility": 0.3}

    with pytest.raises(error, match=words):
        average_option(**whole | change)


@given(terms(), st.sampled_from(OptionType), st.floats(-100.0, 100.0))
def test_normal_averages_are_exact_and_take_either_sign(trade, option, shift):
    trade = trade | {
        "forward": trade["forward"] - 150.0, "strike": trade["strike"] - 150.0,
        "volatility": trade["volatility"] * 50.0,
    }  # fmt: skip
    value = normal_average_option(**trade, option=option)

    # One Bachelier on the average's own mean and deviation, by all pairs of fixings.
    v = trade["volatility"] ** 2 * trade["times"]
    deviation = trade["weight"] * np.sqrt(np.minimum.outer(v, v).sum())
    mean = trade["weight"] * trade["forward"].sum() + trade["fixed"]
    single = bachelier(
        forward=mean, strike=trade["strike"], expiry=1.0, volatility=deviation,
        discount=trade["discount"], option=option,
    )  # fmt: skip
    assert float(value.price) == pytest.approx(float(single.price), rel=1e-9, abs=1e-7)
    assert float(value.deviation) == pytest.approx(deviation, rel=1e-9)
    assert float(value.fixing_delta.sum()) == pytest.approx(float(value.delta), abs=1e-9)
    # Moving forwards, what is realised and strike together moves nothing.
    total = trade["weight"] * len(trade["forward"])
    moved = normal_average_option(
        **trade | {"forward": trade["forward"] + shift, "strike": trade["strike"] + shift * total},
        option=option,
    )
    assert float(moved.price) == pytest.approx(float(value.price), abs=1e-6)


def test_normal_derivatives_equal_central_differences():
    curve, normal = 5.0 + 20.0 * np.cos(np.arange(21)), 40.0 - np.arange(21.0)

    def price(shift=0.0, more=0.0):
        return float(
            normal_average_option(
                forward=curve + shift, strike=2.0, times=MONTH, volatility=normal + more,
                weight=1.0 / 30.0, fixed=-1.0, discount=0.97, option=PUT,
            ).price
        )  # fmt: skip

    value = normal_average_option(
        forward=curve, strike=2.0, times=MONTH, volatility=normal, weight=1.0 / 30.0, fixed=-1.0,
        discount=0.97, option=PUT,
    )  # fmt: skip
    h = 1e-2
    assert float(value.delta) == pytest.approx((price(h) - price(-h)) / (2 * h), rel=1e-6)
    assert float(value.gamma) == pytest.approx(
        (price(h) - 2 * price() + price(-h)) / h**2, rel=1e-4
    )
    assert float(value.vega) == pytest.approx((price(0, h) - price(0, -h)) / (2 * h), rel=1e-6)
    assert value.fixing_delta == pytest.approx(np.full(21, float(value.delta) / 21))


def test_the_chosen_model_prices_the_average():
    trade = {"forward": [50.0, 60.0], "strike": 54.0, "times": [0.1, 0.3], "volatility": 0.5,
             "weight": 0.3, "fixed": 20.0}  # fmt: skip

    black = price_average_option(ModelChoice(PriceModel.BLACK76), **trade)
    assert float(black.price) == float(average_option(**trade).price)
    normal = trade | {"volatility": 25.0}
    chosen = price_average_option(ModelChoice(PriceModel.BACHELIER), **normal)
    assert float(chosen.price) == float(normal_average_option(**normal).price)
    # Far displaced, a lognormal of the sum is nearly normal.
    far = price_average_option(
        ModelChoice(PriceModel.DISPLACED_BLACK, 1e5), **trade | {"volatility": 25.0 / 1e5}
    )
    assert float(far.price) == pytest.approx(float(chosen.price), rel=1e-3)
    assert float(far.delta) == pytest.approx(float(chosen.delta), rel=1e-3)
    # Displaced, forwards below zero have a price, and the same as by hand.
    below = price_average_option(
        ModelChoice(PriceModel.DISPLACED_BLACK, 100.0),
        **trade | {"forward": [-20.0, 60.0], "strike": 30.0},
    )
    by_hand = average_option(**trade | {"forward": [80.0, 160.0], "strike": 90.0})
    assert float(below.price) == pytest.approx(float(by_hand.price))
    with pytest.raises(NonPositivePrice, match=r"forward\[0\]: -20.0"):
        price_average_option(ModelChoice(PriceModel.BLACK76), **trade | {"forward": [-20.0, 60.0]})


def test_numbers_beyond_64_bits_are_refused():
    with pytest.raises(PricingError, match="beyond 64-bit"), np.errstate(all="ignore"):
        average_option(forward=[1e-310, 1e-310], strike=50.0, times=1.0, volatility=0.3)


# --- Levy -----------------------------------------------------------------------------------


levy_terms = st.fixed_dictionaries(
    {"spot": prices, "strike": prices, "length": st.floats(0.05, 2.0), "volatility": vols,
     "carry": st.floats(-0.2, 0.2), "average": prices, "discount": st.floats(0.7, 1.0)}
)  # fmt: skip


@given(levy_terms, st.floats(0.0, 1.0))
def test_levy_equals_its_published_formula_and_parity(trade, share):
    trade["remaining"] = share * trade["length"]
    call, put = (levy_average_option(**trade, option=option) for option in (CALL, PUT))

    open_mean = trade["spot"] * _growth(trade["carry"], trade["remaining"]) / trade["length"]
    passed = trade["average"] * (1.0 - share)
    parity = trade["discount"] * (open_mean + passed - trade["strike"])
    assert float(call.price - put.price) == pytest.approx(parity, abs=1e-8)
    assert float(call.price) >= max(parity, 0.0) - 1e-9
    if share > 0.01 and abs(trade["carry"]) > 0.01:
        expected = _levy_second_moment(**{k: trade[k] for k in
            ("spot", "length", "remaining", "volatility", "carry")})  # fmt: skip
        found = np.exp(call.deviation**2) * call.mean**2
        assert float(found) == pytest.approx(expected, rel=1e-7)


def test_levy_has_its_limits():
    known = {"spot": 50.0, "strike": 48.0, "length": 1.0, "volatility": 0.4, "average": 52.0}

    over = levy_average_option(**known, remaining=0.0, discount=0.9)
    assert (float(over.price), float(over.delta)) == (pytest.approx(3.6), 0.0)
    still = levy_average_option(**known | {"volatility": 0.0}, remaining=0.5, discount=0.9)
    assert float(still.price) == pytest.approx(0.9 * 3.0)
    beyond = levy_average_option(**known | {"average": 120.0}, remaining=0.5)
    assert float(beyond.price) == pytest.approx(60.0 + 25.0 - 48.0)
    # Neither carry nor variance of a carry that offsets it is a hole in the formula.
    for carry in (0.0, -0.16, -0.08, 1e-9):
        assert float(levy_average_option(**known, carry=carry, remaining=0.5).price) > 0
    with pytest.raises(PricingError, match=r"remaining: 1.5"):
        levy_average_option(**known, remaining=1.5)


@pytest.mark.parametrize("option", list(OptionType))
def test_levy_derivatives_equal_central_differences(option):
    def value(spot=100.0, volatility=0.35):
        return levy_average_option(
            spot=spot, strike=102.0, length=0.75, remaining=0.5, volatility=volatility,
            carry=0.05, average=98.0, discount=0.95, option=option,
        )  # fmt: skip

    h, k = 1e-2, 1e-4
    up, mid, down = (float(value(100.0 + s * h).price) for s in (1, 0, -1))

    assert float(value().delta) == pytest.approx((up - down) / (2 * h), rel=1e-6)
    assert float(value().gamma) == pytest.approx((up - 2 * mid + down) / h**2, rel=1e-4)
    slope = (float(value(volatility=0.35 + k).price) - float(value(volatility=0.35 - k).price)) / (
        2 * k
    )
    assert float(value().vega) == pytest.approx(slope, rel=1e-6)


def test_many_fixings_tend_to_the_continuous_average():
    times = (np.arange(4000) + 0.5) / 4000 * 0.75
    discrete = average_option(
        forward=100.0 * np.exp(0.05 * times), strike=105.0, times=times, volatility=0.35
    )
    continuous = levy_average_option(
        spot=100.0, strike=105.0, length=0.75, remaining=0.75, volatility=0.35, carry=0.05
    )

    assert float(discrete.price) == pytest.approx(float(continuous.price), rel=1e-6)
    assert float(discrete.vega) == pytest.approx(float(continuous.vega), rel=1e-6)


# --- Simulation -----------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(
    st.floats(0.02, 0.15), st.floats(0.9, 1.1), st.sampled_from(OptionType), st.integers(0, 2**31)
)
def test_simulation_agrees_with_the_moments_at_low_volatility(volatility, ratio, option, seed):
    trade = {"forward": 50.0 + 3.0 * np.sin(np.arange(21)), "strike": 50.0 * ratio,
             "times": MONTH, "volatility": volatility, "option": option}  # fmt: skip

    found = simulate_average_option(**trade, scenarios=2000, generator=np.random.default_rng(seed))

    matched = float(average_option(**trade).price)
    # At these volatilities the lognormal is within 1e-4 of the average's true law.
    assert found.value == pytest.approx(matched, abs=4.5 * found.standard_error + 1e-4)
    assert (found.seed, found.paths) == (seed, 2000)


def test_the_error_of_the_simulation_is_its_error_and_the_control_pays():
    trade = {"forward": np.full(12, 60.0), "strike": 62.0, "times": np.arange(1, 13) / 12.0,
             "volatility": 0.8, "discount": 0.95}  # fmt: skip
    exact = simulate_average_option(**trade, scenarios=400_000, generator=np.random.default_rng(99))

    found = [
        simulate_average_option(**trade, scenarios=400, generator=np.random.default_rng(seed))
        for seed in range(300)
    ]

    errors = np.array([one.value - exact.value for one in found])
    stated = np.mean([one.standard_error for one in found])
    assert errors.std() == pytest.approx(stated, rel=0.15)
    assert abs(errors.mean()) < 4.0 * stated / np.sqrt(300)
    # The plain payoff has a deviation of some 23 a path: 1.2 for 400 of them.
    assert stated < 0.2


def test_simulation_knows_the_same_limits():
    known = {"forward": [50.0, 60.0], "strike": 30.0, "times": [0.1, 0.2], "volatility": 0.8,
             "weight": 0.25, "discount": 0.9, "scenarios": 400}  # fmt: skip

    beyond = simulate_average_option(**known, fixed=35.0, generator=np.random.default_rng(1))
    assert beyond.value == pytest.approx(0.9 * 32.5, abs=4 * beyond.standard_error)
    nothing = simulate_average_option(
        **known, fixed=35.0, option=PUT, generator=np.random.default_rng(1)
    )
    assert (nothing.value, nothing.standard_error) == (0.0, 0.0)
    over = simulate_average_option(
        **known | {"weight": 0.0}, fixed=35.0, generator=np.random.default_rng(1)
    )
    assert (over.value, over.standard_error) == (pytest.approx(4.5), 0.0)
    still = simulate_average_option(
        **known | {"volatility": 0.0}, fixed=10.0, generator=np.random.default_rng(1)
    )
    assert (still.value, still.standard_error) == (pytest.approx(0.9 * 7.5), pytest.approx(0.0))
    with pytest.raises(PricingError, match="scenarios: 402"):
        simulate_average_option(**known | {"scenarios": 402}, generator=np.random.default_rng(1))
    with pytest.raises(PricingError, match="one trade has one"):
        simulate_average_option(
            **known | {"strike": [1.0, 2.0]}, generator=np.random.default_rng(1)
        )


# --- Oracles --------------------------------------------------------------------------------


@pytest.mark.skipif(not ORACLES.exists(), reason="the shared reference cases are not here")
@pytest.mark.parametrize("topic", ["asian_turnbull_wakeman", "apo_turnbull_wakeman", "asian_levy"])
def test_answers_the_reference_cases(topic):
    call_command("validate_models", str(ORACLES), topic=[topic])


def test_quantlib_agrees_on_2000_averages_of_fixings():
    ql = pytest.importorskip("QuantLib")
    random = np.random.default_rng(2024)
    today = ql.Date(15, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    days = ql.Actual360()
    rate = 0.04
    flat = ql.YieldTermStructureHandle(ql.FlatForward(today, rate, days))
    for _ in range(2000):
        count = int(random.integers(1, 16))
        ahead = np.sort(random.choice(np.arange(1, 400), count, replace=False))
        forward, strike = random.uniform(20.0, 150.0), random.uniform(15.0, 180.0)
        past = int(random.integers(0, 6))
        realized = float(random.uniform(20.0, 150.0, past).sum())
        # Total variance must rise, or QuantLib's is no covariance of prices.
        rising = np.cumsum(random.uniform(0.05, 1.0, count) ** 2 * np.diff(ahead, prepend=0))
        sigma = np.sqrt(rising / ahead)
        option = CALL if random.random() < 0.5 else PUT
        dates = [today + int(d) for d in ahead]
        surface = ql.BlackVarianceCurve(today, dates, [float(s) for s in sigma], days, False)
        process = ql.BlackProcess(
            ql.QuoteHandle(ql.SimpleQuote(forward)), flat, ql.BlackVolTermStructureHandle(surface)
        )
        kind = ql.Option.Call if option is CALL else ql.Option.Put
        their = ql.DiscreteAveragingAsianOption(
            ql.Average.Arithmetic, realized, past, dates, ql.PlainVanillaPayoff(kind, strike),
            ql.EuropeanExercise(dates[-1]),
        )  # fmt: skip
        their.setPricingEngine(ql.TurnbullWakemanAsianEngine(process))

        ours = average_option(
            forward=forward, strike=strike, times=ahead / 360.0, volatility=sigma,
            weight=1.0 / (count + past), fixed=realized / (count + past),
            discount=np.exp(-rate * ahead[-1] / 360.0), option=option,
        )  # fmt: skip

        case = (forward, strike, past, realized, option, ahead, sigma)
        assert float(ours.price) == pytest.approx(their.NPV(), rel=1e-9, abs=1e-9), case


def test_quantlib_agrees_on_2000_continuous_averages():
    ql = pytest.importorskip("QuantLib")
    random = np.random.default_rng(2025)
    today = ql.Date(15, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    days = ql.Actual360()
    for _ in range(2000):
        left = int(random.integers(5, 500))
        passed = int(random.integers(0, 200))
        spot, average = random.uniform(20.0, 150.0, 2)
        begun = passed / (left + passed)
        # QuantLib's formula has no answer where the realised part is beyond the strike.
        strike = begun * average + random.uniform(5.0, 150.0)
        rate, dividend = random.uniform(0.0, 0.12, 2)
        sigma = random.uniform(0.05, 1.0)
        option = CALL if random.random() < 0.5 else PUT

        def handle(level):
            return ql.YieldTermStructureHandle(ql.FlatForward(today, float(level), days))

        process = ql.BlackScholesMertonProcess(
            ql.QuoteHandle(ql.SimpleQuote(spot)), handle(dividend), handle(rate),
            ql.BlackVolTermStructureHandle(
                ql.BlackConstantVol(today, ql.NullCalendar(), float(sigma), days)
            ),
        )  # fmt: skip
        kind = ql.Option.Call if option is CALL else ql.Option.Put
        their = ql.ContinuousAveragingAsianOption(
            ql.Average.Arithmetic, today - passed, ql.PlainVanillaPayoff(kind, strike),
            ql.EuropeanExercise(today + left),
        )  # fmt: skip
        their.setPricingEngine(
            ql.ContinuousArithmeticAsianLevyEngine(
                process, ql.QuoteHandle(ql.SimpleQuote(average)), today - passed
            )
        )

        ours = levy_average_option(
            spot=spot, strike=strike, length=(left + passed) / 360.0, remaining=left / 360.0,
            volatility=sigma, carry=rate - dividend, average=average,
            discount=np.exp(-rate * left / 360.0), option=option,
        )  # fmt: skip

        case = (spot, strike, left, passed, average, rate, dividend, sigma, option)
        assert float(ours.price) == pytest.approx(their.NPV(), rel=1e-7, abs=1e-7), case


def _growth(carry, time):
    return time if abs(carry) < 1e-12 else np.expm1(carry * time) / carry


def _levy_second_moment(*, spot, length, remaining, volatility, carry):
    """Follow Levy's closed form of E[A²], which has holes where a rate is zero."""
    b, v = carry, volatility**2
    if abs(b + v) < 1e-3 or abs(2 * b + v) < 1e-3:
        pytest.skip("a hole of the closed form")
    both = _growth(2 * b + v, remaining) - _growth(b, remaining)
    return 2.0 * spot**2 / length**2 * both / (b + v)
