"""
Price a million options and imply volatilities, beside plain NumPy, QuantLib and scipy.

Rates are by the second of processor time, so that what else runs on the machine counts little.
"""

import time
from collections.abc import Callable
from math import log, sqrt

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import ndtr

from trading.pricing import OptionType, black76, black76_implied_volatility

from .runner import Bench, benchmark

MANY = 1_000_000
ONE_BY_ONE = 10_000
REPEATS = 20
IMPLIED = 100_000
SAMPLE = 4_000
ROUNDS = 9
Row = npt.NDArray[np.float64]


def options(n: int, seed: int) -> dict[str, Row]:
    """Draw n options on forwards of an energy desk."""
    rng = np.random.default_rng(seed)
    expiry = rng.uniform(0.01, 3, n)
    return {
        "forward": rng.uniform(20, 150, n), "strike": rng.uniform(20, 150, n), "expiry": expiry,
        "volatility": rng.uniform(0.1, 1.5, n), "discount": np.exp(-0.03 * expiry),
    }  # fmt: skip


def plain_black76(
    forward: Row, strike: Row, expiry: Row, volatility: Row, discount: Row
) -> tuple[Row, ...]:
    """Compute what `black76` does as one would write it down."""
    root = np.sqrt(expiry)
    deviation = volatility * root
    d1 = np.log(forward / strike) / deviation + 0.5 * deviation
    d2 = d1 - deviation
    density = np.exp(-0.5 * d1 * d1) / np.sqrt(2 * np.pi)
    share = ndtr(d1)
    vega = discount * forward * density * root
    return (
        discount * (forward * share - strike * ndtr(d2)),
        discount * share,
        discount * density / (forward * deviation),
        vega,
        -discount * density * d2 / volatility,
        vega * d1 * d2 / volatility,
        -discount * forward * density * volatility / (2 * root),
    )


def seconds(*works: Callable[[], object]) -> list[float]:
    """Return the least processor time of each (all use one thread), taken in turn."""
    best = [float("inf")] * len(works)
    for _ in range(ROUNDS):
        for i, work in enumerate(works):
            started = time.process_time()
            work()
            best[i] = min(best[i], time.process_time() - started)
    return best


@benchmark("pricing")
def pricing(bench: Bench) -> None:
    """Compare Black-76 with plain NumPy and QuantLib, and its inverse with a loop of brentq."""
    started = time.perf_counter()
    black76(forward=1.0, strike=1.0, expiry=1.0, volatility=1.0)
    first = time.perf_counter() - started
    bench.record(
        "first call of a process: numba and the machine code", value=first, unit="s",
        reference="three seconds", reference_value=3.0, better="lower", target=1.0,
    )  # fmt: skip
    against_numpy(bench)
    against_quantlib(bench)
    against_brentq(bench)


def against_numpy(bench: Bench) -> None:
    terms = options(MANY, seed=1)
    for ours, theirs in zip(vars_of(black76(**terms)), plain_black76(*terms.values()), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-9)
    ours_took, plain_took = seconds(
        lambda: black76(**terms), lambda: plain_black76(*terms.values())
    )
    bench.record(
        f"{MANY:,} Black-76 with six Greeks, checked", value=MANY / ours_took, unit="/s",
        reference="the same formulas in plain NumPy, unchecked",
        reference_value=MANY / plain_took, target=3.0,
    )  # fmt: skip


def vars_of(value: object) -> list[Row]:
    return [getattr(value, name) for name in value.__slots__]  # type: ignore[attr-defined]


def against_quantlib(bench: Bench) -> None:
    import QuantLib as ql

    terms = options(ONE_BY_ONE, seed=2)
    rows = list(zip(*(row.tolist() for row in terms.values()), strict=True))

    def one_by_one() -> list[tuple[float, ...]]:
        found = []
        for forward, strike, expiry, volatility, discount in rows:
            calculator = ql.BlackCalculator(
                ql.PlainVanillaPayoff(ql.Option.Call, strike), forward, volatility * sqrt(expiry),
                discount,
            )  # fmt: skip
            found.append(
                (calculator.value(), calculator.deltaForward(), calculator.gammaForward(),
                 calculator.vega(expiry))
            )  # fmt: skip
        return found

    def prices_alone() -> list[float]:
        return [
            ql.blackFormula(ql.Option.Call, strike, forward, volatility * sqrt(expiry), discount)
            for forward, strike, expiry, volatility, discount in rows
        ]

    def ours() -> None:
        for _ in range(REPEATS):  # one call takes less than a clock of processor time tells
            black76(**terms)

    np.testing.assert_allclose(
        np.transpose(vars_of(black76(**terms))[:4]), one_by_one(), rtol=1e-9, atol=1e-9
    )
    ours_took, greeks_took, prices_took = seconds(ours, one_by_one, prices_alone)
    for what, took, target in (
        ("BlackCalculator: price, delta, gamma, vega", greeks_took, 100.0),
        ("blackFormula: price alone", prices_took, None),
    ):
        bench.record(
            f"{ONE_BY_ONE:,} Black-76 with six Greeks", unit="/s",
            value=REPEATS * ONE_BY_ONE / ours_took,
            reference=f"QuantLib-Python one by one, {what}",
            reference_value=ONE_BY_ONE / took, target=target,
        )  # fmt: skip


def against_brentq(bench: Bench) -> None:
    terms = options(IMPLIED, seed=3)
    value = black76(**terms)
    # Where the price's last digit says the volatility to 1e-10, drawn again from those.
    told = np.flatnonzero(value.vega > 1e-2)
    told = told[np.arange(IMPLIED) % told.size]
    prices = value.price[told]
    terms = {name: row[told] for name, row in terms.items()}
    volatility = terms.pop("volatility")
    rows = [
        row
        for row, _ in zip(
            zip(*(row.tolist() for row in (prices, *terms.values())), strict=True),
            range(SAMPLE), strict=False,
        )
    ]  # fmt: skip

    def loop() -> list[float]:
        found = []
        for price, forward, strike, expiry, discount in rows:
            moneyness, root = log(forward / strike), sqrt(expiry)

            def miss(sigma: float) -> float:
                deviation = sigma * root  # noqa: B023 - called before the next option
                d1 = moneyness / deviation + 0.5 * deviation  # noqa: B023
                worth = forward * ndtr(d1) - strike * ndtr(d1 - deviation)  # noqa: B023
                return float(discount * worth - price)  # noqa: B023

            found.append(brentq(miss, 1e-4, 10.0, xtol=1e-12, rtol=1e-14))
        return found

    def ours() -> Row:
        return black76_implied_volatility(price=prices, **terms, option=OptionType.CALL)

    error = float(np.abs(ours() - volatility).max())
    np.testing.assert_allclose(loop(), volatility[:SAMPLE], atol=1e-9)
    ours_took, loop_took = seconds(ours, loop)
    bench.record(
        f"{IMPLIED:,} implied volatilities", value=IMPLIED / ours_took, unit="/s",
        reference=f"scipy brentq, one by one with scipy's ndtr, from {SAMPLE:,}",
        reference_value=SAMPLE / loop_took, target=200.0,
    )  # fmt: skip
    bench.record(
        f"largest error of {IMPLIED:,} implied volatilities", value=error, unit="",
        reference="1e-10", reference_value=1e-10, better="lower", target=1.0,
    )  # fmt: skip
