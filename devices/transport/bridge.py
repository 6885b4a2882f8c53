"""
The bridge between the broker and the tables; one process, restarted at will.

Nothing is confirmed before it is committed, and nothing leaves the outbox before its device
confirmed it: killing bridge, broker or database at any moment costs time only.
"""

import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable
from datetime import datetime

import paho.mqtt.client as mqtt
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from devices import wire

from .connection import BrokerUnavailable, Session
from .inbox import Incoming, store
from .outbox import send_everything, send_open_deliveries
from .topics import ACKS, CONFIRM, SCHEDULE, TELEMETRY, epoch_topic, parse_topic, topic

logger = logging.getLogger(__name__)
BATCH = 500
PAUSE_SECONDS = 0.1
EPOCH_WAIT_SECONDS = 1.0


class Bridge:
    """
    Run the bridge until `stop` is set.

    clock    gives business time; called for each batch.
    """

    def __init__(self, url: str, root: str, *, clock: Callable[[], datetime]) -> None:
        self._url, self._root, self._clock = url, root, clock
        self._inbox: queue.Queue[mqtt.MQTTMessage] = queue.Queue(maxsize=20_000)
        self._epoch_seen_in = 0  # number of the connection that brought the marker
        self._session: Session | None = None
        self._greeted = 0
        self._greet_at = 0.0

    def run(self, stop: threading.Event) -> None:
        """Work until asked to stop; a broker or database that is away is waited for."""
        while not stop.is_set() and self._session is None:
            try:
                # Known before it opens: what the broker kept arrives on the first connection.
                self._session = Session(
                    self._url,
                    f"{self._root}-bridge",
                    subscriptions=[
                        epoch_topic(self._root),
                        topic(self._root, "+", ACKS),
                        topic(self._root, "+", TELEMETRY),
                    ],
                    on_message=self._take,
                )
                self._session.open()
            except (BrokerUnavailable, OSError) as error:
                self._session = None
                logger.warning("%s", error)
                stop.wait(1)
        if self._session is None:
            return
        try:
            while not stop.is_set():
                self._turn(stop)
        finally:
            self._session.close()
            connection.close()

    def _turn(self, stop: threading.Event) -> None:
        try:
            close_old_connections()
            self._greet()
            worked = self._empty_inbox(stop)
            if self._connected.is_set() and self._greeted == self._live.connections:
                worked = bool(send_open_deliveries(self._send)) or worked
            if not worked:
                stop.wait(PAUSE_SECONDS)
        except (OperationalError, InterfaceError) as error:
            logger.warning("bridge: the database does not answer (%s)", error)
            connection.close()
            stop.wait(1)

    @property
    def _live(self) -> Session:
        assert self._session is not None
        return self._session

    @property
    def _connected(self) -> threading.Event:
        return self._live.connected

    def _take(self, message: mqtt.MQTTMessage) -> None:
        if message.topic == epoch_topic(self._root):
            if message.payload:  # an empty one clears the marker: the memory is gone
                self._epoch_seen_in = self._live.connections
            self._live.acknowledge(message)
            return
        # A full inbox holds up the broker, which keeps the rest.
        self._inbox.put(message)

    def _greet(self) -> None:
        """After each connection look for the epoch; a broker without it lost its memory."""
        connections = self._live.connections
        if not self._connected.is_set() or self._greeted == connections:
            self._greet_at = 0.0
            return
        if not self._greet_at:
            self._greet_at = time.monotonic() + EPOCH_WAIT_SECONDS
        if self._epoch_seen_in != connections:
            if time.monotonic() < self._greet_at:
                return
            count = send_everything(self._send)
            self._live.publish(epoch_topic(self._root), uuid.uuid4().hex.encode(), retain=True)
            logger.info("bridge: the broker knew no epoch; %s schedules sent again", count)
        self._greeted = connections
        self._greet_at = 0.0

    def _send(self, device_id: uuid.UUID, document: bytes) -> None:
        self._live.publish(topic(self._root, device_id, SCHEDULE), document, retain=True)

    def _empty_inbox(self, stop: threading.Event) -> bool:
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
        while True:
            try:
                receipts = store(incoming, received_at=self._clock())
                break
            except (OperationalError, InterfaceError) as error:
                logger.warning(
                    "bridge: %s messages wait for the database (%s)", len(messages), error
                )
                connection.close()
                if stop.wait(1):
                    return False  # unacknowledged: the broker brings them again
        for device_id, results in receipts.items():
            self._live.publish(
                topic(self._root, device_id, CONFIRM),
                wire.render(wire.Confirmation(results=tuple(results))),
            )
        for message in messages:
            self._live.acknowledge(message)
        return True
