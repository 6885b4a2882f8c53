"""
One Redis subscription for all websockets of a process, and a latest-only slot per (socket, topic).

A burst collapses to its newest frame, and a stalled reader delays nobody else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import weakref
from collections import defaultdict
from typing import TYPE_CHECKING

from django.conf import settings

from .publishing import channel_prefix, sequence_key

if TYPE_CHECKING:
    from redis.asyncio import Redis

logger = logging.getLogger(__name__)

RECONNECT_SECONDS = 0.5


class FeedLost(ConnectionError):
    """Redis cannot be reached: no live frames, and no sequence for a snapshot."""


class Mailbox:
    """
    The newest unsent frame of each topic for one socket.

    `lost` and `resumed` tell that frames may have been missed: the socket then sends snapshots.
    """

    def __init__(self) -> None:
        self._frames: dict[str, tuple[int, str]] = {}
        self._news = asyncio.Event()
        self.feed_is_up = True

    def put(self, topic: str, sequence: int, text: str) -> None:
        self._frames.pop(topic, None)  # a topic's place in the queue is that of its newest frame
        self._frames[topic] = (sequence, text)
        self._news.set()

    def note_feed(self, is_up: bool) -> None:
        self.feed_is_up = is_up
        self._news.set()

    async def take(self) -> dict[str, tuple[int, str]]:
        """Wait for news, and return the unsent frames, oldest first; empty if the feed changed."""
        await self._news.wait()
        self._news.clear()
        frames, self._frames = self._frames, {}
        return frames


class Hub:
    """The process's subscription; it runs while at least one mailbox has joined."""

    def __init__(self) -> None:
        self._topics: dict[str, set[Mailbox]] = defaultdict(set)
        self._reader: asyncio.Task[None] | None = None
        self._subscribed = asyncio.Event()
        self._client: Redis | None = None

    async def join(self, mailbox: Mailbox, topics: list[str], *, seconds: float = 5) -> None:
        """
        Deliver the topics' frames from now on; returns when the subscription stands.

        :raises FeedLost: if it does not within `seconds`; frames will come when it does.
        """
        for topic in topics:
            self._topics[topic].add(mailbox)
        if self._reader is None:
            self._reader = asyncio.create_task(self._read(), name="live-hub")
        try:
            await asyncio.wait_for(self._subscribed.wait(), seconds)
        except TimeoutError:
            mailbox.feed_is_up = False
            raise FeedLost("the live feed is down") from None

    async def leave(self, mailbox: Mailbox) -> None:
        """Forget the mailbox; the last one ends the subscription."""
        for topic in [topic for topic, boxes in self._topics.items() if mailbox in boxes]:
            self._topics[topic].discard(mailbox)
            if not self._topics[topic]:
                del self._topics[topic]
        if not self._topics and self._reader is not None:
            reader, self._reader = self._reader, None
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader

    async def sequences(self, topics: list[str]) -> list[int]:
        """
        Return the number of the latest frame of each topic, 0 if there was none.

        :raises FeedLost: if Redis does not answer.
        """
        from redis.exceptions import RedisError

        if self._client is None:
            raise FeedLost("the live feed is down")
        try:
            values = await self._client.mget([sequence_key(topic) for topic in topics])
        except (RedisError, OSError) as error:
            raise FeedLost(str(error)) from error
        return [int(value or 0) for value in values]

    async def _read(self) -> None:
        from redis.exceptions import RedisError  # slow to import, so only for a first socket

        while True:
            try:
                await self._follow()
            except (RedisError, OSError) as error:
                logger.warning("live feed lost: %s", error)
            self._subscribed.clear()
            self._tell(is_up=False)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _follow(self) -> None:
        from redis.asyncio import Redis

        # No time-out on reading: silence is normal on a subscription.
        async with Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=None,
            socket_connect_timeout=2,
            client_name=f"{settings.REDIS_PREFIX}-live",
        ) as client:
            self._client = client
            prefix = channel_prefix()
            async with client.pubsub() as subscription:
                await subscription.psubscribe(prefix + "*")
                async for message in subscription.listen():
                    if message["type"] == "psubscribe":
                        self._subscribed.set()
                        self._tell(is_up=True)
                    elif message["type"] == "pmessage":
                        self._deliver(message["channel"].decode().removeprefix(prefix), message)

    def _deliver(self, topic: str, message: dict[str, bytes]) -> None:
        if boxes := self._topics.get(topic):
            sequence, _, text = message["data"].decode().partition(" ")
            # The number is known only when the frame is sent, so it is put in here, unparsed.
            text = f'{{"sequence":{sequence},{text[1:]}'
            for mailbox in boxes:
                mailbox.put(topic, int(sequence), text)

    def _tell(self, *, is_up: bool) -> None:
        for mailbox in {mailbox for boxes in self._topics.values() for mailbox in boxes}:
            if mailbox.feed_is_up != is_up:
                mailbox.note_feed(is_up)


_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = weakref.WeakKeyDictionary()


def hub() -> Hub:
    """Return the hub of the running event loop; a server process has one loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
