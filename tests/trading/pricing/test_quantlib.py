"""QuantLib as an independent checker: 2,000 random cases for each closed formula."""

from math import sqrt

import numpy as np
import pytest

from trading.pricing import (
    ModelChoice,
    PriceModel,
    bachelier,
    bachelier_implied_volatility,
    black76,
    black76_implied_volatility,
    cap_floor,
    displaced_black,
    kirk_spread,
    margrabe,
    spread_option,
    swaption,
)

ql = pytest.importorskip("QuantLib")
N = 2_000
DAYS = 365
WORDS = {"CALL": ql.Option.Call, "PUT": ql.Option.Put}


def random_options(seed: int, **more: np.ndarray) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "forward": rng.uniform(5, 300, N), "strike": rng.uniform(5, 300, N),
        "expiry": rng.uniform(0.01, 4, N), "discount": rng.uniform(0.7, 1, N),
        "option": rng.choice(["CALL", "PUT"], N),
    }  # fmt: skip


def cases(terms):
    """Each case as plain numbers, so that a failure prints its inputs."""
    for i in range(N):
        yield i, {name: row[i].item() for name, row in terms.items()}


def test_black76_with_greeks():
    terms = random_options(1) | {"volatility": np.random.default_rng(2).uniform(0.02, 2, N)}

    found = black76(**terms)

    for i, case in cases(terms):
        payoff = ql.PlainVanillaPayoff(WORDS[case["option"]], case["strike"])
        deviation = case["volatility"] * sqrt(case["expiry"])
        theirs = ql.BlackCalculator(payoff, case["forward"], deviation, case["discount"])
        assert found.price[i] == pytest.approx(theirs.value(), abs=1e-10), case
        assert found.delta[i] == pytest.approx(theirs.deltaForward(), abs=1e-11), case
        assert found.gamma[i] == pytest.approx(theirs.gammaForward(), abs=1e-10), case
        assert found.vega[i] == pytest.approx(theirs.vega(case["expiry"]), abs=1e-9), case


def test_bachelier():
    rng = np.random.default_rng(3)
    terms = random_options(4) | {
        "forward": rng.uniform(-200, 300, N), "strike": rng.uniform(-200, 300, N),
        "volatility": rng.uniform(0.5, 150, N),
    }  # fmt: skip

    found = bachelier(**terms)

    for i, case in cases(terms):
        theirs = ql.bachelierBlackFormula(
            WORDS[case["option"]], case["strike"], case["forward"],
            case["volatility"] * sqrt(case["expiry"]), case["discount"],
        )  # fmt: skip
        assert found.price[i] == pytest.approx(theirs, abs=1e-10), case


def test_displaced_black():
    rng = np.random.default_rng(5)
    terms = random_options(6) | {
        "forward": rng.uniform(-50, 300, N), "strike": rng.uniform(-50, 300, N),
        "volatility": rng.uniform(0.02, 1.5, N), "displacement": rng.uniform(51, 400, N),
    }  # fmt: skip

    found = displaced_black(**terms)

    for i, case in cases(terms):
        theirs = ql.blackFormula(
            WORDS[case["option"]], case["strike"], case["forward"],
            case["volatility"] * sqrt(case["expiry"]), case["discount"], case["displacement"],
        )  # fmt: skip
        assert found.price[i] == pytest.approx(theirs, abs=1e-10), case


def test_implied_volatilities():
    """Their inverses, on their own prices: where a price says its volatility to 1e-10."""
    terms = random_options(7) | {"volatility": np.random.default_rng(8).uniform(0.02, 2, N)}
    told = 0
    for _, case in cases(terms):
        sigma, root = case.pop("volatility"), sqrt(case["expiry"])
        numbers = (WORDS[case["option"]], case["strike"], case["forward"])
        black = ql.blackFormula(*numbers, sigma * root, case["discount"])
        normal = ql.bachelierBlackFormula(*numbers, 80 * sigma * root, case["discount"])
        if black76(**case, volatility=sigma).vega > 1e-2:
            told += 1
            found = float(black76_implied_volatility(**case, price=black))
            theirs = ql.blackFormulaImpliedStdDev(
                *numbers, black, case["discount"], 0.0, sigma * root, 1e-14, 1000
            )
            assert found == pytest.approx(sigma, abs=1e-10), case
            assert found == pytest.approx(theirs / root, abs=1e-7), case
        if bachelier(**case, volatility=80 * sigma).vega > 1e-2:
            found = float(bachelier_implied_volatility(**case, price=normal))
            theirs = ql.bachelierBlackFormulaImpliedVol(
                *numbers, case["expiry"], normal, case["discount"]
            )
            assert found == pytest.approx(80 * sigma, abs=1e-9), case
            assert found == pytest.approx(theirs, abs=1e-7), case
    assert told > N / 2


