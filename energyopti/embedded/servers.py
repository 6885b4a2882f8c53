"""All servers that a machine lacks, started together and stopped in order."""

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from energyopti.embedded.errors import ServerUnavailable, explained
from energyopti.embedded.mqtt import EmbeddedMqtt
from energyopti.embedded.postgres import EmbeddedPostgres
from energyopti.embedded.server_process import WATCHDOG, EmbeddedServer
from energyopti.embedded.valkey import EmbeddedValkey

POLL_SECONDS = 0.2
ENVIRONMENT_FILE = "servers.env"


class Servers:
    """
    The running servers, `environment` to reach them, and what to do when one dies.

    `running` maps "postgres", "valkey" and "mqtt" to those that were started here; a server whose
    URL the caller's environment names is not in it.
    """

    def __init__(self, state_dir: Path, *, durable: bool, environ: Mapping[str, str]) -> None:
        self.state_dir = Path(state_dir).absolute()
        self.running: dict[str, EmbeddedServer] = {}
        self._given = environ
        self._kept: list[Path] = []
        for variable, name, kind in (
            ("DATABASE_URL", "postgres", EmbeddedPostgres),
            ("REDIS_URL", "valkey", EmbeddedValkey),
            ("MQTT_URL", "mqtt", EmbeddedMqtt),
        ):
            if not environ.get(variable):
                self.running[name] = kind(self.state_dir / name, durable=durable)

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that settings and programs read: the URLs, given or ours."""
        given = {
            name: self._given[name]
            for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "MQTT_URL")
            if self._given.get(name)
        }
        given.setdefault("DATABASE_OWNER_URL", given.get("DATABASE_URL", ""))
        ours: dict[str, str] = {}
        for server in self.running.values():
            match server:
                case EmbeddedPostgres():
                    ours["DATABASE_URL"] = server.url
                    ours["DATABASE_OWNER_URL"] = server.owner_url
                case EmbeddedValkey():
                    ours["REDIS_URL"] = server.url
                case EmbeddedMqtt():
                    ours["MQTT_URL"] = server.url
                    ours["MQTT_BROKER"] = server.kind
        return given | ours

    @property
    def environment_file(self) -> Path:
        """Return the file that tells other terminals the URLs while the servers run."""
        return self.state_dir / ENVIRONMENT_FILE

    def start(self) -> None:
        """
        Start all at once and return when each answers; when one cannot start, none runs.

        :raises ServerUnavailable: from the first that failed.
        """
        make_folder(self.state_dir)
        ready = False
        try:
            with ThreadPoolExecutor(max_workers=3) as pool:
                for start in [pool.submit(server.start) for server in self.running.values()]:
                    start.result()
            self._write_environment()
            ready = True
        finally:
            if not ready:
                self.stop()

    def stop(self) -> None:
        """Stop what was started here, the database last, and remove `servers.env`."""
        if self._kept:
            self.environment_file.unlink(missing_ok=True)
        for server in reversed(self.running.values()):
            server.stop()
        while self._kept:
            WATCHDOG.keep(self._kept.pop())

    def restart(self, name: str) -> None:
        """
        Stop and start one server on the same port.

        :raises KeyError: it was not started here.
        :raises ServerUnavailable: it does not come back.
        """
        self.running[name].restart()

    def poll(self) -> tuple[str, ...]:
        """Return the names of servers that have died."""
        return tuple(name for name, server in self.running.items() if server.has_died())

    def revive(self) -> tuple[str, ...]:
        """
        Restart the servers that have died, on their ports, and return their names.

        :raises ServerUnavailable: one does not come back.
        """
        dead = self.poll()
        for name in dead:
            self.restart(name)
        return dead

    def supervise(self, until: threading.Event, report: Callable[[str], None]) -> None:
        """
        Revive servers until the event is set, calling `report` with each revived name.

        Made for a thread of its own: set the event and join it before `stop`.
        """
        while not until.wait(POLL_SECONDS):
            for name in self.revive():
                report(name)

    def _write_environment(self) -> None:
        path = self.environment_file
        draft = path.with_name(f"{path.name}.new")
        with explained(path):
            draft.unlink(missing_ok=True)
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w") as file:
                file.writelines(f"{name}={url}\n" for name, url in self.environment.items())
            WATCHDOG.remove(path)
            self._kept.append(path)
            draft.rename(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


class TemporaryServers(Servers):
    """Servers in a folder of their own that goes with them, also when we are killed."""

    def start(self) -> None:
        """Start all; see `Servers.start`."""
        WATCHDOG.remove(self.state_dir)
        super().start()

    def stop(self) -> None:
        """Stop all and delete the folder."""
        super().stop()
        for server in self.running.values():
            server.destroy()
        if self.state_dir.exists():
            shutil.rmtree(self.state_dir)
        WATCHDOG.keep(self.state_dir)


def start_servers(state_dir: Path | None, *, durable: bool, environ: Mapping[str, str]) -> Servers:
    """
    Start each server whose URL `environ` does not name, and return when all answer.

    Use it as a context manager: leaving stops what was started.

    state_dir   where their files live; None is a temporary folder that is deleted at the end
    durable     False trades safety against power loss for speed, for tests

    :raises ServerUnavailable: with a sentence for the person who must act.
    """
    servers: Servers
    if state_dir is None:
        folder = Path(tempfile.mkdtemp(prefix="energyopti-"))
        servers = TemporaryServers(folder, durable=durable, environ=environ)
    else:
        servers = Servers(state_dir, durable=durable, environ=environ)
    servers.start()
    return servers


def read_environment(state_dir: Path) -> dict[str, str]:
    """Return what `servers.env` in `state_dir` says; empty while no servers run there."""
    path = Path(state_dir) / ENVIRONMENT_FILE
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    except PermissionError as error:
        raise ServerUnavailable(
            f"{path} belongs to another user: stop their servers or name another folder."
        ) from error
    return dict(line.split("=", 1) for line in lines if "=" in line)


def make_folder(folder: Path) -> None:
    """Make `folder`, and let servers under another account pass through it (not look around)."""
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            folder.chmod(folder.stat().st_mode | 0o011)
