"""Speak MQTT with the server: the schedule is retained, what waits is published until confirmed."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from uuid import UUID

import aiomqtt

from devices import wire
from devices.edge.cloud._backoff import Backoff
from devices.edge.cloud._http import _report_refusals
from devices.edge.cloud._store import ACKS, TELEMETRY, EdgeStore

logger = logging.getLogger(__name__)
MESSAGES_AT_ONCE = 100
# Real seconds after which a message without a confirmation is sent once more.
RESEND_SECONDS = 10.0


@dataclass
class _Batch:
    """Messages on their way: the keys not confirmed yet, and when they were sent (monotonic)."""

    keys: set[str]
    sent_at: float


class MqttCloud:
    """
    One battery's conversation over the topics `<root>/d/<device>/…`.

    Of each kind one batch is on its way, and what comes after it waits until it is confirmed: no
    acknowledgement can overtake an earlier one of its order, whatever is killed in between. A
    battery that has nothing to say does nothing.

    protocol        of the broker; None tries MQTT 5 and falls back to 3.1.1.
    send_seconds    real seconds between batches, so that they gather messages.
    spread_seconds  real seconds within which a fleet that starts at once connects.
    """

    def __init__(
        self,
        device_id: UUID,
        store: EdgeStore,
        url: str,
        root: str,
        *,
        on_schedule: Callable[[wire.Schedule], None],
        send_seconds: float = 1.0,
        spread_seconds: float = 2.0,
        protocol: aiomqtt.ProtocolVersion | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._device_id, self._store = device_id, store
        self._url, self._root = urlsplit(url), f"{root}/d/{device_id}"
        self._on_schedule = on_schedule
        self._send_seconds, self._spread_seconds = send_seconds, spread_seconds
        self._versions = (
            [aiomqtt.ProtocolVersion.V5, aiomqtt.ProtocolVersion.V311]
            if protocol is None
            else [protocol]
        )
        self._backoff = backoff or Backoff()
        self._on_the_way: dict[str, _Batch] = {}
        self._awake = asyncio.Event()
        self._met = False  # whether the broker took the last connection

    async def run(self) -> None:
        """Stay connected until cancelled; a broker that is away is asked less and less often."""
        self._awake = asyncio.Event()  # of the loop that runs now
        self._store.wake(self._device_id, self._awake.set)
        await asyncio.sleep(self._spread_seconds * self._backoff.dice.random())
        while True:
            for version in list(self._versions):
                self._met = False
                try:
                    await self._converse(version)
                except aiomqtt.MqttError as error:
                    logger.info("device %s: %s", self._device_id, error)
                if self._met:
                    break
            await asyncio.sleep(self._backoff.next())

    def _client(self, version: aiomqtt.ProtocolVersion) -> aiomqtt.Client:
        is_5 = version is aiomqtt.ProtocolVersion.V5
        url = self._url
        return aiomqtt.Client(
            url.hostname or "127.0.0.1",
            url.port or 1883,
            identifier=f"device-{self._device_id}",
            username=unquote(url.username) if url.username else None,
            password=unquote(url.password or "") if url.username else None,
            protocol=version,
            clean_start=True if is_5 else 3,  # 3: paho's word for "not asked"
            clean_session=None if is_5 else True,
            tls_params=aiomqtt.TLSParameters() if url.scheme == "mqtts" else None,
            keepalive=30,
            timeout=10,
        )

    async def _converse(self, version: aiomqtt.ProtocolVersion) -> None:
        async with self._client(version) as client:
            self._on_the_way.clear()
            await client.subscribe([(f"{self._root}/schedule", 1), (f"{self._root}/confirm", 1)])
            self._met = True
            # What the broker speaks is tried first the next time.
            self._versions.sort(key=lambda other: other is not version)
            self._backoff.reset()
            # Whichever ends first ends the conversation: a battery that only listens is a dead one.
            both = [
                asyncio.create_task(self._listen(client)),
                asyncio.create_task(self._send_forever(client)),
            ]
            try:
                ended, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    task.result()
            finally:
                # Once more until it is heard: aiomqtt's own `wait_for` may lose one.
                while running := [task for task in both if not task.done()]:
                    for task in running:
                        task.cancel()
                    await asyncio.wait(running, timeout=0.2)

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            self._take(str(message.topic), bytes(message.payload))

    def _take(self, topic: str, payload: bytes) -> None:
        try:
            if topic == f"{self._root}/confirm":
                self._confirmed(wire.parse(payload, wire.Confirmation))
            elif topic == f"{self._root}/schedule":
                # Empty is no schedule, only the end of the retained one: orders stand until
                # others come.
                if payload:
                    self._on_schedule(wire.parse(payload, wire.Schedule))
            else:
                logger.debug("device %s: %s is not ours", self._device_id, topic)
        except wire.WireError as error:
            logger.warning("device %s: unreadable %s: %s", self._device_id, topic, error)

    def _confirmed(self, confirmation: wire.Confirmation) -> None:
        _report_refusals(self._device_id, confirmation)
        keys = [receipt.key for receipt in confirmation.results]
        self._store.confirm(self._device_id, keys)
        for kind, batch in list(self._on_the_way.items()):
            batch.keys.difference_update(keys)
            if not batch.keys:
                del self._on_the_way[kind]
                self._awake.set()

    async def _send_forever(self, client: aiomqtt.Client) -> None:
        while True:
            self._awake.clear()
            for kind in (ACKS, TELEMETRY):
                await self._send(client, kind)
            await asyncio.sleep(self._backoff.spread(self._send_seconds))
            times = [batch.sent_at + RESEND_SECONDS for batch in self._on_the_way.values()]
            wait = max(0.0, min(times) - time.monotonic()) if times else None
            # Not `wait_for`: before Python 3.12 it loses a cancel that comes with the wake-up.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._awake.wait()

    async def _send(self, client: aiomqtt.Client, kind: str) -> None:
        now = time.monotonic()
        batch = self._on_the_way.get(kind)
        if batch is not None and now - batch.sent_at < RESEND_SECONDS:
            return
        due = self._store.pending(self._device_id, kind, MESSAGES_AT_ONCE)
        if not due:
            self._on_the_way.pop(kind, None)
            return
        self._on_the_way[kind] = _Batch({message.key for message in due}, now)
        body = b"[" + b",".join(message.payload for message in due) + b"]"
        await client.publish(f"{self._root}/{kind}", body, qos=1)
