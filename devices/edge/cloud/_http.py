"""Speak HTTP with the server: poll for the schedule, post what waits in the store."""

import asyncio
import logging
from collections.abc import Callable
from uuid import UUID

import httpx

from devices import wire
from devices.edge.cloud._backoff import Backoff
from devices.edge.cloud._store import ACKS, TELEMETRY, EdgeStore, Pending

logger = logging.getLogger(__name__)
MESSAGES_AT_ONCE = 200


class HttpCloud:
    """
    One battery's conversation.

    client           shared by all batteries of the process; its base URL is the server's.
    poll_seconds     real seconds between polls for a schedule.
    on_schedule      called with each schedule that is new.
    """

    def __init__(
        self,
        device_id: UUID,
        token: str,
        store: EdgeStore,
        client: httpx.AsyncClient,
        *,
        on_schedule: Callable[[wire.Schedule], None],
        poll_seconds: float = 5.0,
        backoff: Backoff | None = None,
    ) -> None:
        self._device_id, self._store, self._client = device_id, store, client
        self._root = f"/api/v1/devices/{device_id}"
        self._headers = {"Authorization": f"Bearer {token}"}
        self._on_schedule = on_schedule
        self._poll_seconds = poll_seconds
        self._backoff = backoff or Backoff()
        self._etag = ""

    async def run(self) -> None:
        """Poll and post until cancelled; a server that is away is asked less and less often."""
        # A fleet that starts at once must not poll at once.
        await asyncio.sleep(self._poll_seconds * self._backoff.dice.random())
        while True:
            try:
                await self.poll()
                await self.send()
                self._backoff.reset()
                await asyncio.sleep(self._poll_seconds * (0.9 + 0.2 * self._backoff.dice.random()))
            except (httpx.HTTPError, wire.WireError) as error:
                wait = self._backoff.next()
                logger.info("device %s: %r; again in %.1f s", self._device_id, error, wait)
                await asyncio.sleep(wait)

    async def poll(self) -> bool:
        """
        Ask for the schedule and hand a new one on; tell whether there was one.

        :raises httpx.HTTPError: if the server is away or refuses.
        :raises wire.WireError: if what it sends is no schedule.
        """
        headers = {**self._headers, **({"If-None-Match": self._etag} if self._etag else {})}
        answer = await self._client.get(f"{self._root}/schedule", headers=headers)
        if answer.status_code in (204, 304):
            return False
        answer.raise_for_status()
        self._on_schedule(wire.parse(answer.content, wire.Schedule))
        self._etag = answer.headers.get("ETag", "")
        return True

    async def send(self) -> int:
        """Post everything that waits, oldest first; return how many messages were answered."""
        count = 0
        for kind in (ACKS, TELEMETRY):
            while pending := self._store.pending(self._device_id, kind, MESSAGES_AT_ONCE):
                await self._post(kind, pending)
                count += len(pending)
        return count

    async def _post(self, kind: str, pending: list[Pending]) -> None:
        answer = await self._client.post(
            f"{self._root}/{kind}",
            content=b"[" + b",".join(message.payload for message in pending) + b"]",
            headers={**self._headers, "Content-Type": "application/json"},
        )
        answer.raise_for_status()
        confirmation = wire.parse(answer.content, wire.Confirmation)
        _report_refusals(self._device_id, confirmation)
        answered = {receipt.key for receipt in confirmation.results}
        if not answered >= {message.key for message in pending}:
            raise wire.WireError("the confirmation does not name every message")
        self._store.confirm(self._device_id, sorted(answered))


def _report_refusals(device_id: UUID, confirmation: wire.Confirmation) -> None:
    for receipt in confirmation.results:
        if not receipt.is_stored:
            logger.warning(
                "device %s: the server refused %s (%s): %s",
                device_id,
                receipt.key,
                receipt.code,
                receipt.detail,
            )
