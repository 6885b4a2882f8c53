"""
Revalue 10,000 trades in 500 scenarios, beside QuantLib's observers and plain NumPy.

Twenty curves of 24 months; six trades of ten are forwards, the others options by Black-76; a
history with fat tails moves prices and volatilities. Rates are by the second of processor time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import QuantLib as ql
from scipy.special import ndtr

from risk.engine import (
    Convention,
    Draw,
    ForwardRows,
    Portfolio,
    ShockRule,
    Shocks,
    Simulation,
    factors_of_history,
    kernel_weights,
    monte_carlo,
    revalue,
    tail_risk,
)
from trading.pricing import ModelChoice, OptionRows, PriceModel

from .runner import Bench, benchmark

TRADES, SCENARIOS, CURVES, MONTHS = 10_000, 500, 20, 24
ROUNDS = 7
RATE = 0.03
# Scenarios that QuantLib revalues: its time for one more is the same.
SAMPLE = 4
Row = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Desk:
    """A made portfolio: sign 0 of a forward, +1 of a call, −1 of a put; nodes are curve × month."""

    prices: Row
    vols: Row
    moved: Row
    moved_vols: Row
    node: npt.NDArray[np.int64]
    sign: Row
    quantity: Row
    strike: Row
    years: Row

    @property
    def discounted(self) -> Row:
        found: Row = self.quantity * np.exp(-RATE * self.years)
        return found

    def portfolio(self) -> Portfolio:
        forwards, options = np.flatnonzero(self.sign == 0), np.flatnonzero(self.sign != 0)
        rows = OptionRows(
            ModelChoice(PriceModel.BLACK76), self.node[options], self.node[options],
            self.strike[options], self.years[options], self.discounted[options],
            np.where(self.sign[options] > 0, "CALL", "PUT"),
        )  # fmt: skip
        held = ForwardRows(self.node[forwards], self.discounted[forwards], self.strike[forwards])
        return Portfolio(len(self.node), held, forwards, (rows,), (options,))


def made_desk(trades: int = TRADES, scenarios: int = SCENARIOS) -> Desk:
    """Draw a desk; seeds are fixed, so each run has the same."""
    rng = np.random.default_rng(20)
    months = np.arange(1, MONTHS + 1) / 12
    level = rng.uniform(25, 100, CURVES)[:, None]
    prices = level * (1 + 0.15 * np.cos(2 * np.pi * months)) * np.exp(0.02 * months)
    vols = (0.25 + 0.4 * np.exp(-months)) * rng.uniform(0.8, 1.2, CURVES)[:, None]
    shape = (scenarios, CURVES, 1)
    common = rng.standard_t(4, (scenarios, 1, 1))
    moves = 0.015 * (common + rng.standard_t(4, shape)) * (0.4 + 0.6 * np.exp(-months))
    vol_moves = (0.02 * rng.normal(size=shape) + 0.3 * np.abs(moves)) * np.ones(MONTHS)
    node = rng.integers(0, CURVES * MONTHS, trades)
    return Desk(
        prices=prices.ravel(),
        vols=vols.ravel(),
        moved=(prices * np.exp(moves)).reshape(scenarios, -1).T.copy(),
        moved_vols=(vols * np.exp(vol_moves)).reshape(scenarios, -1).T.copy(),
        node=node,
        sign=rng.choice([0.0, 1.0, -1.0], trades, p=[0.6, 0.2, 0.2]),
        quantity=rng.integers(100, 10_000, trades) * rng.choice([-1.0, 1.0], trades),
        strike=prices.ravel()[node] * rng.uniform(0.8, 1.2, trades),
        years=months[node % MONTHS],
    )


def by_trade(desk: Desk) -> Row:
    """Revalue as one would write it down: trade by trade, all scenarios of each at once."""
    amounts = desk.discounted
    pnl = np.zeros(desk.moved.shape[1])
    for node, sign, amount, strike, years in zip(
        desk.node, desk.sign, amounts, desk.strike, desk.years, strict=True
    ):
        forward, base = desk.moved[node], desk.prices[node]
        if sign == 0:
            pnl += amount * (forward - base)
            continue
        root = np.sqrt(years)
        values = []
        for f, vol in ((forward, desk.moved_vols[node]), (base, desk.vols[node])):
            deviation = vol * root
            d1 = np.log(f / strike) / deviation + 0.5 * deviation
            d2 = d1 - deviation
            values.append(sign * (f * ndtr(sign * d1) - strike * ndtr(sign * d2)))
        pnl += amount * (values[0] - values[1])
    return pnl


class Observers:
    """The desk as QuantLib has it: instruments that observe quotes, asked after each move."""

    def __init__(self, desk: Desk) -> None:
        today, counter = ql.Date(20, 11, 2026), ql.Actual365Fixed()
        ql.Settings.instance().evaluationDate = today
        self.desk = desk
        self.quotes = [ql.SimpleQuote(float(p)) for p in desk.prices]
        self.vols = [ql.SimpleQuote(float(v)) for v in desk.vols]
        curve = ql.YieldTermStructureHandle(ql.FlatForward(today, RATE, counter))
        self.days = np.round(desk.years * 365).astype(int)
        engines = [
            ql.AnalyticEuropeanEngine(
                ql.BlackProcess(
                    ql.QuoteHandle(price), curve,
                    ql.BlackVolTermStructureHandle(
                        ql.BlackConstantVol(today, ql.NullCalendar(), ql.QuoteHandle(vol), counter)
                    ),
                )
            )
            for price, vol in zip(self.quotes, self.vols, strict=True)
        ]  # fmt: skip
        self.options, self.forwards = [], []
        for n, sign in enumerate(desk.sign):
            node = int(desk.node[n])
            if sign == 0:
                self.forwards.append((self.quotes[node], float(desk.discounted[n])))
                continue
            payoff = ql.PlainVanillaPayoff(
                ql.Option.Call if sign > 0 else ql.Option.Put, float(desk.strike[n])
            )
            option = ql.VanillaOption(payoff, ql.EuropeanExercise(today + int(self.days[n])))
            option.setPricingEngine(engines[node])
            self.options.append((option, float(desk.quantity[n])))

    def value(self) -> float:
        found = sum(quantity * option.NPV() for option, quantity in self.options)
        return float(found + sum(amount * quote.value() for quote, amount in self.forwards))

    def pnl(self, scenarios: int) -> Row:
        base = self.value()
        found = np.empty(scenarios)
        for s in range(scenarios):
            for node, (quote, vol) in enumerate(zip(self.quotes, self.vols, strict=True)):
                quote.setValue(float(self.desk.moved[node, s]))
                vol.setValue(float(self.desk.moved_vols[node, s]))
            found[s] = self.value() - base
        return found


def least(*works: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Return the least processor time of each, taken in turn."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for i, work in enumerate(works):
            started = time.process_time()
            work()
            best[i] = min(best[i], time.process_time() - started)
    return best


@benchmark("revaluation")
def revaluation(bench: Bench) -> None:
    """Compare full revaluation with NumPy and QuantLib, and attribution with the run itself."""
    desk = made_desk()
    # QuantLib counts whole days.
    whole_days = np.round(desk.years * 365) / 365
    desk = replace(desk, years=whole_days)
    held, convention = desk.portfolio(), Convention()
    market = desk.prices, desk.vols, desk.moved, desk.moved_vols

    def run() -> float:
        return tail_risk(revalue(held, *market, workers=1).pnl, convention).var

    def components() -> Row:
        found = revalue(held, *market, each=True, workers=1)
        weights = np.empty(found.pnl.size)
        weights[np.argsort(found.pnl)] = kernel_weights(found.pnl.size, 0.01)
        return found.weighted(weights)

    run()
    ours, plain, split = least(run, lambda: by_trade(desk), components)
    found = revalue(held, *market).pnl
    apart = float(np.abs(found - by_trade(desk)).max() / np.abs(found).max())
    bench.record(
        f"{TRADES:,} trades × {SCENARIOS} scenarios, VaR", value=1 / ours, unit="/s",
        reference="trade by trade in NumPy", reference_value=1 / plain, target=2.5,
    )  # fmt: skip
    bench.record(
        "largest difference from NumPy, of the largest P&L", value=apart, unit="",
        reference="1e-8", reference_value=1e-8, better="lower", target=1.0,
    )  # fmt: skip
    bench.record(
        "component VaR of every trade", value=split, unit="s", reference="the run itself",
        reference_value=ours, better="lower", target=1.5,
    )  # fmt: skip
    observers = Observers(desk)
    started = time.process_time()
    theirs = observers.pnl(SAMPLE)
    quantlib = (time.process_time() - started) * SCENARIOS / SAMPLE
    apart = float(np.abs(found[:SAMPLE] - theirs).max() / np.abs(theirs).max())
    bench.record(
        f"{TRADES:,} trades × {SCENARIOS} scenarios, VaR", value=1 / ours, unit="/s",
        reference=f"QuantLib's observers ({SAMPLE} scenarios, scaled)",
        reference_value=1 / quantlib, target=150.0,
    )  # fmt: skip
    bench.record(
        "largest difference from QuantLib, of the largest P&L", value=apart, unit="",
        reference="1e-8", reference_value=1e-8, better="lower", target=1.0,
    )  # fmt: skip


MC_PATHS = 10_000


def plain_monte_carlo(desk: Desk, loadings: Row) -> Row:
    """Simulate as one would write it down: all paths at once, trade by trade."""
    rng = np.random.default_rng(1)
    nodes = desk.prices.size
    moves = rng.standard_normal((MC_PATHS, len(loadings))) @ loadings
    prices = (desk.prices * np.exp(moves[:, :nodes])).T.copy()
    vols = (desk.vols * np.exp(moves[:, nodes:])).T.copy()
    return by_trade(replace(desk, moved=prices, moved_vols=vols))


def floor(desk: Desk, loadings: Row) -> float:
    """Return the seconds that the arithmetic alone takes at this machine's rates, on one core."""
    rng = np.random.default_rng(2)
    z = rng.standard_normal((1_000, len(loadings)))
    row = rng.standard_normal(1_000_000)
    product, power = least(lambda: z @ loadings, lambda: np.exp(row), rounds=5)
    options = int((desk.sign != 0).sum())
    # One exponential for each price, volatility and option on a path.
    exponentials = MC_PATHS * (2 * desk.prices.size + options)
    return product * MC_PATHS / 1_000 + power * exponentials / row.size


