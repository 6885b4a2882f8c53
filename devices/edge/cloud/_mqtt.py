"""Speak MQTT with the server: the schedule is retained, what waits is published until confirmed."""

import asyncio
import logging
import time
from collections.abc import Callable
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


class MqttCloud:
    """
    One battery's conversation over the topics `<root>/d/<device>/…`.

    protocol    of the broker; None tries MQTT 5 and falls back to 3.1.1.
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
        protocol: aiomqtt.ProtocolVersion | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._device_id, self._store = device_id, store
        self._url, self._root = urlsplit(url), f"{root}/d/{device_id}"
        self._on_schedule = on_schedule
        self._send_seconds = send_seconds
        self._protocol = protocol
        self._backoff = backoff or Backoff()
        self._sent: dict[str, float] = {}

    async def run(self) -> None:
        """Stay connected until cancelled; a broker that is away is asked less and less often."""
        await asyncio.sleep(2 * self._backoff.dice.random())  # spreads a reconnecting fleet
        while True:
            versions = (
                [self._protocol]
                if self._protocol is not None
                else [aiomqtt.ProtocolVersion.V5, aiomqtt.ProtocolVersion.V311]
            )
            for version in versions:
                try:
                    await self._converse(version)
                except aiomqtt.MqttError as error:
                    logger.info("device %s: %s", self._device_id, error)
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
            self._protocol = version
            self._sent.clear()
            await client.subscribe([(f"{self._root}/schedule", 1), (f"{self._root}/confirm", 1)])
            self._backoff.reset()
            sender = asyncio.create_task(self._send_forever(client))
            try:
                async for message in client.messages:
                    self._take(str(message.topic), bytes(message.payload))
            finally:
                sender.cancel()
                await asyncio.gather(sender, return_exceptions=True)

    def _take(self, topic: str, payload: bytes) -> None:
        try:
            if topic.endswith("/schedule"):
                self._on_schedule(wire.parse(payload, wire.Schedule))
            else:
                confirmation = wire.parse(payload, wire.Confirmation)
                _report_refusals(self._device_id, confirmation)
                keys = [receipt.key for receipt in confirmation.results]
                self._store.confirm(self._device_id, keys)
                for key in keys:
                    self._sent.pop(key, None)
        except wire.WireError as error:
            logger.warning("device %s: unreadable %s: %s", self._device_id, topic, error)

    async def _send_forever(self, client: aiomqtt.Client) -> None:
        while True:
            for kind in (ACKS, TELEMETRY):
                await self._send(client, kind)
            await asyncio.sleep(self._backoff.spread(self._send_seconds))

    async def _send(self, client: aiomqtt.Client, kind: str) -> None:
        now = time.monotonic()
        due = [
            message
            for message in self._store.pending(self._device_id, kind, MESSAGES_AT_ONCE)
            if now - self._sent.get(message.key, -RESEND_SECONDS) >= RESEND_SECONDS
        ]
        if not due:
            return
        body = b"[" + b",".join(message.payload for message in due) + b"]"
        await client.publish(f"{self._root}/{kind}", body, qos=1)
        self._sent.update({message.key: now for message in due})
