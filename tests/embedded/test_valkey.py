import os
import signal
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from energyopti.embedded.valkey import EmbeddedValkey
from tests.embedded.waiting import wait_until


def test_killed_server_comes_back_on_its_port_with_what_it_acknowledged(folder: Path) -> None:
    with EmbeddedValkey(folder / "valkey", durable=True) as server:
        port = server.port
        with redis.Redis.from_url(server.url) as client:
            for number in range(500):
                assert client.rpush("queue", number) == number + 1
            os.kill(server.pid or 0, signal.SIGKILL)
        wait_until(server.has_died)

        server.restart()

        assert server.port == port
        with redis.Redis.from_url(server.url) as client:
            assert client.llen("queue") == 500
            assert client.config_get("appendonly") == {"appendonly": "yes"}
            assert client.config_get("bind") == {"bind": "127.0.0.1"}


def test_fast_server_forgets(folder: Path) -> None:
    server = EmbeddedValkey(folder / "valkey", durable=False)
    with server, redis.Redis.from_url(server.url) as client:
        client.set("key", "value")

    with server, redis.Redis.from_url(server.url) as client:
        assert client.get("key") is None


def test_password_is_asked_for_and_is_in_no_process_list(folder: Path) -> None:
    with EmbeddedValkey(folder / "valkey", durable=False) as server:
        password = (folder / "valkey" / "valkey.password").read_text().strip()
        command_line = Path(f"/proc/{server.pid}/cmdline").read_text()

        assert password in server.url
        assert password not in command_line
        with (
            redis.Redis(host="127.0.0.1", port=server.port, retry=Retry(NoBackoff(), 0)) as client,
            pytest.raises(redis.AuthenticationError),
        ):
            client.ping()
