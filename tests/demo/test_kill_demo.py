"""Whatever process of the running demo is killed, nothing that was acknowledged is lost."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from energyopti.embedded.mqtt import find_mosquitto

from .running_demo import PROGRAMS, ROOT, SERVERS, RunningDemo, Trader, wait_for

pytestmark = pytest.mark.slow
# amqtt, the broker of machines without Mosquitto, forgets what it holds: the issue excludes it.
VICTIMS = [*PROGRAMS, *(name for name in SERVERS if name != "broker" or find_mosquitto())]


@pytest.fixture(scope="module")
def state() -> Iterator[Path]:
    """A folder that the demo of this module lives in: the first start seeds it."""
    folder = Path(tempfile.mkdtemp(prefix="eop-kill-", dir="/var/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def demo(state: Path) -> Iterator[RunningDemo]:
    running = RunningDemo(state)
    try:
        running.seconds = running.wait_until_it_runs()
        print(f"\nthe demo ran after {running.seconds:.1f} s")
        yield running
    finally:
        running.end()


def test_killing_any_process_loses_nothing_acknowledged(demo: RunningDemo) -> None:
    confirmed = record_confirmations(demo.state / "devices" / "edge.sqlite3")
    wait_for("the first schedule's acknowledgement", lambda: confirmed("acks"), 150)
    trader = Trader(demo.url)
    trader.start()
    wait_for("the first trade", lambda: trader.acknowledged)

    for name in VICTIMS:
        before, trades = demo.pid(name), len(trader.acknowledged)
        assert before, f"{name} does not run"
        os.kill(before, signal.SIGKILL)
        killed = time.monotonic()
        wait_for(f"a new {name}", lambda name=name, old=before: demo.pid(name) not in (0, old))
        revived = time.monotonic() - killed
        wait_for(
            f"a trade after {name} was killed",
            lambda trades=trades: len(trader.acknowledged) > trades + 1,
        )
        print(
            f"{name:12} back after {revived:.1f} s, trades after {time.monotonic() - killed:.1f} s"
        )
        time.sleep(4)  # under load with everything running, before the next one dies
    trader.stop()
    said = {kind: confirmed(kind) for kind in ("acks", "telemetry")}
    found = read_database(demo)

    assert trader.refused == []
    assert sorted(trader.acknowledged.values()) == sorted(found["trades"])
    assert len(set(found["trades"])) == len(found["trades"])
    assert Counter(found["captured"]) == Counter(found["trades"])
    assert found["positions"][0], found["positions"][1]
    assert found["planned"]
    assert found["plans_without_schedule"] == []
    assert found["late"] == []
    assert found["parked"] == []
    assert found["unchained"] == 0
    assert found["refused_messages"] == []
    assert said["acks"] - set(found["acknowledgements"]) == set()
    assert said["telemetry"] - set(found["telemetry"]) == set()
    audit = run_manage(demo, "verify_audit", "--json")
    assert json.loads(audit)["intact"]
    print(
        f"{len(trader.acknowledged)} trades ({trader.unanswered} requests without an answer, "
        f"{trader.replayed} answers replayed), {len(said['acks'])} acknowledgements and "
        f"{len(said['telemetry'])} batches confirmed, {found['planned']} plans, "
        f"{json.loads(audit)['records']} events chained"
    )


def test_ctrl_c_stops_all_that_was_started(demo: RunningDemo) -> None:
    assert len(demo.leftovers()) >= len(PROGRAMS) + len(SERVERS)

    code, last_line = demo.interrupt()

    assert code == 0
    assert last_line == "Stopped."
    assert demo.leftovers() == []


def test_nothing_outlives_a_killed_parent(demo: RunningDemo) -> None:
    assert len(demo.leftovers()) >= len(PROGRAMS) + len(SERVERS)

    demo.process.kill()
    demo.process.wait()

    killed = time.monotonic()
    wait_for("the end of every process", lambda: not demo.leftovers(), 30)
    print(f"nothing left after {time.monotonic() - killed:.1f} s")


def record_confirmations(path: Path) -> Any:
    """
    Have the batteries' own store note what leaves its outbox: the messages that were confirmed.

    Return a function of the kind of message; it returns them as `demo_reading` writes them.
    """

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=30, isolation_level=None)

    wait_for("the batteries' store", lambda: path.exists() and path.stat().st_size)
    database = connect()
    database.execute("CREATE TABLE IF NOT EXISTS confirmed (device, kind, key, payload)")
    has_outbox = "SELECT count(*) FROM sqlite_master WHERE name = 'outbox'"
    wait_for("their outbox", lambda: database.execute(has_outbox).fetchone()[0])
    database.execute(
        "CREATE TRIGGER IF NOT EXISTS note_confirmed AFTER DELETE ON outbox BEGIN"
        " INSERT INTO confirmed VALUES (old.device, old.kind, old.key, old.payload); END"
    )
    database.close()

    def confirmed(kind: str) -> set[str]:
        database = connect()
        notes = database.execute(
            "SELECT device, key, payload FROM confirmed WHERE kind = ?", [kind]
        ).fetchall()
        database.close()
        if kind == "telemetry":
            return {f"{device} {key}" for device, key, _ in notes}
        documents = [(device, key, json.loads(payload)) for device, key, payload in notes]
        return {
            f"{device} {key} {document['status']}"
            for device, key, document in documents
            if "command_id" in document
        }

    return confirmed


def read_database(demo: RunningDemo) -> dict[str, Any]:
    answer = subprocess.run(
        [sys.executable, "-m", "tests.demo.demo_reading"],
        cwd=ROOT,
        env=demo.environment(),
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def run_manage(demo: RunningDemo, *arguments: str) -> str:
    answer = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=demo.environment(),
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout
