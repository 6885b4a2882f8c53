"""Requests timed against a budget: by the clock, and the work of this process and its backend."""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.db import connection, reset_queries
from django.test import Client
from django.test.utils import CaptureQueriesContext

from .runner import Bench

BUDGET_MS = 300
SHOWN = 5


@dataclass(frozen=True)
class Request:
    """One request: milliseconds by the clock, and of work here and in the database's backend."""

    name: str
    clock: float
    here: float
    there: float
    queries: int
    content: bytes


def requested(client: Client, address: str, asked: dict[str, str], name: str = "") -> Request:
    """Ask once and read the answer to its end."""
    reset_queries()  # the log of a connection ends at some thousand, and then counts nothing
    with CaptureQueriesContext(connection) as queries:
        there, here, started = _backend_work(), time.process_time(), time.perf_counter()
        answer = client.get(address, asked)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        elapsed = time.perf_counter() - started
        here, there = time.process_time() - here, _backend_work() - there
    assert answer.status_code == 200, (asked, answer.status_code)
    return Request(
        name or str(asked), 1000 * elapsed, 1000 * here, 1000 * there, len(queries), content
    )


def record_requests(
    bench: Bench, what: str, requests: Iterable[Request], *, target: float | None = 1
) -> None:
    """Print the slowest by work, and record 95th percentiles against the budget."""
    found = list(requests)
    for one in sorted(found, key=lambda r: r.here + r.there)[-SHOWN:]:
        print(f"   {one.here:4.0f} + {one.there:4.0f} ms of work, {one.clock:5.0f}  {one.name}")
    load = os.getloadavg()[0]
    print(
        f"   {len(found)} of {what}; queries {sorted({r.queries for r in found})}; load {load:.1f}"
    )
    for kind, times in (
        ("", [r.clock for r in found]),
        (", work without waiting", [r.here + r.there for r in found]),
    ):
        bench.record(
            f"{what}, p95 of {len(found)}{kind}",
            value=sorted(times)[int(0.95 * len(found))], unit="ms", reference="the budget",
            reference_value=BUDGET_MS, better="lower", target=target,
        )  # fmt: skip


def _backend_work() -> float:
    """Return the seconds of work of our backend; 0 where the database is on another machine."""
    stat = Path(f"/proc/{_backend()}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _backend() -> int:
    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)
