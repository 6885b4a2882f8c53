"""
Benchmarks, each as a ratio to a named reference measured in the same run.

A benchmark is a function `(bench: Bench) -> None` registered by `@benchmark(name)`; it measures
and calls `bench.record`. The machine's speed cancels out in the ratio, so that is what to compare.
"""

import importlib
import json
import pkgutil
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import django
from rich.console import Console
from rich.table import Table

import tests.benchmarks as folder


@dataclass(frozen=True)
class Measurement:
    """
    One figure beside its reference, both in `unit`.

    better     "higher" or "lower"
    target     the least (or largest) acceptable ratio; None where there is no target
    """

    benchmark: str
    what: str
    value: float
    unit: str
    reference: str
    reference_value: float
    better: str
    target: float | None = None

    @property
    def ratio(self) -> float:
        return self.value / self.reference_value

    @property
    def is_met(self) -> bool | None:
        if self.target is None:
            return None
        return self.ratio >= self.target if self.better == "higher" else self.ratio <= self.target


@dataclass
class Bench:
    """What a benchmark measures into."""

    name: str
    measurements: list[Measurement] = field(default_factory=list)

    def record(
        self,
        what: str,
        *,
        value: float,
        unit: str,
        reference: str,
        reference_value: float,
        better: str = "higher",
        target: float | None = None,
    ) -> None:
        if better not in {"higher", "lower"}:
            raise ValueError(f"better must be “higher” or “lower”, not {better!r}")
        self.measurements.append(
            Measurement(self.name, what, value, unit, reference, reference_value, better, target)
        )


Function = Callable[[Bench], None]
BENCHMARKS: dict[str, Function] = {}


def benchmark(name: str) -> Callable[[Function], Function]:
    """Register a benchmark under the name that `--only` takes."""

    def register(function: Function) -> Function:
        if BENCHMARKS.setdefault(name, function) is not function:
            raise ValueError(f"two benchmarks are called {name}")
        return function

    return register


def discover() -> dict[str, Function]:
    """Import every module `bench_*` of this folder and return the benchmarks by name."""
    django.setup()
    for module in pkgutil.iter_modules(folder.__path__):
        if module.name.startswith("bench_"):
            importlib.import_module(f"{folder.__name__}.{module.name}")
    return dict(sorted(BENCHMARKS.items()))


def show(measurements: list[Measurement], console: Console) -> None:
    """Print the table."""
    table = Table(title="Benchmarks: ratio to a reference measured in the same run")
    for heading in ("benchmark", "what", "value", "reference", "its value", "ratio", "target"):
        table.add_column(heading, justify="left" if heading in {"benchmark", "what"} else "right")
    for m in measurements:
        target = "–" if m.target is None else f"{'≥' if m.better == 'higher' else '≤'} {m.target:g}"
        table.add_row(
            m.benchmark,
            m.what,
            f"{m.value:,.4g} {m.unit}",
            m.reference,
            f"{m.reference_value:,.4g} {m.unit}",
            f"{m.ratio:.3g}",
            {True: f"{target} met", False: f"{target} MISSED", None: target}[m.is_met],
        )
    console.print(table)


def write_json(measurements: list[Measurement], path: Path) -> None:
    rows = [asdict(m) | {"ratio": m.ratio, "is_met": m.is_met} for m in measurements]
    machine = {"python": platform.python_version(), "machine": platform.machine()}
    path.write_text(json.dumps({"machine": machine, "measurements": rows}, indent=1) + "\n")
