"""One more deal until its numbers are on an open socket, beside a bare publish and receive."""

import asyncio
import statistics
import time
from datetime import UTC, datetime, timedelta

from asgiref.sync import sync_to_async
from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.accounts.services.roles import synchronize_roles
from energyopti.foundation.live import publish
from energyopti.foundation.live.hub import Mailbox, hub
from risk.services.snapshots import build_snapshot
from tests.factories.risk import curve, quote_history
from tests.factories.trades import RECEIVED_AT, TRADED_AT, Desk, make_desk

from .runner import Bench, benchmark

ROUNDS = 60
SCENARIO_DAYS = 501


@benchmark("deal_to_frame")
def deal_to_frame(bench: Bench) -> None:
    """Measure capture → frame, and commit → frame, on a book of 500 scenarios."""
    whole, after_commit, bare = asyncio.run(measure())
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        bench.record(
            f"commit to frame, {name}",
            value=quantile(after_commit, share),
            unit="ms",
            reference="plain Redis publish to receive",
            reference_value=quantile(bare, share),
            better="lower",
        )
    bench.record(
        "capture call to frame, p95 (target: 250 ms)",
        value=quantile(whole, 0.95),
        unit="ms",
        reference="the target",
        reference_value=250,
        better="lower",
        target=1.0,
    )
    bench.record(
        "capture call to frame, p50",
        value=statistics.median(whole),
        unit="ms",
        reference="plain Redis publish to receive, p50",
        reference_value=statistics.median(bare),
        better="lower",
    )


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ready_desk() -> Desk:
    synchronize_roles()
    desk = make_desk()
    quote_history(desk.market, days=SCENARIO_DAYS)
    curve(desk.market)
    build_snapshot(actor=Actor.system("bench"), valued_at=TRADED_AT)
    return desk


async def measure() -> tuple[list[float], list[float], list[float]]:
    desk = await sync_to_async(ready_desk)()
    box = Mailbox()
    topic = f"book:{desk.book.pk}"
    await hub().join(box, [topic, "bench"])
    whole, after_commit, bare = [], [], []
    for number in range(ROUNDS + 5):
        started = time.perf_counter()
        waiting = asyncio.create_task(box.take())
        committed = await sync_to_async(deal)(desk, number)
        await waiting
        seen = time.perf_counter()
        again = asyncio.create_task(box.take())
        sent = time.perf_counter()
        await sync_to_async(publish)("bench", {"as_of": datetime.now(UTC), "text": "x" * 4000})
        await again
        if number >= 5:  # the first ones load modules and arrays
            whole.append((seen - started) * 1000)
            after_commit.append((seen - committed) * 1000)
            bare.append((time.perf_counter() - sent) * 1000)
    await hub().leave(box)
    return whole, after_commit, bare


def deal(desk: Desk, number: int) -> float:
    """Capture one order; return when its transaction had committed."""
    committed: list[float] = []
    with transaction.atomic():
        # Registered first, so it runs right after the commit and before the frame is made.
        transaction.on_commit(lambda: committed.append(time.perf_counter()))
        desk.deal(
            f"B {number % 7 + 1}MW DE base Cal27 @ {80 + number / 10}",
            traded_at=TRADED_AT - timedelta(minutes=number),
            received_at=RECEIVED_AT,
        )
    return committed[0]