@benchmark("monte_carlo")
def simulation(bench: Bench) -> None:
    """Compare Monte Carlo end to end with NumPy, and with the floor of its arithmetic."""
    desk = made_desk()
    held, convention = desk.portfolio(), Convention()
    past = np.log(
        np.concatenate([desk.moved, desk.moved_vols]).T / np.concatenate([desk.prices, desk.vols])
    )
    factors = factors_of_history(past)
    shocks = Shocks.all(2 * desk.prices.size, ShockRule.LOGARITHMIC)
    drawn = Simulation(MC_PATHS, 10, 1, draw=Draw.PSEUDO)

    def run() -> float:
        return monte_carlo(
            held, desk.prices, desk.vols, factors, shocks, drawn, convention, workers=1
        ).tail.var

    run()
    (ours,) = least(run, rounds=3)
    (plain,) = least(lambda: plain_monte_carlo(desk, factors.loadings), rounds=1)
    what = f"{TRADES:,} trades × {MC_PATHS:,} paths, Monte Carlo end to end"
    bench.record(what, value=ours, unit="s", reference="NumPy", reference_value=plain,
                 better="lower", target=1 / 6)  # fmt: skip
    bench.record(what, value=ours, unit="s", reference="its products and exponentials alone",
                 reference_value=floor(desk, factors.loadings), better="lower")  # fmt: skip
