"""The lock belongs to pyproject.toml, and nothing in the tree names a package registry."""

import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_lock_was_made_from_this_pyproject() -> None:
    result = subprocess.run(
        ["python3", "deploy/bootstrap.py", "check-lock"], cwd=ROOT, capture_output=True, text=True
    )

    assert result.returncode == 0, result.stdout + result.stderr


def test_every_locked_package_has_a_hash() -> None:
    text = (ROOT / "requirements.txt").read_text()
    blocks = re.findall(r"^[a-z0-9_.\-]+==\S+.*?(?=^[a-z0-9]|\Z)", text, re.M | re.S)

    assert len(blocks) > 50
    assert [block for block in blocks if "--hash=sha256:" not in block] == []


def test_locks_name_no_registry() -> None:
    assert "://" not in (ROOT / "requirements.txt").read_text()
    lock = ROOT / "package-lock.json"
    packages = json.loads(lock.read_text())["packages"] if lock.exists() else {}

    assert [name for name, package in packages.items() if "resolved" in package] == []
