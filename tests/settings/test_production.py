"""Production refuses to start without its secrets, and names them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {
    "SECRET_KEY": "k" * 60,
    "DATABASE_URL": "postgres://eop_app@127.0.0.1/eop",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "MQTT_URL": "mqtt://127.0.0.1:1883",
    "ALLOWED_HOSTS": "example.org",
    "IDP_OIDC_PRIVATE_KEY": "pem",
}


def load_production(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    program = (
        "from energyopti.settings import production as p\n"
        "print(p.DEBUG, p.SECRET_KEY, p.ALLOWED_HOSTS, p.SESSION_COOKIE_SECURE)"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
    )


def test_starts_with_all_secrets() -> None:
    result = load_production(SECRETS)

    assert result.stdout.split() == ["False", "k" * 60, "['example.org']", "True"], result.stderr


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_names_the_secret_that_is_missing(name: str) -> None:
    result = load_production({key: value for key, value in SECRETS.items() if key != name})

    assert result.returncode != 0
    assert f"production needs: {name} (" in result.stderr


def test_reads_a_secret_from_the_file_that_is_named(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("f" * 60 + "\n")
    environment = {**SECRETS, "SECRET_KEY_FILE": str(file)}
    del environment["SECRET_KEY"]

    result = load_production(environment)

    assert result.stdout.split()[1] == "f" * 60, result.stderr


def test_names_the_secret_file_that_cannot_be_read() -> None:
    environment = {**SECRETS, "SECRET_KEY_FILE": "/nowhere/key"}
    del environment["SECRET_KEY"]

    result = load_production(environment)

    assert "SECRET_KEY_FILE=/nowhere/key cannot be read" in result.stderr


def test_refuses_a_short_key() -> None:
    result = load_production({**SECRETS, "SECRET_KEY": "short"})

    assert "SECRET_KEY is shorter than 50 characters" in result.stderr
