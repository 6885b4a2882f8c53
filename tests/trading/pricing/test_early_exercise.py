"""Early exercise: its limits, its order, what is refused, and QuantLib beside it."""

from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.pricing import (
    ModelChoice,
    NonPositivePrice,
    PriceModel,
    PricingError,
    american_option,
    bermudan_option,
    price_option,
)
from trading.pricing import _early_exercise_kernels as kernels

BLACK = ModelChoice(PriceModel.BLACK76)
NORMAL = ModelChoice(PriceModel.BACHELIER)
DISPLACED = ModelChoice(PriceModel.DISPLACED_BLACK, 40.0)
VOLATILITY = {BLACK: 0.4, NORMAL: 40.0, DISPLACED: 0.3}


def american(choice=BLACK, **changed):
    terms = {"forward": 100.0, "strike": 110.0, "expiry": 1.0, "volatility": VOLATILITY[choice],
             "rate": 0.08, "option": "PUT"} | changed  # fmt: skip
    terms.setdefault("discount", np.exp(-np.multiply(terms["rate"], terms["expiry"])))
    return american_option(choice, **terms)


@pytest.mark.parametrize("choice", [BLACK, DISPLACED, NORMAL])
def test_without_interest_or_with_a_payment_that_comes_later_for_it_nothing_is_gained(choice):
    forward = np.array([60.0, 100.0, 150.0])
    for rate in (0.0, -0.05):
        found = american(choice, forward=forward, rate=rate)
        european = price_option(
            choice, forward=forward, strike=110.0, expiry=1.0, volatility=VOLATILITY[choice],
            discount=np.exp(-rate), option="PUT",
        )  # fmt: skip

        for name in ("price", "delta", "gamma", "vega", "theta"):
            assert getattr(found, name) == pytest.approx(getattr(european, name)), name
        assert np.all(found.premium == 0) and np.all(found.error == 0)
        assert not found.is_best_now.any() and np.isnan(found.boundary).all()


@pytest.mark.parametrize("choice", [BLACK, DISPLACED, NORMAL])
def test_without_time_or_volatility_it_is_the_best_of_now_and_expiry(choice):
    forward = np.array([80.0, 110.0, 150.0])
    for still in ({"expiry": 0.0}, {"volatility": 0.0}):
        found = american(choice, forward=forward, **still)

        assert found.price == pytest.approx([30.0, 0.0, 0.0])
        discount = exp(-0.08) if still == {"volatility": 0.0} else 1.0
        assert found.delta == pytest.approx([-1.0, -0.5 * discount, 0.0])
        assert np.all(found.gamma == 0) and np.all(found.vega == 0) and np.all(found.theta == 0)


@pytest.mark.parametrize("choice", [BLACK, DISPLACED, NORMAL])
def test_deep_in_the_money_it_is_exercised_and_far_out_it_is_european(choice):
    found = american(choice, forward=np.array([1.0, 5000.0]), option=["PUT", "PUT"])

    assert found.price[0] == 109.0 and found.is_best_now[0]
    assert (found.delta[0], found.gamma[0], found.vega[0], found.theta[0]) == (-1.0, 0, 0, 0)
    assert found.premium[1] <= 1e-12
    # As many dates as there are: a deep option waits for the first of them.
    bermudan = bermudan_option(
        choice, forward=1.0, strike=110.0, times=[0.25, 0.5, 1.0], volatility=1e-4,
        discounts=[0.99, 0.97, 0.95], option="PUT",
    )  # fmt: skip
    assert float(bermudan.price) == pytest.approx(109 * 0.99)
    assert float(bermudan.exercise) == 0 and np.isnan(bermudan.boundary)


def test_what_is_paid_now_and_where_exercise_begins_are_told():
    found = american(forward=np.array([40.0, 75.0, 100.0]))

    assert found.exercise == pytest.approx([70.0, 35.0, 10.0])
    assert found.is_best_now.tolist() == [True, False, False]
    assert found.boundary == pytest.approx(np.full(3, found.boundary[0]))
    near = american(forward=found.boundary[0] * np.array([0.99, 1.01]))
    assert near.is_best_now.tolist() == [True, False]
    # Waiting a day costs a day's interest on what exercise pays.
    assert found.exercise[0] - found.hold[0] == pytest.approx(70 * 0.08 / 365, rel=0.01)
    assert found.grid.nodes == 513 and found.grid.steps == (33, 66, 132)
    assert np.all(found.error[1:] > 0) and np.all(found.error < 1e-3)


