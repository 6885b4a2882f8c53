"""
The base of every live websocket: who may watch, the snapshot first, then the newest frames.

Each frame is the whole state of a topic: `{"sequence", "topic", "as_of", …}`. A client draws a
frame whose sequence is not below the one it shows. `{"feed": "down"}` and `{"feed": "up"}` tell it
to poll and to stop polling; after "up" the snapshots come again.
"""

import asyncio
import contextlib
import json
import logging
import time
from typing import Any, ClassVar

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.contrib.auth import HASH_SESSION_KEY, get_user_model
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.db import InterfaceError, OperationalError
from django.http import Http404

from .hub import FeedLost, Mailbox, hub

logger = logging.getLogger(__name__)

MESSAGE_TOO_BIG, TRY_AGAIN_LATER, NOT_UNDERSTOOD = 1009, 1013, 4400
NOT_SIGNED_IN, NOT_ALLOWED, NOT_FOUND, TOO_MANY = 4401, 4403, 4404, 4429
RECHECK_SECONDS = 30.0
INBOUND_BYTES = 2048
INBOUND_PER_MINUTE = 60


class LiveConsumer(AsyncWebsocketConsumer):
    """
    Send the snapshots of the topics a page watches, then every newer state of them.

    A subclass says what may be watched (`topics`) and what is true now (`snapshot`); both run in a
    thread and may use the database. The only message a client sends is `{"action": "snapshot"}`.

    frame   JSON Schema of a snapshot, `required` and `properties`, for the AsyncAPI document
    """

    frame: ClassVar[dict[str, Any]] = {"required": [], "properties": {}}

    def topics(self, scope: dict[str, Any]) -> list[str]:
        """
        Return the topics of this address for the user in the scope; asked again every 30 s.

        :raises PermissionDenied: if the user's roles do not allow it (closes with 4403).
        :raises Http404: if there is no such object for the user (closes with 4404).
        """
        raise TypeError(f"{type(self).__name__} does not say which topics it has")

    def snapshot(self, topic: str) -> dict[str, Any]:
        """Return the present state of a topic, as `publish` would send it, with `as_of`."""
        raise TypeError(f"{type(self).__name__} does not say what is true of {topic}")

    async def connect(self) -> None:
        # Closing before accepting would reach browsers as a bare 403 without our code.
        await self.accept()
        self._tasks: list[asyncio.Task[None]] = []
        self._mailbox = Mailbox()
        self._sent: dict[str, int] = {}
        self._inbound: list[float] = []
        self._told_feed_is_up = True
        code, self._topics = await self._allowed()
        if code is not None:
            await self.close(code)
            return
        try:
            await hub().join(self._mailbox, self._topics)
        except FeedLost:
            await self._send_feed(is_up=False)
        await self._send_snapshots()
        self._tasks = [
            asyncio.create_task(self._pump(), name="live-pump"),
            asyncio.create_task(self._recheck(), name="live-recheck"),
        ]

    async def disconnect(self, code: int) -> None:
        current = asyncio.current_task()
        for task in self._tasks:
            if task is not current:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        await hub().leave(self._mailbox)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        size = len(bytes_data or b"") + len((text_data or "").encode())
        if size > INBOUND_BYTES:
            await self.close(MESSAGE_TOO_BIG)
            return
        now = time.monotonic()
        self._inbound = [*(at for at in self._inbound if at > now - 60), now]
        if len(self._inbound) > INBOUND_PER_MINUTE:
            await self.close(TOO_MANY)
            return
        try:
            message = json.loads(text_data or "")
        except ValueError:
            message = None
        if message != {"action": "snapshot"}:
            await self.close(NOT_UNDERSTOOD)
            return
        await self._send_snapshots()

    async def _pump(self) -> None:
        while True:
            frames = await self._mailbox.take()
            if self._mailbox.feed_is_up != self._told_feed_is_up:
                await self._send_feed(is_up=self._mailbox.feed_is_up)
                if self._told_feed_is_up:
                    await self._send_snapshots()
            for topic, (sequence, text) in frames.items():
                if sequence > self._sent.get(topic, -1):
                    self._sent[topic] = sequence
                    await self.send(text)

    async def _recheck(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            code, topics = await self._allowed()
            if code is None and topics != self._topics:
                code = NOT_ALLOWED  # the page connects again and gets what it may see now
            if code is not None:
                await self.close(code)
                return

    async def _send_snapshots(self) -> None:
        """
        Send each topic's present state under the number of the latest frame before it was read.

        A frame published while it is read has a higher number and follows.
        """
        try:
            sequences = await hub().sequences(self._topics)
        except FeedLost:
            sequences = [self._sent.get(topic, 0) for topic in self._topics]
        for topic, sequence in zip(self._topics, sequences, strict=True):
            state = await database_sync_to_async(self.snapshot)(topic)
            self._sent[topic] = max(sequence, self._sent.get(topic, 0))
            await self.send(_text({"sequence": sequence, "topic": topic} | state))

    async def _send_feed(self, *, is_up: bool) -> None:
        self._told_feed_is_up = is_up
        await self.send(_text({"feed": "up" if is_up else "down"}))

    async def _allowed(self) -> tuple[int | None, list[str]]:
        """Return the topics, or the code to close with; nobody watches what cannot be checked."""
        try:
            return await database_sync_to_async(self._allowed_now)()
        except (OperationalError, InterfaceError) as error:
            logger.warning("live socket is told to come back: %s", error)
            return TRY_AGAIN_LATER, []

    def _allowed_now(self) -> tuple[int | None, list[str]]:
        user = _present_user(self.scope)
        if user is None:
            return NOT_SIGNED_IN, []
        try:
            return None, self.topics({**self.scope, "user": user})
        except PermissionDenied:
            return NOT_ALLOWED, []
        except (Http404, ObjectDoesNotExist):
            return NOT_FOUND, []


def _present_user(scope: dict[str, Any]) -> Any:
    """Return the user as the database has it now; None if signed out, changed or closed since."""
    user = scope.get("user")
    if user is None or not user.is_authenticated:
        return None
    present = get_user_model().objects.filter(pk=user.pk, is_active=True).first()
    session = scope.get("session")
    if present is None or session is None or session.session_key is None:
        return present
    if not session.exists(session.session_key):
        return None
    # A changed password ends the sessions that were opened with the old one.
    opened_with = session.get(HASH_SESSION_KEY)
    if opened_with and opened_with != present.get_session_auth_hash():
        return None
    return present


def _text(frame: dict[str, Any]) -> str:
    return json.dumps(frame, cls=DjangoJSONEncoder, separators=(",", ":"))
