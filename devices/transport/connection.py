"""
One lasting MQTT session: fixed client id, no clean start, acknowledged by hand after commit.

Speaks MQTT 5 where the broker does and 3.1.1 where it does not (amqtt).
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

logger = logging.getLogger(__name__)
SESSION_EXPIRY_SECONDS = 14 * 24 * 3600
ANSWER_SECONDS = 3.0


class BrokerUnavailable(ConnectionError):
    """No broker answers at the address."""


def make_client(url: str, client_id: str, protocol: int, *, lasting: bool) -> mqtt.Client:
    """Return an unconnected client for `mqtt://user:password@host:port` or `mqtts://…`."""
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=protocol,  # type: ignore[arg-type]  # paho's enum is an int on the wire
        clean_session=None if protocol == mqtt.MQTTv5 else not lasting,
        manual_ack=lasting,
    )
    parts = urlsplit(url)
    if parts.username:
        client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
    if parts.scheme == "mqtts":
        client.tls_set()
    client.max_inflight_messages_set(1000)
    client.max_queued_messages_set(0)
    client.reconnect_delay_set(min_delay=1, max_delay=10)
    return client


def connect(client: mqtt.Client, url: str, *, lasting: bool) -> None:
    """Open the connection; MQTT 5 says by property how long the session outlives it."""
    parts = urlsplit(url)
    options: dict[str, Any] = {"keepalive": 20}
    if client.protocol == mqtt.MQTTv5:
        options["clean_start"] = not lasting
        if lasting:
            options["properties"] = Properties(PacketTypes.CONNECT)
            options["properties"].SessionExpiryInterval = SESSION_EXPIRY_SECONDS
    client.connect(parts.hostname or "127.0.0.1", parts.port or 1883, **options)


def spoken_protocol(url: str) -> int:
    """
    Find out by trying which version the broker speaks: 5, else 3.1.1.

    :raises BrokerUnavailable: if it speaks neither, or is not there.
    """
    for protocol in (mqtt.MQTTv5, mqtt.MQTTv311):
        client = make_client(url, "", protocol, lasting=False)
        if protocol == mqtt.MQTTv311:
            client._clean_session = True
        answered: list[bool] = []
        client.on_connect = lambda _c, _u, _f, reason, _p, said=answered: said.append(
            not reason.is_failure
        )
        try:
            connect(client, url, lasting=False)
            until = time.monotonic() + ANSWER_SECONDS
            while not answered and time.monotonic() < until:
                if client.loop(timeout=0.1) != mqtt.MQTT_ERR_SUCCESS:
                    break
            client.disconnect()
        except OSError as error:
            raise BrokerUnavailable(f"No MQTT broker answers at {_shown(url)}: {error}") from error
        if answered and answered[0]:
            return int(protocol)
    raise BrokerUnavailable(f"The broker at {_shown(url)} speaks neither MQTT 5 nor 3.1.1.")


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or 1883}"


class Session:
    """A lasting session in a thread of paho's; it reconnects by itself and subscribes again."""

    def __init__(
        self,
        url: str,
        client_id: str,
        *,
        subscriptions: list[str],
        on_message: Callable[[mqtt.MQTTMessage], None],
    ) -> None:
        self._url = url
        self.connected = threading.Event()
        self.connections = 0
        self.client = make_client(url, client_id, spoken_protocol(url), lasting=True)
        self._subscriptions = [(name, 1) for name in subscriptions]
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = lambda _client, _userdata, message: on_message(message)

    def open(self) -> None:
        connect(self.client, self._url, lasting=True)
        self.client.loop_start()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def publish(self, name: str, payload: bytes, *, retain: bool = False) -> mqtt.MQTTMessageInfo:
        return self.client.publish(name, payload, qos=1, retain=retain)

    def acknowledge(self, message: mqtt.MQTTMessage) -> None:
        """Tell the broker that the message is stored here and need not come again."""
        self.client.ack(message.mid, message.qos)

    def _on_connect(self, client: mqtt.Client, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        if reason.is_failure:
            logger.warning("MQTT: the broker refused the connection: %s", reason)
            return
        client.subscribe(self._subscriptions)
        self.connections += 1
        self.connected.set()

    def _on_disconnect(self, _c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        self.connected.clear()
        if reason.is_failure:
            logger.warning("MQTT: disconnected (%s); connecting again", reason)
