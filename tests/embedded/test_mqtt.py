import os
import signal
import time
from pathlib import Path

import aiomqtt
import pytest

from energyopti.embedded.errors import ServerUnavailable
from energyopti.embedded.mqtt import EmbeddedMqtt, find_mosquitto
from tests.embedded.waiting import wait_until

needs_mosquitto = pytest.mark.skipif(
    find_mosquitto() is None, reason="Mosquitto is not installed on this machine"
)


def client(server: EmbeddedMqtt, **options) -> aiomqtt.Client:
    version = aiomqtt.ProtocolVersion.V5 if server.kind == "mosquitto" else None
    return aiomqtt.Client("127.0.0.1", server.port, protocol=version, **options)


async def retained(server: EmbeddedMqtt, topic: str) -> bytes:
    async with client(server) as reader:
        await reader.subscribe(topic, qos=1)
        async for message in reader.messages:
            return bytes(message.payload)
    raise AssertionError("the connection ended without a message")


@pytest.mark.parametrize("kind", [pytest.param("mosquitto", marks=needs_mosquitto), "amqtt"])
async def test_carries_retained_messages(folder: Path, kind) -> None:
    with EmbeddedMqtt(folder / "mqtt", durable=False, kind=kind) as server:
        assert server.kind == kind
        assert server.url == f"mqtt://127.0.0.1:{server.port}"
        async with client(server) as publisher:
            await publisher.publish("devices/1/schedule", b"plan", qos=1, retain=True)

        assert await retained(server, "devices/+/schedule") == b"plan"


@needs_mosquitto
async def test_killed_mosquitto_keeps_messages_older_than_a_second(folder: Path) -> None:
    with EmbeddedMqtt(folder / "mqtt", durable=True, kind="mosquitto") as server:
        port = server.port
        async with client(server) as publisher:
            await publisher.publish("devices/1/schedule", b"plan", qos=1, retain=True)
        stored = server.folder / "mosquitto.db"
        published_at = time.time()
        # Saved by a later second than that of the message.
        wait_until(lambda: stored.exists() and stored.stat().st_mtime > published_at)
        os.kill(server.pid or 0, signal.SIGKILL)
        wait_until(server.has_died)

        server.restart()

        assert server.port == port
        assert await retained(server, "devices/+/schedule") == b"plan"


@needs_mosquitto
def test_mosquitto_may_open_as_many_files_as_the_machine_allows(folder: Path) -> None:
    with EmbeddedMqtt(folder / "mqtt", durable=False, kind="mosquitto") as server:
        limits = Path(f"/proc/{server.pid}/limits").read_text()

    (line,) = (line for line in limits.splitlines() if line.startswith("Max open files"))
    soft, hard = line.split()[3:5]
    assert soft == hard


def test_missing_mosquitto_is_named_when_it_is_asked_for(folder: Path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr("energyopti.embedded.mqtt.SYSTEM_FOLDERS", str(folder))

    with pytest.raises(ServerUnavailable, match="apt-get install mosquitto"):
        EmbeddedMqtt(folder / "mqtt", kind="mosquitto")
    assert EmbeddedMqtt(folder / "mqtt").kind == "amqtt"
