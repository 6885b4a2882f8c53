import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from energyopti.embedded.errors import ServerUnavailable
from energyopti.embedded.ports import free_port
from energyopti.embedded.postgres import EmbeddedPostgres, processes_in
from tests.embedded.waiting import wait_until


@pytest.fixture
def database(folder: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(folder / "postgres", durable=False) as server:
        yield server


def rows(url: str, statement: str) -> list[tuple]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_owner_makes_tables_that_the_application_fills_but_cannot_change(database) -> None:
    rows(database.owner_url, "CREATE TABLE trade (id serial PRIMARY KEY, price numeric)")

    rows(database.url, "INSERT INTO trade (price) VALUES (-12.5)")
    assert rows(database.url, "SELECT id, price::text FROM trade") == [(1, "-12.5")]
    for statement in (
        "CREATE TABLE public.other (id int)",
        "DROP TABLE trade",
        "ALTER TABLE trade ADD COLUMN note text",
        "TRUNCATE trade",
        "CREATE SCHEMA mine",
        "CREATE DATABASE mine",
        "CREATE ROLE mine",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(database.url, statement)


def test_owner_is_no_superuser_and_its_test_databases_have_extensions_and_rights(database) -> None:
    rows(database.owner_url, "CREATE DATABASE test_eop")
    test_owner_url = database.owner_url.removesuffix("/eop") + "/test_eop"
    test_url = database.url.removesuffix("/eop") + "/test_eop"

    rows(
        test_owner_url,
        "CREATE TABLE booking (device int, period tstzrange, name citext, "
        "EXCLUDE USING gist (device WITH =, period WITH &&))",
    )
    rows(test_url, "INSERT INTO booking VALUES (1, '[2026-03-29, 2026-03-30)', 'A')")

    assert rows(test_url, "SELECT device FROM booking WHERE name = 'a'") == [(1,)]
    assert rows(test_url, "SELECT similarity('price', 'price')") == [(1.0,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(test_url, "DROP TABLE booking")
    assert rows(
        database.owner_url,
        "SELECT rolname, rolsuper, rolcreatedb FROM pg_roles WHERE rolname LIKE 'eop%' ORDER BY 1",
    ) == [("eop_admin", True, True), ("eop_app", False, False), ("eop_owner", False, True)]


def test_listens_on_the_loopback_address_only_and_asks_for_the_password(database) -> None:
    assert rows(database.owner_url, "SHOW listen_addresses") == [("127.0.0.1",)]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", database.port)).close()
    assert list(database.data_dir.rglob(".s.PGSQL*")) == []
    for role in ("eop_admin", "eop_owner", "eop_app"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(
                f"postgresql://{role}@127.0.0.1:{database.port}/eop", password="guess"
            ).close()
    for secret in database.data_dir.glob("*.password"):
        assert secret.stat().st_mode & 0o777 == 0o600


def test_fast_mode_trades_safety_and_durable_mode_does_not(folder: Path) -> None:
    with EmbeddedPostgres(folder / "postgres", durable=False) as server:
        assert rows(server.owner_url, "SHOW fsync") == [("off",)]

    with EmbeddedPostgres(folder / "postgres", durable=True) as server:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert rows(server.owner_url, f"SHOW {setting}") == [("on",)], setting
        assert rows(server.owner_url, "SHOW max_connections") == [("200",)]


def test_killed_while_committing_comes_back_with_every_acknowledged_row(folder: Path) -> None:
    with EmbeddedPostgres(folder / "postgres", durable=True) as server:
        rows(server.owner_url, "CREATE TABLE trade (id int PRIMARY KEY)")
        port = server.port
        for _ in range(3):
            acknowledged = _commit_until_killed(server)

            assert server.has_died()
            server.restart()

            assert server.port == port
            found = {identifier for (identifier,) in rows(server.url, "SELECT id FROM trade")}
            assert acknowledged <= found
            assert len(acknowledged) >= 20


def _commit_until_killed(server: EmbeddedPostgres) -> set[int]:
    """Return the ids whose commit was answered before the postmaster was killed."""
    acknowledged: set[int] = set()
    enough = threading.Event()

    def commit() -> None:
        try:
            with psycopg.connect(server.url, autocommit=True) as connection:
                ((start,),) = connection.execute("SELECT coalesce(max(id), 0) FROM trade")
                for identifier in range(start + 1, start + 1_000_000):
                    connection.execute("INSERT INTO trade VALUES (%s)", [identifier])
                    acknowledged.add(identifier)
                    if len(acknowledged) == 20:
                        enough.set()
        except psycopg.OperationalError:
            return

    writer = threading.Thread(target=commit)
    writer.start()
    assert enough.wait(20)
    os.kill(server.pid or 0, signal.SIGKILL)
    writer.join(20)
    assert not writer.is_alive()
    wait_until(server.has_died)
    return acknowledged


def test_session_that_outlives_its_killed_postmaster_does_not_block_the_restart(database) -> None:
    """A backend in a long computation notices the postmaster's death late."""
    busy = psycopg.connect(database.url, autocommit=True)
    caller = threading.Thread(target=_ignore_lost_connection, args=(busy,))
    caller.start()
    wait_until(
        lambda: (
            rows(
                database.owner_url,
                "SELECT count(*) FROM pg_stat_activity WHERE usename = 'eop_app' "
                "AND pid <> pg_backend_pid()",
            )
            == [(1,)]
        )
    )
    os.kill(database.pid or 0, signal.SIGKILL)
    wait_until(database.has_died)

    database.restart()

    assert rows(database.url, "SELECT 1") == [(1,)]
    caller.join(20)
    busy.close()


def _ignore_lost_connection(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT count(*) FROM generate_series(1, 1000000000) a")


def test_stale_pid_file_with_a_strangers_number_is_no_obstacle(folder: Path) -> None:
    with EmbeddedPostgres(folder / "postgres", durable=False) as server:
        rows(server.owner_url, "CREATE TABLE kept ()")
        stale = (server.folder / "cluster" / "postmaster.pid").read_text()
    pid_file = server.folder / "cluster" / "postmaster.pid"
    pid_file.write_text(stale.replace(stale.split()[0], "1", 1))

    with server:
        assert rows(server.url, "SELECT * FROM kept") == []


def test_port_is_remembered_while_it_is_free(folder: Path) -> None:
    with EmbeddedPostgres(folder / "postgres", durable=False) as server:
        first = server.port
    with EmbeddedPostgres(folder / "postgres", durable=False) as server:
        assert server.port == first

    with (
        socket.create_server(("127.0.0.1", first)),
        EmbeddedPostgres(folder / "postgres", durable=False) as server,
    ):
        assert server.port != first
        assert rows(server.url, "SELECT 1") == [(1,)]


def test_wanted_port_that_is_taken_is_named(folder: Path) -> None:
    port = free_port()
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(ServerUnavailable, match=f"Port {port} .* is taken by another program"),
    ):
        EmbeddedPostgres(folder / "postgres", port=port, durable=False).start()

    with EmbeddedPostgres(folder / "postgres", port=port, durable=False) as server:
        assert urlsplit(server.url).port == port


def test_two_owners_of_one_folder_are_refused_and_the_first_keeps_running(database) -> None:
    with pytest.raises(ServerUnavailable, match=f"process {database.pid}, started by process"):
        EmbeddedPostgres(database.data_dir, durable=False).start()

    assert rows(database.url, "SELECT 1") == [(1,)]


def test_postgres_started_by_hand_on_the_cluster_is_left_alone(folder: Path) -> None:
    server = EmbeddedPostgres(folder / "postgres", durable=False)
    with server:
        command = server._command()
        options = (
            {"user": server.account.uid, "group": server.account.gid} if server.account else {}
        )
    log = (folder / "by-hand.log").open("wb")
    with log, subprocess.Popen(command, cwd="/", stdout=log, stderr=log, **options) as by_hand:
        try:
            wait_until(server.answers)
            server._wanted_port = free_port()

            with pytest.raises(ServerUnavailable, match=f"process {by_hand.pid}. runs on"):
                server.start()

            assert server.pid is None
            assert by_hand.poll() is None
        finally:
            by_hand.send_signal(signal.SIGINT)


def test_cluster_of_another_major_version_says_what_to_do(folder: Path) -> None:
    with EmbeddedPostgres(folder / "postgres", durable=False) as server:
        marker = server.folder / "cluster" / "PG_VERSION"
    marker.write_text("15\n")

    with pytest.raises(ServerUnavailable, match="made by PostgreSQL 15 and this is PostgreSQL 1"):
        server.start()


def test_interrupted_creation_leaves_nothing_half_made(folder: Path) -> None:
    server = EmbeddedPostgres(folder / "postgres", durable=False)
    draft = folder / "postgres" / "pgdata" / "draft"
    draft.mkdir(parents=True)
    (draft / "PG_VERSION").write_text("18\n")

    with server:
        assert rows(server.url, "SELECT 1") == [(1,)]
        assert not draft.exists()


def test_damaged_cluster_gives_the_servers_own_words(folder: Path) -> None:
    with EmbeddedPostgres(folder / "postgres", durable=False) as server:
        control = server.folder / "cluster" / "global" / "pg_control"
    control.unlink()

    with pytest.raises(ServerUnavailable, match=r"PostgreSQL did not start: .*pg_control.*see "):
        server.start()


def test_no_process_is_left_after_stop(database) -> None:
    cluster = database.folder / "cluster"
    assert database.pid in processes_in(cluster)

    database.stop()

    assert processes_in(cluster) == set()
