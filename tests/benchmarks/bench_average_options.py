"""Price 10,000 options on monthly averages with Greeks, beside QuantLib-Python one by one."""

import statistics
import time

import numpy as np

from trading.pricing import OptionType, average_option

from .runner import Bench, benchmark

OPTIONS = 10_000
FIXINGS = np.arange(30, 60)
RATE = 0.04
ROUNDS = 5


@benchmark("average_options")
def average_options(bench: Bench) -> None:
    """Price a book of APOs as one array; the reference gives the price alone."""
    random = np.random.default_rng(1)
    forward, strike = random.uniform(40.0, 120.0, (2, OPTIONS))
    volatility = random.uniform(0.2, 0.9, OPTIONS)

    def ours() -> np.ndarray:
        return average_option(
            forward=forward[:, None], strike=strike, times=FIXINGS / 360.0,
            volatility=volatility[:, None], discount=np.exp(-RATE * FIXINGS[-1] / 360.0),
            option=OptionType.CALL,
        ).price  # fmt: skip

    prices = ours()  # also compiles the formula
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        ours()
        took.append(time.perf_counter() - started)
    reference, theirs = by_quantlib(forward, strike, volatility)
    assert np.allclose(prices, theirs, rtol=1e-9, atol=1e-9)
    bench.record(
        f"{OPTIONS:,} options on an average of {len(FIXINGS)} fixings, with Greeks",
        value=OPTIONS / statistics.median(took) / 1000.0,
        unit="thousand/s",
        reference="QuantLib-Python TurnbullWakeman, one by one, price alone",
        reference_value=OPTIONS / reference / 1000.0,
        target=10.0,
    )


def by_quantlib(
    forward: np.ndarray, strike: np.ndarray, volatility: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return the seconds that the whole book takes, and its prices."""
    import QuantLib as ql

    today = ql.Date(15, 1, 2026)
    ql.Settings.instance().evaluationDate = today
    days, calendar = ql.Actual360(), ql.NullCalendar()
    dates = [today + int(d) for d in FIXINGS]
    rates = ql.YieldTermStructureHandle(ql.FlatForward(today, RATE, days))
    exercise = ql.EuropeanExercise(dates[-1])
    prices = np.empty(OPTIONS)
    started = time.perf_counter()
    for n in range(OPTIONS):
        option = ql.DiscreteAveragingAsianOption(
            ql.Average.Arithmetic, 0.0, 0, dates,
            ql.PlainVanillaPayoff(ql.Option.Call, float(strike[n])), exercise,
        )  # fmt: skip
        flat = ql.BlackConstantVol(today, calendar, float(volatility[n]), days)
        process = ql.BlackProcess(
            ql.QuoteHandle(ql.SimpleQuote(float(forward[n]))), rates,
            ql.BlackVolTermStructureHandle(flat),
        )  # fmt: skip
        option.setPricingEngine(ql.TurnbullWakemanAsianEngine(process))
        prices[n] = option.NPV()
    return time.perf_counter() - started, prices
