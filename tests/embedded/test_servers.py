import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest
import redis

from energyopti.embedded.errors import ServerUnavailable
from energyopti.embedded.postgres import processes_in
from energyopti.embedded.servers import read_environment, start_servers
from energyopti.embedded.valkey import EmbeddedValkey
from tests.embedded.waiting import wait_until


def test_gives_urls_and_writes_them_for_other_terminals_while_running(folder: Path) -> None:
    state_dir = folder / "state"
    with start_servers(state_dir, durable=False, environ={}) as servers:
        environment = servers.environment
        assert set(environment) == {
            "DATABASE_URL",
            "DATABASE_OWNER_URL",
            "REDIS_URL",
            "MQTT_URL",
            "MQTT_BROKER",
        }
        assert read_environment(state_dir) == environment
        assert (state_dir / "servers.env").stat().st_mode & 0o777 == 0o600
        psycopg.connect(environment["DATABASE_OWNER_URL"]).close()
        pids = [server.pid for server in servers.running.values()]

    assert read_environment(state_dir) == {}
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_given_urls_are_passed_on_and_nothing_is_started(folder: Path) -> None:
    given = {
        "DATABASE_URL": "postgresql://app@db.example/eop",
        "REDIS_URL": "redis://cache.example/0",
        "MQTT_URL": "mqtt://broker.example",
    }
    with start_servers(folder / "state", durable=True, environ=given) as servers:
        assert servers.running == {}
        assert servers.environment == given | {
            "DATABASE_OWNER_URL": "postgresql://app@db.example/eop"
        }


def test_only_the_missing_server_is_started(folder: Path) -> None:
    given = {
        "DATABASE_URL": "postgresql://app@db.example/eop",
        "DATABASE_OWNER_URL": "postgresql://owner@db.example/eop",
        "REDIS_URL": "",
        "MQTT_URL": "mqtt://broker.example",
    }
    with start_servers(folder / "state", durable=False, environ=given) as servers:
        assert list(servers.running) == ["valkey"]
        assert servers.environment["DATABASE_OWNER_URL"] == given["DATABASE_OWNER_URL"]
        with redis.Redis.from_url(servers.environment["REDIS_URL"]) as client:
            assert client.ping()


def test_second_start_finds_the_same_servers(folder: Path) -> None:
    with start_servers(folder / "state", durable=True, environ={}) as servers:
        first = servers.environment
    with start_servers(folder / "state", durable=True, environ={}) as servers:
        assert servers.environment == first


def test_dead_servers_are_named_and_revived_on_their_ports(folder: Path) -> None:
    with start_servers(folder / "state", durable=True, environ={}) as servers:
        before = servers.environment
        assert servers.poll() == ()
        for server in servers.running.values():
            os.kill(server.pid or 0, signal.SIGKILL)
        wait_until(lambda: len(servers.poll()) == 3)

        assert servers.revive() == ("postgres", "valkey", "mqtt")

        assert servers.poll() == ()
        assert servers.environment == before
        assert all(server.answers() for server in servers.running.values())


def test_supervisor_revives_until_told_to_end(folder: Path) -> None:
    given = {"DATABASE_URL": "x", "MQTT_URL": "x"}
    with start_servers(folder / "state", durable=True, environ=given) as servers:
        until, revived = threading.Event(), []
        supervisor = threading.Thread(target=servers.supervise, args=(until, revived.append))
        supervisor.start()
        os.kill(servers.running["valkey"].pid or 0, signal.SIGKILL)

        wait_until(lambda: revived == ["valkey"])

        until.set()
        supervisor.join(10)
        assert servers.running["valkey"].answers()


def test_one_server_restarts_alone(folder: Path) -> None:
    with start_servers(folder / "state", durable=False, environ={}) as servers:
        pids = {name: server.pid for name, server in servers.running.items()}

        servers.restart("valkey")

        after = {name: server.pid for name, server in servers.running.items()}
        assert after["valkey"] != pids["valkey"]
        assert after["postgres"] == pids["postgres"]
        with pytest.raises(KeyError):
            servers.restart("redis")


def test_when_one_cannot_start_none_is_left_running(folder: Path) -> None:
    state_dir = folder / "state"
    state_dir.mkdir()
    (state_dir / "valkey").write_text("a file where a folder must be")

    with pytest.raises(ServerUnavailable, match="valkey is in the way"):
        start_servers(state_dir, durable=False, environ={})

    # Its lock is free again, so nothing of it runs.
    (state_dir / "valkey").unlink()
    with start_servers(state_dir, durable=False, environ={}) as servers:
        assert servers.poll() == ()
    assert read_environment(state_dir) == {}


def test_second_start_on_the_same_state_is_refused(folder: Path) -> None:
    with start_servers(folder / "state", durable=False, environ={}) as servers:
        with pytest.raises(ServerUnavailable, match="already runs on"):
            start_servers(folder / "state", durable=False, environ={})

        assert read_environment(folder / "state") == servers.environment
        assert all(server.answers() for server in servers.running.values())


def test_temporary_servers_leave_nothing() -> None:
    with start_servers(None, durable=False, environ={}) as servers:
        state_dir = servers.state_dir
        assert (state_dir / "servers.env").exists()

    assert not state_dir.exists()


def test_server_left_behind_by_owner_and_watchdog_is_named_with_the_remedy(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both killed at once, as by the kernel when memory ends: the server holds its folder."""
    monkeypatch.setattr("energyopti.embedded.server_process.PREDECESSOR_SECONDS", 0.3)
    script = (
        "import os, pathlib, sys\n"
        "from energyopti.embedded.server_process import WATCHDOG\n"
        "from energyopti.embedded.valkey import EmbeddedValkey\n"
        "server = EmbeddedValkey(pathlib.Path(sys.argv[1]))\n"
        "server.start()\n"
        "print(server.pid, flush=True)\n"
        "os.kill(WATCHDOG._process.pid, 9)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    project = Path(__file__).resolve().parents[2]
    owner = subprocess.run(
        [sys.executable, "-c", script, str(folder / "valkey")],
        cwd=project,
        stdout=subprocess.PIPE,
        check=False,
    )
    left_behind = int(owner.stdout)

    with pytest.raises(ServerUnavailable, match=f"end it with `kill -TERM {left_behind}`"):
        EmbeddedValkey(folder / "valkey").start()

    os.kill(left_behind, signal.SIGTERM)
    wait_until(lambda: processes_in(folder / "valkey" / "valkey") == set())
    with EmbeddedValkey(folder / "valkey") as server:
        assert server.answers()


def test_environment_file_of_another_user_is_named(folder: Path) -> None:
    if os.geteuid() == 0:
        script = (
            "import os, pathlib, sys; os.setgroups([]); os.setgid(65534)\n"
            "from energyopti.embedded.errors import ServerUnavailable\n"
            "from energyopti.embedded.servers import read_environment\n"
            "os.setuid(65534)\n"
            "try: read_environment(pathlib.Path(sys.argv[1]))\n"
            "except ServerUnavailable as error: print(error)\n"
        )
        (folder / "servers.env").touch(mode=0o600)
        done = subprocess.run(
            [sys.executable, "-c", script, str(folder)],
            cwd=Path(__file__).resolve().parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "servers.env belongs to another user: stop their servers" in done.stdout
    else:
        pytest.skip("only root can try another account")
