"""A device's poll that finds nothing new (304), beside a view that does nothing, under granian."""

import asyncio
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from devices.schedules.services import publish_schedules
from energyopti.accounts.services.roles import synchronize_roles
from tests.factories.devices import make_device, make_schedule, system, token_of

from .runner import Bench, benchmark

CONNECTIONS = 16
SECONDS = 3.0
ROUNDS = 3
WORKERS = 2


@benchmark("device_poll")
def device_poll(bench: Bench) -> None:
    """Ask over kept-alive connections; the one that asks shares the two processors."""
    synchronize_roles()
    device = make_device("POLL-1")
    token = token_of(device)
    publish_schedules(actor=system(), drafts=[make_schedule(device)], published_at=timezone.now())
    polled, greeted = [], []
    with Server() as server:
        path = f"/api/v1/devices/{device.pk}/schedule"
        headers = {"Authorization": f"Bearer {token}"}
        tag = asyncio.run(etag(server.port, path, headers))
        poll = request(path, {**headers, "If-None-Match": tag})
        hello = request("/api/v1/devices/hello", headers)
        for _ in range(ROUNDS):
            greeted.append(asyncio.run(rate(server.port, hello, b"200")))
            polled.append(asyncio.run(rate(server.port, poll, b"304")))
    device.delete()
    value = statistics.median(polled)
    bench.record(
        "polls answered 304",
        value=value,
        unit="/s",
        reference="a view that says hello, same middleware",
        reference_value=statistics.median(greeted),
        target=0.35,
    )
    bench.record(
        "polls answered 304",
        value=value,
        unit="/s",
        reference="the target on two processors",
        reference_value=1000,
        target=1.0,
    )


class Server:
    """granian with the product's WSGI application and one more route."""

    def __enter__(self) -> "Server":
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "granian", "--interface", "wsgi"),
                *("--port", str(self.port), "--workers", str(WORKERS), "--no-access-log"),
                *("--log-level", "warning", "energyopti.wsgi:application"),
            ],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.benchmarks.hello"},
            cwd=Path(settings.BASE_DIR),
        )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            if self._process.poll() is not None:
                raise RuntimeError(f"granian ended with {self._process.returncode}")
            time.sleep(0.1)
        self.__exit__()
        raise TimeoutError("granian does not listen")

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def request(path: str, headers: dict[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: bytes
) -> tuple[bytes, bytes]:
    """Return the status and the head of one answer; its body is read and dropped."""
    writer.write(asked)
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    if (at := lower.find(b"content-length: ")) >= 0 and not head.startswith(b"HTTP/1.1 304"):
        await reader.readexactly(int(lower[at + 16 : lower.index(b"\r\n", at)]))
    return head[9:12], head


async def etag(port: int, path: str, headers: dict[str, str]) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    status, head = await answer(reader, writer, request(path, headers))
    writer.close()
    assert status == b"200", head
    (tag,) = [line for line in head.decode().split("\r\n") if line.lower().startswith("etag: ")]
    return tag.partition(": ")[2]


async def rate(port: int, asked: bytes, expected: bytes) -> float:
    """Return answers a second over all connections; any other status is an error."""
    until = time.perf_counter() + SECONDS

    async def ask() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        count = 0
        while time.perf_counter() < until:
            status, head = await answer(reader, writer, asked)
            assert status == expected, head
            count += 1
        writer.close()
        return count

    started = time.perf_counter()
    counts = await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))
    return sum(counts) / (time.perf_counter() - started)