@pytest.mark.parametrize("choice", [BLACK, DISPLACED, NORMAL])
def test_greeks_are_what_the_price_does(choice):
    forward = np.array([85.0, 100.0, 130.0])
    sigma, h, k = VOLATILITY[choice], 1e-2, VOLATILITY[choice] * 1e-4

    found = american(choice, forward=forward)

    up, down = (american(choice, forward=forward + step) for step in (h, -h))
    assert found.delta == pytest.approx((up.price - down.price) / (2 * h), abs=1e-6)
    assert found.gamma == pytest.approx((up.delta - down.delta) / (2 * h), abs=1e-6)
    up, down = (american(choice, forward=forward, volatility=sigma + step) for step in (k, -k))
    assert found.vega == pytest.approx((up.price - down.price) / (2 * k), rel=1e-4)
    # A year less of time, with interest that passes: rate × price more than theta says.
    up, down = (american(choice, forward=forward, expiry=1.0 + step) for step in (1e-3, -1e-3))
    assert found.theta + 0.08 * found.price == pytest.approx(
        (down.price - up.price) / 2e-3, rel=2e-3, abs=2e-3
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"forward": [1.0, -2.0]}, r"forward\[1\]"),
        ({"strike": 0.0}, "strike"),
        ({"expiry": [[1.0, -1.0]]}, r"expiry\[0, 1\]"),
        ({"volatility": float("nan")}, "volatility"),
        ({"volatility": [0.2, 11.0]}, r"volatility\[1\].*too large"),
        ({"rate": float("inf")}, "rate"),
        ({"rate": 1e4}, "rate"),
        ({"discount": 0.0}, "discount"),
        ({"option": ["PUT", "RIGHT"]}, r"option\[1\]"),
    ],
)
def test_an_argument_that_has_no_price_is_named_with_its_place(changed, words):
    with pytest.raises(PricingError, match=words) as refused:
        american(**({"discount": 1.0} | changed))

    assert isinstance(refused.value, NonPositivePrice) is (words in (r"forward\[1\]", "strike"))
    for dates, rule in (
        ({"times": 1.0}, "times"), ({"times": [1.0, -1.0]}, r"times\[1\]"),
        ({"times": [1.0, 2.0], "discounts": [1.0, 1.0, 1.0]}, "discounts"),
    ):  # fmt: skip
        with pytest.raises(PricingError, match=rule):
            bermudan_option(BLACK, forward=1.0, strike=1.0, volatility=0.2, **dates)


