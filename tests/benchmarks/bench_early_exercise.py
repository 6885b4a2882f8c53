"""Price 1,000 American options on forwards with Greeks, beside QuantLib-Python one by one."""

import statistics
import time

import numpy as np

from trading.pricing import ModelChoice, PriceModel, american_option

from .runner import Bench, benchmark

OPTIONS = 1_000
ROUNDS = 5


@benchmark("early_exercise")
def early_exercise(bench: Bench) -> None:
    """Price a book as one array; the references give the price alone."""
    random = np.random.default_rng(1)
    forward, strike = random.uniform(40.0, 120.0, (2, OPTIONS))
    volatility, rate = random.uniform(0.2, 0.9, OPTIONS), random.uniform(0.01, 0.08, OPTIONS)
    days = random.integers(20, 730, OPTIONS)
    years = days / 365.0

    def ours() -> np.ndarray:
        return american_option(
            ModelChoice(PriceModel.BLACK76), forward=forward, strike=strike, expiry=years,
            volatility=volatility, rate=rate, discount=np.exp(-rate * years), option="PUT",
        ).price  # fmt: skip

    prices = ours()  # also compiles the kernel
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        ours()
        took.append(time.perf_counter() - started)
    for name, tolerance, target in (("QdFp", 5e-5, None), ("finite differences", 1e-3, 5.0)):
        reference, theirs = by_quantlib(name, forward, strike, volatility, rate, days)
        assert np.max(np.abs(prices - theirs) / np.maximum(forward, strike)) < tolerance, name
        bench.record(
            f"{OPTIONS:,} American options, with Greeks, beside {name}",
            value=OPTIONS / statistics.median(took) / 1000.0,
            unit="thousand/s",
            reference=f"QuantLib-Python {name}, one by one, price alone",
            reference_value=OPTIONS / reference / 1000.0,
            target=target,
        )


def by_quantlib(
    name: str, forward: np.ndarray, strike: np.ndarray, volatility: np.ndarray, rate: np.ndarray,
    days: np.ndarray,
) -> tuple[float, np.ndarray]:  # fmt: skip
    """Return the seconds that the whole book takes, and its prices."""
    import QuantLib as ql

    today = ql.Date(15, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    count, calendar = ql.Actual365Fixed(), ql.NullCalendar()
    prices = np.empty(OPTIONS)
    started = time.perf_counter()
    for n in range(OPTIONS):
        rates = ql.YieldTermStructureHandle(ql.FlatForward(today, float(rate[n]), count))
        flat = ql.BlackConstantVol(today, calendar, float(volatility[n]), count)
        process = ql.BlackScholesMertonProcess(
            ql.QuoteHandle(ql.SimpleQuote(float(forward[n]))), rates, rates,
            ql.BlackVolTermStructureHandle(flat),
        )  # fmt: skip
        option = ql.VanillaOption(
            ql.PlainVanillaPayoff(ql.Option.Put, float(strike[n])),
            ql.AmericanExercise(today, today + int(days[n])),
        )
        option.setPricingEngine(
            ql.QdFpAmericanEngine(process, ql.QdFpAmericanEngine.accurateScheme())
            if name == "QdFp"
            else ql.FdBlackScholesVanillaEngine(process, 200, 200, 2)
        )
        prices[n] = option.NPV()
    return time.perf_counter() - started, prices
