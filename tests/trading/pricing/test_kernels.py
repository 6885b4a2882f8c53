"""
Compiled kernels against the Python they were compiled from, and where their code is kept.

Coverage sees no compiled line, so each kernel's `py_func` is run here on its branches.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from trading.pricing import _option_kernels as options
from trading.pricing import _spread_kernels as spreads

ROOT = Path(__file__).resolve().parents[3]
TERMS = [
    (80.0, 100.0, 0.5, 0.4, 0.95, 1.0), (100.0, 80.0, 0.5, 0.4, 0.95, 1.0),
    (100.0, 100.0, 0.5, 0.4, 0.95, -1.0), (80.0, 100.0, 0.0, 0.4, 0.95, -1.0),
    (80.0, 100.0, 1e-9, 0.01, 0.95, -1.0), (99.0, 100.0, 2.0, 3.0, 1.0, 1.0),
]  # fmt: skip
SPREADS = [
    (80.0, 70.0, 5.0, 0.8, 0.4, 0.5, 0.6, 0.96, 1.0), (80.0, 70.0, -90.0, 0.8, 0.4, 0.5, 0.6, 1, 1),
    (80.0, 70.0, 5.0, 0.8, 0.4, 0.5, 1.0, 0.96, -1.0), (80.0, 70.0, 5.0, 0.8, 0.4, 0.5, -1.0, 1, 1),
    (80.0, 70.0, 5.0, 0.0, 0.4, 0.5, 0.6, 0.96, 1.0), (75.0, 70.0, 5.0, 0.0, 0.4, 0.5, 0.6, 1, 1),
    (80.0, 70.0, -5.0, 0.8, 0.0, 0.5, 0.6, 0.96, 1.0), (8.0, 70.0, 60.0, 0.01, 0.1, 0.1, 0, 1, 1),
]  # fmt: skip


def same(kernel, *arguments):
    """Compare machine code with Python, and return Python's answer."""
    answer = kernel.py_func(*arguments)
    assert kernel(*arguments) == pytest.approx(answer, rel=1e-12, abs=1e-13)
    return answer