@given(
    x=st.floats(-1.0, 1.0), sigma=st.floats(0.05, 1.2), T=st.floats(0.02, 3.0),
    rate=st.floats(-0.02, 0.2), sign=st.sampled_from(["CALL", "PUT"]),
    choice=st.sampled_from([BLACK, DISPLACED, NORMAL]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_more_rights_are_worth_more(x, sigma, T, rate, sign, choice):
    F, K = 100.0 * exp(x), 100.0
    sigma *= 100.0 if choice is NORMAL else 1.0
    T = max(T, 0.03)
    terms = {"forward": F, "strike": K, "volatility": sigma, "option": sign}

    def dated(count, least=1):
        times = T * np.arange(least, count + 1) / count
        return bermudan_option(choice, times=times, discounts=np.exp(-rate * times), **terms)

    found = american_option(choice, expiry=T, rate=rate, discount=exp(-rate * T), **terms)
    few, many, only = dated(3), dated(12), dated(3, least=3)
    slack = 2 * (found.error + few.error + many.error) + 1e-9
    intrinsic = max(F - K if sign == "CALL" else K - F, 0.0)

    assert found.price >= many.price - slack >= few.price - 2 * slack
    assert few.price >= only.price == pytest.approx(float(found.european))
    assert found.price >= intrinsic * (1 - 1e-12) and found.price >= found.european
    assert found.price == max(found.price, found.exercise)
    wilder, longer = (
        american_option(choice, **(terms | {"volatility": sigma * grown}), expiry=T * later,
                        rate=rate, discount=exp(-rate * T * later))
        for grown, later in ((1.1, 1.0), (1.0, 1.1))
    )  # fmt: skip
    assert wilder.price >= found.price - slack - wilder.error
    if rate >= 0:  # else a payment that comes sooner may be the one worth less
        assert longer.price >= found.price - slack - longer.error
    mirrored = {"forward": K, "strike": F} if choice is not NORMAL else {"forward": 2 * K - F}
    other = "PUT" if sign == "CALL" else "CALL"
    twin = american_option(
        choice, **(terms | mirrored | {"option": other}), expiry=T, rate=rate,
        discount=exp(-rate * T),
    )  # fmt: skip
    assert twin.price == pytest.approx(float(found.price), abs=1e-9 * max(F, K))


def binomial(F, K, sigma, T, rate, sign, exercised, steps=1200):
    """Price by a tree of normal moves; `exercised` says at which of its steps."""
    h = sigma * sqrt(T / steps)
    prices = F + h * np.arange(-steps, steps + 1, 2)
    worth = np.maximum(sign * (prices - K), 0.0) * exp(-rate * T)
    for n in range(steps - 1, -1, -1):
        prices = prices[:-1] + h
        worth = 0.5 * (worth[1:] + worth[:-1])
        if exercised(n):
            paid = np.maximum(sign * (prices - K), 0.0) * exp(-rate * T * n / steps)
            worth = np.maximum(worth, paid)
    return worth[0]


def test_a_tree_of_normal_moves_comes_to_the_same():
    for F, sign, word in ((-20.0, -1, "PUT"), (30.0, 1, "CALL"), (5.0, 1, "CALL")):
        terms = {"forward": F, "strike": 5.0, "volatility": 30.0, "option": word}
        found = american_option(NORMAL, expiry=0.8, rate=0.1, discount=exp(-0.08), **terms)
        times = np.array([0.2, 0.4, 0.6, 0.8])
        dated = bermudan_option(NORMAL, times=times, discounts=np.exp(-0.1 * times), **terms)

        tree = binomial(F, 5.0, 30.0, 0.8, 0.1, sign, lambda n: True)
        quarters = binomial(F, 5.0, 30.0, 0.8, 0.1, sign, lambda n: n and n % 300 == 0)
        # The tree's own error is some hundredth of its move, 0.77.
        assert float(found.price) == pytest.approx(tree, abs=6e-3)
        assert float(dated.price) == pytest.approx(quarters, abs=6e-3)
        assert found.premium > 1e-2


def quantlib_process(ql, today, F, sigma, rate):
    days = ql.Actual365Fixed()
    rates = ql.YieldTermStructureHandle(ql.FlatForward(today, rate, days))
    flat = ql.BlackConstantVol(today, ql.NullCalendar(), sigma, days)
    return ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(F)), rates, rates, ql.BlackVolTermStructureHandle(flat)
    )