def test_caps_and_swaptions():
    """2,000 strips of three periods, of each a cap or floor and an option to enter."""
    rng = np.random.default_rng(9)
    shape = (N, 3)
    terms = {
        "forwards": rng.uniform(20, 150, shape), "volumes": rng.uniform(100, 800, shape),
        "discounts": rng.uniform(0.8, 1, shape),
    }  # fmt: skip
    strikes, expiry, sigma = (rng.uniform(a, b, N) for a, b in ((20, 150), (0.1, 2), (0.1, 1)))
    words = rng.choice(["CALL", "PUT"], N)
    choice = ModelChoice(PriceModel.BLACK76)

    caps = cap_floor(
        choice, **terms, strikes=strikes[:, None], expiries=expiry[:, None],
        volatilities=sigma[:, None], option=words[:, None],
    )  # fmt: skip
    options = swaption(
        choice, **terms, strike=strikes, expiry=expiry, volatility=sigma, option=words
    )

    for i in range(N):
        F, V, D = (terms[name][i].tolist() for name in ("forwards", "volumes", "discounts"))
        K, s, kind = strikes[i].item(), sigma[i] * sqrt(expiry[i]), WORDS[words[i]]
        strip = sum(v * ql.blackFormula(kind, K, f, s, d) for f, v, d in zip(F, V, D, strict=True))
        annuity = sum(v * d for v, d in zip(V, D, strict=True))
        rate = sum(v * d * f for f, v, d in zip(F, V, D, strict=True)) / annuity
        option = annuity * ql.blackFormula(kind, K, rate, s)
        assert abs(caps.price[i] - strip) <= 1e-6 + 1e-12 * strip, (F, V, D, K, s, kind)
        assert abs(options.price[i] - option) <= 1e-6 + 1e-12 * option, (F, V, D, K, s, kind)


@pytest.fixture
def market():
    """A process by its forward, over whole days, because QuantLib counts days."""
    today = ql.Date(2, 1, 2026)
    before = ql.Settings.instance().evaluationDate
    ql.Settings.instance().evaluationDate = today
    count = ql.Actual365Fixed()

    def process(spot, vol, rate, dividend):
        def flat(level):
            return ql.YieldTermStructureHandle(ql.FlatForward(today, level, count))

        surface = ql.BlackConstantVol(today, ql.NullCalendar(), vol, count)
        return ql.GeneralizedBlackScholesProcess(
            ql.QuoteHandle(ql.SimpleQuote(spot)), flat(dividend), flat(rate),
            ql.BlackVolTermStructureHandle(surface),
        )  # fmt: skip

    yield today, process
    ql.Settings.instance().evaluationDate = before


def random_spreads(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        "first": rng.uniform(20, 150, N), "second": rng.uniform(20, 150, N),
        "expiry": rng.integers(10, 900, N) / DAYS, "volatility1": rng.uniform(0.1, 0.9, N),
        "volatility2": rng.uniform(0.1, 0.9, N), "correlation": rng.uniform(-0.95, 0.95, N),
    }  # fmt: skip


def test_margrabe_with_greeks(market):
    today, process = market
    rng = np.random.default_rng(10)
    terms = random_spreads(11) | {
        "yield1": rng.uniform(-0.05, 0.1, N), "yield2": rng.uniform(-0.05, 0.1, N),
    }  # fmt: skip

    found = margrabe(**terms)

    for i, case in cases(terms):
        days = round(case["expiry"] * DAYS)
        exchange = ql.MargrabeOption(1, 1, ql.EuropeanExercise(today + days))
        exchange.setPricingEngine(
            ql.AnalyticEuropeanMargrabeEngine(
                process(case["first"], case["volatility1"], 0.03, case["yield1"]),
                process(case["second"], case["volatility2"], 0.03, case["yield2"]),
                case["correlation"],
            )
        )
        assert found.price[i] == pytest.approx(exchange.NPV(), abs=1e-10), case
        assert found.delta1[i] == pytest.approx(exchange.delta1(), abs=1e-10), case
        assert found.delta2[i] == pytest.approx(exchange.delta2(), abs=1e-10), case
        assert found.gamma1[i] == pytest.approx(exchange.gamma1(), abs=1e-10), case
        assert found.gamma2[i] == pytest.approx(exchange.gamma2(), abs=1e-10), case
        assert found.theta[i] == pytest.approx(exchange.theta(), abs=1e-9), case


def test_kirk_and_the_exact_spread(market):
    """Kirk's is a formula and agrees to rounding; Pearson's is an integral and does to its own."""
    today, process = market
    rate = 0.03
    terms = random_spreads(12) | {"strike": np.random.default_rng(13).uniform(0.5, 30, N)}
    discount = np.exp(-rate * terms["expiry"])

    kirk = kirk_spread(**terms, discount=discount)
    exact = spread_option(**terms, discount=discount)

    for i, case in cases(terms):
        payoff = ql.PlainVanillaPayoff(ql.Option.Call, case["strike"])
        days = round(case["expiry"] * DAYS)
        option = ql.BasketOption(ql.SpreadBasketPayoff(payoff), ql.EuropeanExercise(today + days))
        pair = (
            ql.BlackProcess(p.stateVariable(), p.riskFreeRate(), p.blackVolatility())
            for p in (
                process(case["first"], case["volatility1"], rate, 0.0),
                process(case["second"], case["volatility2"], rate, 0.0),
            )
        )
        both = (*pair, case["correlation"])
        option.setPricingEngine(ql.KirkEngine(*both))
        assert kirk[i] == pytest.approx(option.NPV(), abs=1e-10), case
        option.setPricingEngine(ql.PearsonSpreadEngine(*both))
        assert exact.price[i] == pytest.approx(option.NPV(), abs=1e-7), case
