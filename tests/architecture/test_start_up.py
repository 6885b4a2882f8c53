"""
What a process loads before it has anything to do, seen in an interpreter of its own.

`manage.py check` takes under two seconds because these stay out. `rich` is not in the list:
structlog imports it wherever it is installed.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = [
    "arch",
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


GUARD = """
from energyopti.foundation.registry import Registry
guard = Registry("interlocks of a test", required=frozenset({"gate"}))
"""
SERVERS = {
    "web over WSGI": "import energyopti.wsgi",
    "web over ASGI": "import energyopti.asgi",
    "worker": (
        "from energyopti.celery import app\n"
        "app.worker_main(['worker', '--pool=solo', '--without-heartbeat'])"
    ),
    "followers": (
        "from django.core.management import execute_from_command_line as run\n"
        "run(['manage.py', 'run_followers'])"
    ),
}


def run_alone(program: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if "OTEL" not in name}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**environment, "DJANGO_SETTINGS_MODULE": "energyopti.settings.test"},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_apps_and_routes_load_nothing_heavy() -> None:
    result = run_alone(PROGRAM)

    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == []


@pytest.mark.parametrize("server", SERVERS)
def test_no_server_starts_while_a_guard_lacks_an_entry(server: str) -> None:
    result = run_alone(f"{GUARD}\n{SERVERS[server]}")

    assert result.returncode != 0
    assert "interlocks of a test: nobody registered gate" in result.stderr
