"""Many batteries in one process: one ticker advances them all, each has its own conversation."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from devices.edge.agent import Agent
from devices.edge.cloud import EdgeStore
from devices.edge.core import Clock

logger = logging.getLogger(__name__)


async def run_agents(
    agents: Sequence[Agent],
    conversations: Sequence[Callable[[], Coroutine[Any, Any, None]]],
    store: EdgeStore,
    *,
    clock: Clock,
    tick_seconds: float = 0.25,
) -> None:
    """
    Advance the batteries with the clock until cancelled; then commit what they did.

    tick_seconds    real seconds between advances; exactness does not depend on it.
    """
    async with asyncio.TaskGroup() as group:
        group.create_task(_tick(agents, store, clock, tick_seconds))
        for conversation in conversations:
            group.create_task(conversation())


async def _tick(
    agents: Sequence[Agent], store: EdgeStore, clock: Clock, tick_seconds: float
) -> None:
    try:
        while True:
            now = clock.now()
            for number, agent in enumerate(agents, start=1):
                agent.advance(now)
                if number % 50 == 0:  # hundreds of batteries must not silence the conversations
                    await asyncio.sleep(0)
            store.commit()
            await asyncio.sleep(tick_seconds)
    finally:
        store.commit()
