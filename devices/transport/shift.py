"""A bridge's time at work: one lasting session at the broker, from getting the lease to its end."""

import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from types import TracebackType
from typing import Self

import paho.mqtt.client as mqtt
from django.db import close_old_connections

from devices import wire

from .connection import Session
from .inbox import Incoming, store
from .outbox import send_everything, send_open_deliveries
from .topics import ACKS, CONFIRM, SCHEDULE, TELEMETRY, epoch_topic, parse_topic, topic

logger = logging.getLogger(__name__)
BATCH = 500
PAUSE_SECONDS = 0.1
EPOCH_WAIT_SECONDS = 1.0
# A bridge whose lease went over to another stops within this time; what both stored meanwhile
# counts once, as messages are known by their keys.
LEASE_SECONDS = 1.0


class Shift:
    """
    The work itself.

    The session has the same client id in every shift, of every bridge: what the broker kept for
    the last one, unacknowledged messages too, comes to the next. A database that goes away ends
    the shift.

    :raises BrokerUnavailable: if there is no broker.
    """

    def __init__(self, url: str, root: str, *, clock: Callable[[], datetime]) -> None:
        self._root, self._clock = root, clock
        self._inbox: queue.Queue[mqtt.MQTTMessage] = queue.Queue(maxsize=20_000)
        self._closing = threading.Event()
        self._epoch_seen_in = 0  # number of the connection that brought the marker
        self._greeted = 0
        self._greet_at = 0.0
        # Known before it opens: what the broker kept arrives on the first connection.
        self._session = Session(
            url,
            f"{root}-bridge",
            subscriptions=[
                epoch_topic(root),
                topic(root, "+", ACKS),
                topic(root, "+", TELEMETRY),
            ],
            on_message=self._take,
        )

    def __enter__(self) -> Self:
        self._session.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._session.close()

    def work(self, stop: threading.Event, *, may_go_on: Callable[[], bool]) -> None:
        """Turn until stopped, or until the lease is gone: asked before messages are stored."""
        asked = 0.0
        while not stop.is_set():
            if time.monotonic() - asked >= LEASE_SECONDS:
                if not may_go_on():
                    return
                asked = time.monotonic()
            self._turn(stop)

    def _turn(self, stop: threading.Event) -> None:
        close_old_connections()
        self._greet()
        worked = self._empty_inbox()
        if self._session.connected.is_set() and self._greeted == self._session.connections:
            worked = bool(send_open_deliveries(self._send)) or worked
        if not worked:
            stop.wait(PAUSE_SECONDS)

    def _take(self, message: mqtt.MQTTMessage) -> None:
        if message.topic == epoch_topic(self._root):
            # Only what was retained proves a memory, and an empty payload clears it.
            if message.retain and message.payload:
                self._epoch_seen_in = self._session.connections
            self._session.acknowledge(message)
            return
        # A full inbox holds up the broker, which keeps the rest.
        while not self._closing.is_set():
            try:
                self._inbox.put(message, timeout=0.5)
            except queue.Full:
                continue
            return

    def _greet(self) -> None:
        """After each connection look for the epoch; a broker without it lost its memory."""
        connections = self._session.connections
        if not self._session.connected.is_set() or self._greeted == connections:
            self._greet_at = 0.0
            return
        if not self._greet_at:
            self._greet_at = time.monotonic() + EPOCH_WAIT_SECONDS
        if self._epoch_seen_in != connections:
            if time.monotonic() < self._greet_at:
                return
            count = send_everything(self._send)
            self._session.publish(epoch_topic(self._root), uuid.uuid4().hex.encode(), retain=True)
            logger.info("bridge: the broker knew no epoch; %s schedules sent again", count)
        self._greeted = connections
        self._greet_at = 0.0

    def _send(self, device_id: uuid.UUID, document: bytes) -> None:
        self._session.publish(topic(self._root, device_id, SCHEDULE), document, retain=True)

    def _empty_inbox(self) -> bool:
        """
        Store what waits, then confirm it to the devices, then to the broker.

        If the database does not answer nothing is confirmed, and the broker brings it again.
        """
        messages: list[mqtt.MQTTMessage] = []
        while len(messages) < BATCH:
            try:
                messages.append(self._inbox.get_nowait())
            except queue.Empty:
                break
        if not messages:
            return False
        incoming = []
        for message in messages:
            if (named := parse_topic(self._root, message.topic)) is not None:
                incoming.append(Incoming(named[0], named[1], bytes(message.payload)))
        receipts = store(incoming, received_at=self._clock())
        for device_id, results in receipts.items():
            self._session.publish(
                topic(self._root, device_id, CONFIRM),
                wire.render(wire.Confirmation(results=tuple(results))),
            )
        for message in messages:
            self._session.acknowledge(message)
        return True
