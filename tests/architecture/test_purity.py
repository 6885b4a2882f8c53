"""Pure packages load without Django: each is imported in an interpreter of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PURE = [
    "energyopti.foundation.intervals",
    "energyopti.foundation.calendars",
    "energyopti.foundation.units",
    "energyopti.foundation.money",
    "trading.forecasting",
    "trading.optimization",
    "trading.curves",
    "trading.deals",
    "trading.pricing",
    "trading.valuation",
    "risk.engine",
    "compliance.carbon",
    "compliance.canonical",
    "billing.rating",
    "trading.markets.fix",
    "trading.markets.price_files",
    "trading.markets.simulator",
    "devices.wire",
    "devices.edge",
]
FRAMEWORKS = ["django", "rest_framework", "celery", "psycopg", "redis", "channels"]
EMPTY = [
    "energyopti",
    "energyopti/foundation",
    "energyopti/accounts",
    "trading",
    "risk",
    "compliance",
    "devices",
    "fleet",
    "billing",
    "support",
]


@pytest.mark.parametrize("package", PURE)
def test_pure_package_loads_no_framework(package: str) -> None:
    program = (
        f"import sys, {package}\nprint(*[name for name in {FRAMEWORKS!r} if name in sys.modules])"
    )

    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == ""


def test_the_pricing_library_loads_what_is_heavy_where_it_is_used() -> None:
    heavy = ["scipy", "numba", "highspy"]
    program = f"import sys, trading.pricing\nprint(*[n for n in {heavy!r} if n in sys.modules])"

    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    # A page that shows an option pays for it in the worker's first request.
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == ""


@pytest.mark.parametrize("package", EMPTY)
def test_package_file_is_empty(package: str) -> None:
    assert (ROOT / package / "__init__.py").read_text().strip() == ""
