"""
Monte Carlo of 10,000 trades on 10,000 paths, end to end, beside NumPy and the floor of arithmetic.

The desk is that of `revaluation`. A process of its own does it, on one core: its memory is what the
run needs, and products of matrices share no second core with the reference. Rates are by the second
of processor time; the clock's is told too.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import ndtr

from risk.engine import (
    Convention,
    Draw,
    Factors,
    MonteCarloRisk,
    ShockRule,
    Shocks,
    Simulation,
    Valuation,
    factors_of_history,
    monte_carlo,
)

from .revaluation_desk import TRADES, Desk, Row, least, made_desk
from .runner import Bench, benchmark

PATHS = 10_000
CONVENTION = Convention(method="Monte Carlo")
GIGABYTE = 1e9


def desk_factors(desk: Desk) -> Factors:
    """Return the factors of the desk's own history."""
    today = np.concatenate([desk.prices, desk.vols])
    return factors_of_history(np.log(np.concatenate([desk.moved, desk.moved_vols]).T / today))


def simulated(
    desk: Desk, factors: Factors, *, paths: int = PATHS, valuation: Valuation = Valuation.TAIL,
    each: bool = False, workers: int | None = 1,
) -> MonteCarloRisk:  # fmt: skip
    shocks = Shocks.all(2 * desk.prices.size, ShockRule.LOGARITHMIC)
    return monte_carlo(
        desk.portfolio(), desk.prices, desk.vols, factors, shocks,
        Simulation(paths, 10, 1, draw=Draw.PSEUDO), CONVENTION,
        valuation=valuation, each=each, workers=workers,
    )  # fmt: skip


