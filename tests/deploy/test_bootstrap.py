"""Getting a machine ready: each thing that may be wrong is told in a sentence."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "deploy").mkdir()
    for name in ("deploy/bootstrap.py", "pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def bootstrap(checkout: Path, purpose: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "deploy/bootstrap.py", purpose],
        cwd=checkout,
        capture_output=True,
        text=True,
    )


def test_a_fresh_lock_is_accepted(checkout: Path) -> None:
    assert bootstrap(checkout, "check-lock").returncode == 0


def test_a_stale_lock_is_told(checkout: Path) -> None:
    project = checkout / "pyproject.toml"
    project.write_text(project.read_text().replace('"rich>=15"', '"rich>=14"'))

    result = bootstrap(checkout, "check-lock")

    assert result.returncode == 1
    assert "requirements.txt is stale" in result.stderr
    assert "make lock" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_missing_lock_is_told(checkout: Path) -> None:
    (checkout / "requirements.txt").unlink()

    result = bootstrap(checkout, "check-lock")

    assert result.returncode == 1
    assert "requirements.txt is missing" in result.stderr


def test_a_full_disk_is_told_before_anything_is_fetched(checkout: Path) -> None:
    program = (
        "import sys, shutil, collections; sys.path.insert(0, 'deploy'); import bootstrap\n"
        "shutil.disk_usage = lambda path: collections.namedtuple('U', 'free')(10**8)\n"
        "try: bootstrap.install_packages()\n"
        "except bootstrap.NotReady as reason: print(reason)"
    )

    result = subprocess.run(
        [sys.executable, "-c", program], cwd=checkout, capture_output=True, text=True
    )

    assert "has 0.1 GB free and the packages need 3 GB" in result.stdout
    assert not (checkout / ".venv").exists()


def test_another_python_is_told(checkout: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, 'deploy'); import bootstrap\n"
        "sys.version_info = (3, 9, 1); sys.version = '3.9.1 (main)'\n"
        "try: bootstrap.check_python()\n"
        "except bootstrap.NotReady as reason: print(reason)"
    )

    result = subprocess.run(
        [sys.executable, "-c", program], cwd=checkout, capture_output=True, text=True
    )

    assert "needs Python 3.11 and this is 3.9.1" in result.stdout
