"""
Revalue 10,000 trades in 500 scenarios, beside QuantLib's observers and plain NumPy.

Twenty curves of 24 months; six trades of ten are forwards, the others options by Black-76; a
history with fat tails moves prices and volatilities. Rates are by the second of processor time.
"""

import time
from dataclasses import replace

import numpy as np
import QuantLib as ql

from risk.engine import Convention, revalue, tail_components, tail_risk

from .revaluation_desk import RATE, SCENARIOS, TRADES, Desk, Row, by_trade, least, made_desk
from .runner import Bench, benchmark

# Scenarios that QuantLib revalues: its time for one more is the same.
SAMPLE = 4


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
        pnl = revalue(held, *market, workers=1).pnl
        return tail_components(pnl, convention, held, *market, workers=1).component

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