@pytest.mark.parametrize("terms", TERMS)
@pytest.mark.parametrize("name", ["black76", "bachelier"])
def test_options_equal_their_python(name, terms):
    if name == "bachelier":
        terms = (*terms[:3], terms[3] * 100, *terms[4:])
    value = same(getattr(options, f"{name}_terms"), *terms)
    if name == "black76":
        F, K, T, sigma, D, sign = terms
        a, b, root, per_s = same(options.black76_scores, F, K, T, sigma)
        shares = same(options.black76_shares, a, b)
        same(options.black76_parts, F, K, sigma, D, sign, a, b, root, per_s, *shares)
    row = [np.array([term]) for term in terms]
    out = np.empty((7, 1))

    assert getattr(options, f"{name}_rows").py_func(*row, out) == -1
    assert out[:, 0] == pytest.approx(value, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("x", [0.0, 0.3, 2.0, 10.0, 37.0])
def test_distribution_and_its_tail_equal_their_python(x):
    same(options.tail_ratio, x)
    same(options.normal_cdf, x)
    same(options.normal_cdf, -x)
    same(spreads.cdf, x)
    same(spreads.density, x)
    same(options.time_value, 9.0, 100.0, 95.0 + x, 0.98, 1.0)


@pytest.mark.parametrize("x", [0.0, -1e-6, -0.2, -3.0])
@pytest.mark.parametrize("worth", [1e-200, 1e-9, 0.01, 0.2, 0.6, 0.999])
def test_implied_deviations_equal_their_python(worth, x):
    same(options.black76_deviation, worth, x)
    s = same(options.black76_guess, worth, x, np.exp(0.5 * x))
    same(options.black76_step, s, worth, x, np.log(min(worth, 1.0 - worth)))
    same(options.bachelier_deviation, worth)
    same(options.normal_deviation, worth, -x)


def test_rows_of_implied_volatilities_equal_their_python():
    p, F, K, T, D, sign = (np.array([v]) for v in (9.0, 100.0, 110.0, 0.5, 0.98, 1.0))
    for kernel in (options.black76_volatilities, options.bachelier_volatilities):
        by_machine, by_python = np.empty(1), np.empty(1)
        assert kernel(p, F, K, T, D, sign, by_machine) == -1
        assert kernel.py_func(p, F, K, T, D, sign, by_python) == -1
        assert by_machine == pytest.approx(by_python, rel=1e-12)
        assert kernel.py_func(-p, F, K, T, D, sign, by_python) == 0
        assert kernel.py_func(p, F, F, T, D, sign, by_python) == -1
    same(options.time_value, 9.0, 100.0, 95.0, 0.98, 1.0)
    work, by_machine = np.ones(14 * 256), np.zeros((7, 1))
    options.fill_block.py_func(0, 1, p, F, K, T, D, sign, work)
    assert work[0] == 9.0
    assert options.empty_block.py_func(0, 1, work, by_machine) == 0  # a block not yet computed
    same(options.improved, 1.0, 0.1, 0.2, -0.3)
    same(options.normal_guess, 30.0)


@pytest.mark.parametrize("terms", SPREADS)
def test_spreads_equal_their_python(terms):
    row = [np.array([float(term)]) for term in terms]
    by_machine, by_python = np.empty((6, 1)), np.empty((6, 1))

    assert spreads.spread_rows(*row, by_machine) == -1
    assert spreads.spread_rows.py_func(*row, by_python) == -1

    assert by_machine == pytest.approx(by_python, rel=1e-11, abs=1e-12)


def test_parts_of_spreads_equal_their_python():
    for strike in (5.0, -200.0):
        same(spreads.given_second, 0.4, 80.0, 70.0, strike, 0.2, 0.4, 0.3)
    same(spreads.excess, 0.4, 80.0, 70.0, 5.0, 0.2, 0.4)
    for a, b, K in ((0.4, 0.3, 5.0), (0.4, -0.3, 5.0), (0.3, 0.4, -5.0), (0.0, 0.4, 90.0)):
        by_machine, by_python = np.empty(6), np.empty(6)
        spreads.one_factor(80.0, 70.0, K, a, b, by_machine, np.empty(8))
        spreads.one_factor.py_func(80.0, 70.0, K, a, b, by_python, np.empty(8))
        assert by_machine == pytest.approx(by_python, rel=1e-11, abs=1e-13)
        spreads.add_exercised.py_func(-1.0, 1.0, 80.0, 70.0, K, a, b, by_python)
        spreads.add_exercised(-1.0, 1.0, 80.0, 70.0, K, a, b, by_machine)
        assert by_machine == pytest.approx(by_python, rel=1e-11, abs=1e-13)
    for integral in (spreads.integrate, spreads.integrate.py_func):
        total = np.empty(6)
        integral(80.0, 70.0, 5.0, 0.2, 0.4, 0.3, total, np.empty(500))
        assert total[0] == pytest.approx(18.0, abs=10.0)
    sums, gaps = np.empty(6), np.empty(6)
    spreads.add_panel.py_func(-1.0, 1.0, 80.0, 70.0, 5.0, 0.2, 0.4, 0.3, sums, gaps)
    assert np.abs(gaps[0]) < 1e-3 < sums[0]


PROGRAM = """
import sys, trading.pricing as p
assert "numba" not in sys.modules, "numba is loaded before a formula is used"
print(float(p.black76(forward=100, strike=100, expiry=1, volatility=0.2).price))
from trading.pricing._option_kernels import black76_rows
print(black76_rows.stats.cache_path)
"""


def run_copy(folder: Path, **environment: str) -> list[str]:
    """Price one option with a copy of the library, and say where its code is kept."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        cwd=folder, capture_output=True, text=True, timeout=120,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)} | environment,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


@pytest.mark.slow
def test_prices_where_no_code_can_be_kept(tmp_path):
    """A read-only installation without a home compiles for each process."""
    target = tmp_path / "trading" / "pricing"
    shutil.copytree(
        ROOT / "trading" / "pricing", target, ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / "trading" / "__init__.py").touch()
    # A file where a folder would be: nobody, not even root, can write into it.
    (target / "__pycache__").touch()
    (tmp_path / "home").touch()

    price, kept = run_copy(
        tmp_path, HOME=str(tmp_path / "home"), XDG_CACHE_HOME=str(tmp_path / "home"),
        PYTHONDONTWRITEBYTECODE="1",
    )  # fmt: skip
    assert float(price) == pytest.approx(7.965567455405804)
    assert kept == "None"

    cache = tmp_path / "cache"
    price, kept = run_copy(tmp_path, NUMBA_CACHE_DIR=str(cache), PYTHONDONTWRITEBYTECODE="1")
    assert float(price) == pytest.approx(7.965567455405804)
    assert Path(kept).parent == cache