def test_quantlib_prices_two_thousand_american_options_alike():
    ql = pytest.importorskip("QuantLib")
    rng, n = np.random.default_rng(21), 2_000
    today = ql.Date(2, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    F, K = rng.uniform(20.0, 200.0, (2, n))
    days, sigma = rng.integers(3, 1100, n), rng.uniform(0.05, 1.2, n)
    rate, word = rng.uniform(0.001, 0.12, n), rng.choice(["CALL", "PUT"], n)
    scheme = ql.QdFpAmericanEngine.accurateScheme()

    found = american_option(
        BLACK, forward=F, strike=K, expiry=days / 365, volatility=sigma, rate=rate,
        discount=np.exp(-rate * days / 365), option=word,
    )  # fmt: skip

    theirs = np.empty(n)
    for i in range(n):
        side = ql.Option.Call if word[i] == "CALL" else ql.Option.Put
        one = ql.VanillaOption(
            ql.PlainVanillaPayoff(side, float(K[i])),
            ql.AmericanExercise(today, today + int(days[i])),
        )
        process = quantlib_process(ql, today, float(F[i]), float(sigma[i]), float(rate[i]))
        one.setPricingEngine(ql.QdFpAmericanEngine(process, scheme))
        theirs[i] = one.NPV()
    miss = np.abs(found.price - theirs)
    worst = int(np.argmax(miss / np.maximum(F, K)))
    case = {name: row[worst] for name, row in
            {"F": F, "K": K, "days": days, "sigma": sigma, "rate": rate, "word": word,
             "ours": found.price, "theirs": theirs}.items()}  # fmt: skip
    assert miss[worst] <= 5e-5 * max(F[worst], K[worst]), case
    assert np.sqrt(np.mean((miss / K) ** 2)) < 5e-6
    # The error that is told holds for nearly all, and is no empty promise.
    told = found.error > 0
    assert np.mean(miss[told] <= found.error[told]) > 0.99
    assert np.median(found.error[told] / K[told]) < 1e-5


def test_quantlib_prices_bermudan_options_alike():
    ql = pytest.importorskip("QuantLib")
    rng, n = np.random.default_rng(22), 200
    today = ql.Date(2, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    F, K = rng.uniform(40.0, 160.0, (2, n))
    sigma, rate = rng.uniform(0.15, 0.9, n), rng.uniform(0.01, 0.12, n)
    word, step = rng.choice(["CALL", "PUT"], n), rng.integers(5, 90, n)
    days = step[:, None] * np.arange(1, 7)

    found = bermudan_option(
        BLACK, forward=F, strike=K, times=days / 365, volatility=sigma,
        discounts=np.exp(-rate[:, None] * days / 365), option=word,
    )  # fmt: skip

    for i in range(n):
        side = ql.Option.Call if word[i] == "CALL" else ql.Option.Put
        dates = [today + int(day) for day in days[i]]
        one = ql.VanillaOption(ql.PlainVanillaPayoff(side, float(K[i])), ql.BermudanExercise(dates))
        process = quantlib_process(ql, today, float(F[i]), float(sigma[i]), float(rate[i]))
        one.setPricingEngine(ql.FdBlackScholesVanillaEngine(process, 100, 160, 0))
        theirs = one.NPV()
        # Their grid's own error at the strike is some 2e-4 of it.
        assert found.price[i] == pytest.approx(theirs, abs=3e-4 * max(F[i], K[i])), (
            F[i], K[i], sigma[i], rate[i], word[i], step[i],
        )  # fmt: skip


@pytest.mark.parametrize("always", [True, False])
@pytest.mark.parametrize("black", [True, False])
def test_kernels_equal_their_python(always, black):
    """Coverage sees no compiled line; so small a grid that Python takes it too."""
    S, y = np.array([0.09]), np.array([-0.4])
    ends = np.array([[0.5], [1.0]]) if not always else np.array([[0.99], [1.0]])
    gains = np.array([[0.05], [0.1]])
    now = np.array([exp(0.1) if always else 0.0])
    pieces = np.array([2, 1])
    answers = []
    for kernel in (kernels.premium_rows, kernels.premium_rows.py_func):
        out, probes = np.empty((6, 1)), np.full((2, 6, 1), np.nan)
        kernel(S, y, now, ends, gains, pieces, always, black, 16, out, probes)
        answers.append((out, probes))
    (by_machine, places), (by_python, again) = answers
    assert by_machine == pytest.approx(by_python, rel=1e-9, abs=1e-12)
    assert places == pytest.approx(again, rel=1e-9, abs=1e-12, nan_ok=True)
    work, kept = np.empty((2, 33 * 6 * 16))
    terms = np.zeros(6 * 16)
    kernels.lay_out.py_func(work, 16, 0, S, black)
    kernels.solve.py_func(work, kept, 16, 0, S, ends, gains, pieces, 1, always, black)
    kernels.step.py_func(work, 33, terms)
    kernels.exercise.py_func(work, 33, terms)
    found = np.empty(4)
    kernels.read.py_func(work, 16, 0, 3, 9.5, found)
    assert np.isfinite(found).all()
    assert kernels.last_exercised.py_func(work, 16, 0, 0.0) == 0
    assert kernels.reach.py_func(36.0) == pytest.approx(9.0)
    assert log(kernels.reach(0.0)) == log(8.0)
