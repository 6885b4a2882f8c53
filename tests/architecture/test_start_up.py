"""
What a process loads before it has anything to do, seen in an interpreter of its own.

`manage.py check` takes under two seconds because these stay out. `rich` is not in the list:
structlog imports it wherever it is installed.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = [
    "boto3",
    "cvxpy",
    "highspy",
    "IPython",
    "lightgbm",
    "matplotlib",
    "numba",
    "numpy",
    "openpyxl",
    "opentelemetry",
    "pandas",
    "PIL",
    "prophet",
    "pyarrow",
    "qiskit",
    "redis",  # brings OpenTelemetry's SDK
    "scipy",
    "sklearn",
    "stripe",
    "torch",
    "weasyprint",
]
PROGRAM = f"""
import sys
import django
django.setup()
from django.urls import get_resolver
assert len(get_resolver().url_patterns) > 10
print(*[name for name in {HEAVY!r} if name in sys.modules])
"""


def test_apps_and_routes_load_nothing_heavy() -> None:
    environment = {name: value for name, value in os.environ.items() if "OTEL" not in name}

    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={**environment, "DJANGO_SETTINGS_MODULE": "energyopti.settings.test"},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == []
