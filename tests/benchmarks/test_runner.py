"""The bench runner: ratios, targets, the table and the file."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tests.benchmarks.runner import Bench, benchmark, show, write_json


@pytest.mark.parametrize(
    ("value", "better", "target", "is_met"),
    [
        (30.0, "higher", 2.0, True),
        (10.0, "higher", 2.0, False),
        (5.0, "lower", 0.5, True),
        (6.0, "lower", 0.5, False),
        (6.0, "lower", None, None),
    ],
)
def test_a_target_is_a_ratio(
    value: float, better: str, target: float | None, is_met: bool | None
) -> None:
    bench = Bench("b")

    bench.record(
        "w", value=value, unit="ms", reference="r", reference_value=10, better=better, target=target
    )

    (measured,) = bench.measurements
    assert measured.ratio == pytest.approx(value / 10)
    assert measured.is_met is is_met


def test_better_is_one_of_two_words() -> None:
    with pytest.raises(ValueError, match="not 'faster'"):
        Bench("b").record("w", value=1, unit="s", reference="r", reference_value=1, better="faster")


def test_the_table_and_the_file_say_the_same(tmp_path: Path) -> None:
    bench = Bench("rows")
    bench.record("insert", value=3, unit="/s", reference="COPY", reference_value=6, target=1)
    console = Console(file=StringIO(), width=160)

    show(bench.measurements, console)
    write_json(bench.measurements, tmp_path / "bench.json")

    assert "MISSED" in console.file.getvalue()
    (row,) = json.loads((tmp_path / "bench.json").read_text())["measurements"]
    assert (row["benchmark"], row["ratio"], row["is_met"]) == ("rows", 0.5, False)


def test_a_name_belongs_to_one_benchmark() -> None:
    benchmark("tests-only")(print)

    with pytest.raises(ValueError, match="two benchmarks are called tests-only"):
        benchmark("tests-only")(repr)