def plain(desk: Desk, loadings: Row, paths: int = PATHS) -> tuple[float, float]:
    """
    Return VaR and ES as a good NumPy programme has them: forwards netted by node, options in turn.

    Logarithms of prices are those of today and the moves, so none is taken on a path; each option
    is valued on all paths at once, whose row stays in the processor's memory.
    """
    rng = np.random.default_rng(1)
    nodes = desk.prices.size
    # A node's paths side by side, as the options read them.
    moves = np.ascontiguousarray((rng.standard_normal((paths, len(loadings))) @ loadings).T)
    prices = desk.prices[:, None] * np.exp(moves[:nodes])
    vols = desk.vols[:, None] * np.exp(moves[nodes:])
    logs = np.log(desk.prices)[:, None] + moves[:nodes]
    amounts = desk.discounted
    forwards, options = np.flatnonzero(desk.sign == 0), np.flatnonzero(desk.sign != 0)
    held = np.bincount(desk.node[forwards], amounts[forwards], nodes)
    pnl = held @ prices - held @ desk.prices
    for o in options:
        node, sign, strike = desk.node[o], desk.sign[o], desk.strike[o]
        root = np.sqrt(desk.years[o])
        deviation = vols[node] * root
        d1 = (logs[node] - np.log(strike)) / deviation + 0.5 * deviation
        worth = prices[node] * ndtr(sign * d1) - strike * ndtr(sign * (d1 - deviation))
        pnl += amounts[o] * sign * worth
    node, sign, strike = desk.node[options], desk.sign[options], desk.strike[options]
    deviation = desk.vols[node] * np.sqrt(desk.years[options])
    d1 = np.log(desk.prices[node] / strike) / deviation + 0.5 * deviation
    worth = desk.prices[node] * ndtr(sign * d1) - strike * ndtr(sign * (d1 - deviation))
    pnl -= (amounts[options] * sign) @ worth
    worst = np.sort(np.partition(pnl, paths // 100)[: paths // 100])
    return -float(worst[-1]), -float(worst.mean())


def floor(desk: Desk, loadings: Row) -> float:
    """Return the seconds that the arithmetic alone takes at this machine's rates, on one core."""
    rng = np.random.default_rng(2)
    z = rng.standard_normal((1_000, len(loadings)))
    row = rng.standard_normal(1_000_000)
    product, power = least(lambda: z @ loadings, lambda: np.exp(row))
    options = int((desk.sign != 0).sum())
    # One exponential for each price, volatility and option on a path.
    exponentials = PATHS * (2 * desk.prices.size + options)
    return product * PATHS / len(z) + power * exponentials / row.size


@dataclass(frozen=True)
class Found:
    """What the process of its own measured; seconds of one core, by the clock where it says so."""

    tail: float
    tail_clock: float
    every: float
    components: float
    numpy: float
    floor: float
    peak: float
    revalued: float
    apart: float
    var: float
    numpy_var: float


def measure() -> Found:
    desk = made_desk()
    factors = desk_factors(desk)
    # The first run compiles; what it needs beyond the run is not its memory.
    found = simulated(desk, factors, each=True)
    peak = _peak_bytes()
    started = time.perf_counter()
    simulated(desk, factors)
    clock = time.perf_counter() - started
    tail, components, every, numpy_ = least(
        lambda: simulated(desk, factors),
        lambda: simulated(desk, factors, each=True),
        lambda: simulated(desk, factors, valuation=Valuation.ALL),
        lambda: plain(desk, factors.loadings),
        rounds=5,
    )
    exact = simulated(desk, factors, valuation=Valuation.ALL).tail
    apart = max(abs(found.tail.var / exact.var - 1), abs(found.tail.es / exact.es - 1))
    return Found(
        tail=tail, tail_clock=clock, every=every, components=components, numpy=numpy_,
        floor=floor(desk, factors.loadings), peak=peak, revalued=found.revalued, apart=apart,
        var=found.tail.var, numpy_var=plain(desk, factors.loadings)[0],
    )  # fmt: skip


def _peak_bytes() -> float:
    """Return the most memory that this process has held: of itself, not of who started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def on_one_core(module: str) -> dict[str, Any]:
    """Run a module of this folder in a process of its own and return what it printed."""
    one = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", f"tests.benchmarks.{module}"], env=os.environ | one, check=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@benchmark("monte_carlo")
def monte_carlo_end_to_end(bench: Bench) -> None:
    """Compare Monte Carlo end to end with NumPy, with full revaluation and with its floor."""
    m = Found(**on_one_core("bench_monte_carlo"))
    what = f"{TRADES:,} trades × {PATHS:,} paths, VaR and ES"
    bench.record(what, value=m.tail, unit="s", reference="NumPy", reference_value=m.numpy,
                 better="lower", target=1 / 6)  # fmt: skip
    bench.record(what, value=m.tail, unit="s", reference="its products and exponentials alone",
                 reference_value=m.floor, better="lower", target=3.0)  # fmt: skip
    bench.record(f"{what}, all paths in full", value=m.every, unit="s", reference="NumPy",
                 reference_value=m.numpy, better="lower")  # fmt: skip
    bench.record(what, value=m.tail_clock, unit="s", reference="its processor time",
                 reference_value=m.tail, better="lower")  # fmt: skip
    bench.record("component VaR of every trade", value=m.components, unit="s",
                 reference="the run itself", reference_value=m.tail, better="lower",
                 target=1.5)  # fmt: skip
    bench.record("paths revalued in full", value=m.revalued, unit="", reference="all",
                 reference_value=PATHS, better="lower")  # fmt: skip
    bench.record("VaR and ES apart from all paths in full, of themselves", value=m.apart, unit="",
                 reference="1e-9", reference_value=1e-9, better="lower", target=1.0)  # fmt: skip
    bench.record("most memory held, process and all", value=m.peak / GIGABYTE, unit="GB",
                 reference="1.5 GB", reference_value=1.5, better="lower", target=1.0)  # fmt: skip
    # Other draws: as far apart as two samples of the same law are.
    bench.record("VaR", value=m.var, unit="EUR", reference="NumPy, other draws",
                 reference_value=m.numpy_var)  # fmt: skip


if __name__ == "__main__":
    json.dump(asdict(measure()), sys.stdout)
