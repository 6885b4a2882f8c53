"""The live hub: one publish to many sockets of a process."""

import asyncio
import statistics
import time
from datetime import UTC, datetime

from asgiref.sync import sync_to_async
from django.conf import settings
from redis.asyncio import Redis

from energyopti.foundation.live import publish
from energyopti.foundation.live.hub import Hub, Mailbox
from energyopti.foundation.live.publishing import channel_prefix

from .runner import Bench, benchmark

SOCKETS = 200
ROUNDS = 40


@benchmark("live_fanout")
def live_fanout(bench: Bench) -> None:
    """Compare the hub with one Redis subscription a socket (what a group a page amounts to)."""
    hub, apart = asyncio.run(measure())
    bench.record(
        f"publish to the last of {SOCKETS} mailboxes, p50",
        value=statistics.median(hub),
        unit="ms",
        reference="one Redis subscription a socket",
        reference_value=statistics.median(apart),
        better="lower",
        target=0.5,
    )


async def measure() -> tuple[list[float], list[float]]:
    hub = Hub()
    boxes = [Mailbox() for _ in range(SOCKETS)]
    for box in boxes:
        await hub.join(box, ["bench"])
    with_hub = [await round_trip([box.take() for box in boxes]) for _ in range(ROUNDS)]
    for box in boxes:
        await hub.leave(box)
    client = Redis.from_url(settings.REDIS_URL, socket_timeout=None, max_connections=SOCKETS + 5)
    subscriptions = [client.pubsub(ignore_subscribe_messages=True) for _ in range(SOCKETS)]
    for subscription in subscriptions:
        await subscription.subscribe(channel_prefix() + "bench")
        await subscription.get_message(timeout=1)
    apart = [
        await round_trip([heard(subscription) for subscription in subscriptions])
        for _ in range(ROUNDS)
    ]
    for subscription in subscriptions:
        await subscription.aclose()
    await client.aclose()
    return with_hub, apart


async def heard(subscription: object) -> None:
    while await subscription.get_message(timeout=5) is None:  # type: ignore[attr-defined]
        pass


async def round_trip(waiting: list) -> float:
    """Publish once; return the milliseconds until each waiter has its frame."""
    tasks = [asyncio.create_task(one) for one in waiting]
    await asyncio.sleep(0.01)
    started = time.perf_counter()
    frame = {"as_of": datetime.now(UTC), "text": "x" * 2000}
    await sync_to_async(publish)("bench", frame)
    await asyncio.gather(*tasks)
    return (time.perf_counter() - started) * 1000
