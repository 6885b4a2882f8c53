"""Two real beats: one sends; when it is killed the other goes on, and nothing is sent twice."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers, pytest.mark.slow]


@pytest.fixture
def start_beat(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    database = connection.settings_dict
    url = (
        f"postgresql://{database['USER']}:{database['PASSWORD']}"
        f"@{database['HOST'] or '127.0.0.1'}:{database['PORT'] or 5432}/{database['NAME']}"
    )
    running = []

    def start(name: str) -> subprocess.Popen[bytes]:
        with (tmp_path / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "run_beat"],
                cwd=settings.BASE_DIR,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={
                    **os.environ,
                    "DATABASE_URL": url,
                    "DATABASE_OWNER_URL": "",
                    "DJANGO_SETTINGS_MODULE": "energyopti.settings.local",
                    "EOP_STATE_DIR": str(tmp_path),
                    "REDIS_PREFIX": f"{settings.REDIS_PREFIX}-beat",
                },
            )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.wait()


def lease_holders() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE locktype = 'advisory' AND granted AND application_name = 'lease beat'"
            " AND datname = current_database()"
        )
        return int(cursor.fetchone()[0])


def sessions() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'lease beat'"
            " AND datname = current_database()"
        )
        return int(cursor.fetchone()[0])


def wait_for(condition: Callable[[], bool], log: Callable[[], str]) -> None:
    deadline = time.monotonic() + 40
    while not condition():
        assert time.monotonic() < deadline, log()
        time.sleep(0.2)


def test_a_second_beat_takes_over_from_a_killed_one(
    start_beat: Callable[[str], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    def log() -> str:
        return "".join(path.read_text()[-2000:] for path in tmp_path.glob("*.log"))

    first = start_beat("first")
    wait_for(lambda: lease_holders() == 1, log)
    start_beat("second")
    wait_for(lambda: sessions() == 2, log)
    held_by_one = lease_holders()

    first.kill()
    first.wait()
    wait_for(lambda: sessions() == 1 and lease_holders() == 1, log)

    assert held_by_one == 1
    assert "beat: sending" in (tmp_path / "second.log").read_text()
