"""The demo as a program of its own, its processes found from outside, and a trader at work."""

import contextlib
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import httpx

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "energy-demo-2026"
START_SECONDS = 400  # the first start seeds 500 trading days; the machine may be busy
# A word of each process's command line.
PROGRAMS = {
    "web": "uvicorn",
    "worker": "energyopti.celery",
    "beat": "run_beat",
    "followers": "run_followers",
    "mqtt-bridge": "run_mqtt_bridge",
    "market": "energyopti.demo.market",
    "devices": "simulate_devices",
}
SERVERS = {"valkey": "valkey", "database": "postgres", "broker": "mqtt"}
Found = TypeVar("Found")


def wait_for(what: str, look: Callable[[], Found | None], seconds: float = 90) -> Found:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what} did not come within {seconds:.0f} s")


class RunningDemo:
    """One run of `python -m energyopti.demo` on embedded servers, whatever the test run uses."""

    def __init__(self, state: Path, *, devices: int = 8, speed: int = 600) -> None:
        self.state = state
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        # Servers, settings and clock of the test run are not the demo's.
        own = ("DATABASE_", "REDIS_", "MQTT_", "CLOCK_", "DJANGO_", "EOP_", "DEMO_")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(own)}
        state.mkdir(parents=True, exist_ok=True)
        self.words = state / "demo.txt"
        self._output = self.words.open("wb")
        self._started = time.monotonic()
        self.seconds = 0.0  # from the start to the welcome
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "energyopti.demo", f"--state={state}", f"--port={port}"),
                *(f"--devices={devices}", f"--speed={speed}"),
            ],
            cwd=ROOT,
            env=environment | {"PYTHONUNBUFFERED": "1"},
            stdout=self._output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def wait_until_it_runs(self) -> float:
        """Return the seconds from the start to the page that says what to look at."""

        def ready() -> bool:
            assert self.process.poll() is None, self.words.read_text()
            return "Ctrl-C stops everything" in self.words.read_text()

        wait_for("the demo", ready, START_SECONDS)
        return time.monotonic() - self._started

    def pid(self, name: str) -> int:
        """Return the process of that name, 0 while there is none."""
        if name in SERVERS:
            lock = self.state / SERVERS[name] / "lock"
            words = lock.read_text().split()
            if len(words) < 2:
                return 0  # a server that starts is just writing it
            pid = int(words[1])
            return pid if is_alive(pid) else 0
        for pid in children_of(self.process.pid):
            if any(PROGRAMS[name] in word for word in command_of(pid)):
                return pid
        return 0

    def environment(self) -> dict[str, str]:
        """Return the environment that the demo gave its web server."""
        pairs = Path(f"/proc/{self.pid('web')}/environ").read_bytes().decode().split("\0")
        return dict(pair.split("=", 1) for pair in pairs if "=" in pair)

    def leftovers(self) -> list[str]:
        """Return the command lines of processes that carry this run's state folder."""
        found = []
        marks = (f"EOP_STATE_DIR={self.state}".encode(), str(self.state).encode())
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                has_state = marks[0] in (entry / "environ").read_bytes().split(b"\0")
                works_there = os.readlink(entry / "cwd").startswith(str(self.state))
                if (has_state or works_there) and is_alive(int(entry.name)):
                    found.append(" ".join(command_of(int(entry.name))))
        return found

    def interrupt(self) -> tuple[int, str]:
        """Press Ctrl-C; return the exit code and the demo's last line."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(60)
        return code, self.words.read_text().strip().splitlines()[-1]

    def end(self) -> None:
        """Leave nothing running, whatever the test did."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._output.close()


def children_of(parent: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{parent}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found += map(int, (task / "children").read_text().split())
    return found


def command_of(pid: int) -> list[str]:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode().strip("\0").split("\0")
    return []


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Trader(threading.Thread):
    """
    Capture deal after deal over REST until told to stop; a request without an answer goes again.

    `acknowledged` maps each Idempotency-Key to the reference of its 201; `refused` has the words
    of answers that are none (there should not be any).
    """

    def __init__(self, url: str) -> None:
        super().__init__(name="trader", daemon=True)
        self.acknowledged: dict[str, str] = {}
        self.replayed = 0
        self.unanswered = 0
        self.refused: list[str] = []
        self.failure: Exception | None = None
        self._client = httpx.Client(base_url=url, follow_redirects=True, timeout=20)
        self._stopping = threading.Event()

    def run(self) -> None:
        try:
            for side in itertools.cycle("BS"):
                self._capture(f"{side} 1MW DE base Cal27 @ 85.20 cpty:ACME book:EU")
                if self._stopping.wait(0.3):
                    return
        except Exception as error:  # noqa: BLE001  the test raises it in its own thread
            self.failure = error

    def stop(self) -> None:
        """Wait for the answer of the present deal, so that none is left undecided."""
        self._stopping.set()
        self.join(120)
        assert not self.is_alive(), "the trader waits for an answer that never comes"
        self._client.close()
        if self.failure is not None:
            raise self.failure

    def _capture(self, text: str) -> None:
        key = str(uuid.uuid4())
        while True:
            try:
                if "sessionid" not in self._client.cookies:
                    self._sign_in()
                answer = self._client.post(
                    "/api/v1/trading/trades",
                    json={"text": text, "reason": "a load for the test"},
                    headers={
                        "X-CSRFToken": self._client.cookies.get("csrftoken", ""),
                        "Referer": str(self._client.base_url),
                        "Idempotency-Key": key,
                    },
                )
            except httpx.TransportError:
                self.unanswered += 1
                time.sleep(0.2)
                continue
            if answer.status_code == httpx.codes.CREATED:
                self.acknowledged[key] = answer.json()["ref"]
                self.replayed += "Idempotent-Replayed" in answer.headers
                return
            if answer.status_code in (401, 403):
                self._client.cookies.clear()
            elif answer.status_code < 500 and answer.status_code not in (409, 429):
                self.refused.append(f"{answer.status_code} {answer.text[:300]}")
                return
            else:
                self.unanswered += 1
            time.sleep(0.3)

    def _sign_in(self) -> None:
        form = self._client.get("/accounts/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
        self._client.post(
            "/accounts/login/",
            data={
                "login": "trader@demo.example",
                "password": PASSWORD,
                "csrfmiddlewaretoken": token[1] if token else "",
            },
            headers={"Referer": str(form.url)},
        )
        if "sessionid" not in self._client.cookies:
            time.sleep(0.5)
