"""
What historical and Monte Carlo VaR cost as trades and scenarios grow.

The desk is that of `revaluation`, with VaR and ES of the whole in seconds of one core and the most
memory that the run takes beside its market. Each is set beside the first of its method, scaled by
trades × scenarios: below one, growing is cheaper than in proportion.
"""

import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict, dataclass

from risk.engine import Convention, revalue, tail_risk

from .bench_monte_carlo import desk_factors, on_one_core, simulated
from .revaluation_desk import Desk, made_desk
from .runner import Bench, benchmark

HISTORICAL, MONTE_CARLO = "historical", "Monte Carlo"
# The first is the one that the others are scaled from.
SIZES = {
    HISTORICAL: ((10_000, 500), (1_000, 500), (100_000, 500), (10_000, 5_000), (10_000, 50_000)),
    MONTE_CARLO: (
        (10_000, 10_000), (1_000, 10_000), (100_000, 10_000), (10_000, 1_000), (10_000, 50_000),
    ),
}  # fmt: skip
ROUNDS = 4
MEBIBYTE = 2**20


@dataclass(frozen=True)
class Cost:
    """Of one run: seconds of one core, seconds by the clock, and the most bytes held."""

    method: str
    trades: int
    scenarios: int
    seconds: float
    clock: float
    held: int


def run_of(method: str, trades: int, scenarios: int) -> Callable[[], object]:
    """Return the run of a size."""
    if method == HISTORICAL:
        desk = made_desk(trades, scenarios)
        held, market = desk.portfolio(), (desk.prices, desk.vols, desk.moved, desk.moved_vols)
        return lambda: tail_risk(revalue(held, *market, workers=1).pnl, Convention())
    return _simulation(made_desk(trades), scenarios)


def _simulation(desk: Desk, paths: int) -> Callable[[], object]:
    factors = desk_factors(desk)
    return lambda: simulated(desk, factors, paths=paths)


def cost(method: str, trades: int, scenarios: int) -> Cost:
    run = run_of(method, trades, scenarios)
    run()
    seconds = clock = float("inf")
    for _ in range(ROUNDS):
        started, at = time.process_time(), time.perf_counter()
        run()
        seconds = min(seconds, time.process_time() - started)
        clock = min(clock, time.perf_counter() - at)
    tracemalloc.start()
    run()
    _, held = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return Cost(method, trades, scenarios, seconds, clock, held)


@benchmark("risk_cost")
def risk_cost(bench: Bench) -> None:
    """Measure VaR's cost from 1,000 to 100,000 trades and from 500 to 50,000 scenarios."""
    first: dict[str, Cost] = {}
    for row in on_one_core("bench_risk_cost")["costs"]:
        found = Cost(**row)
        base = first.setdefault(found.method, found)
        scale = found.trades * found.scenarios / (base.trades * base.scenarios)
        what = f"{found.method}: {found.trades:,} trades × {found.scenarios:,}"
        bench.record(
            what, value=found.seconds, unit="s", better="lower",
            reference=f"{base.trades:,} × {base.scenarios:,} in proportion",
            reference_value=base.seconds * scale,
        )  # fmt: skip
        bench.record(f"{what}, by the clock", value=found.clock, unit="s", better="lower",
                     reference="its processor time", reference_value=found.seconds)  # fmt: skip
        bench.record(f"{what}, memory", value=found.held / MEBIBYTE, unit="MiB", better="lower",
                     reference="1.5 GB", reference_value=1.5e9 / MEBIBYTE)  # fmt: skip


if __name__ == "__main__":
    costs = [cost(method, *size) for method, sizes in SIZES.items() for size in sizes]
    json.dump({"costs": [asdict(one) for one in costs]}, sys.stdout)
