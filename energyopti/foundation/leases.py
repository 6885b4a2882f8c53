"""
Session advisory locks: of all processes that ask for a name, one holds it until its session ends.

They need a connection of their own that no transaction pooler shares, so they take a DSN
(`settings.DATABASE_DIRECT_URL`), not Django's connection.
"""

import contextlib
from types import TracebackType
from typing import Self

import psycopg

CONNECT_SECONDS = 5


class Lease:
    """
    Hold a name while the connection lives; the database frees it when the holder dies.

    The connection is open to its holder for LISTEN as well (`connection`).
    """

    def __init__(self, conninfo: str, name: str) -> None:
        self.name = name
        self._conninfo = conninfo
        self._connection: psycopg.Connection | None = None
        self._held = False

    @property
    def connection(self) -> psycopg.Connection:
        """Return the lease's own session, opened when it is first asked for (autocommit)."""
        if self._connection is None or self._connection.closed:
            self._held = False
            self._connection = psycopg.connect(
                self._conninfo,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                # A database that vanished without a word is noticed in about 20 seconds.
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=2,
                application_name=f"lease {self.name}"[:63],
            )
            # And the database notices as soon that a holder's machine lost its power.
            self._connection.execute(
                "SELECT set_config('tcp_keepalives_idle', '10', false),"
                " set_config('tcp_keepalives_interval', '5', false),"
                " set_config('tcp_keepalives_count', '2', false)"
            )
        return self._connection

    def hold(self) -> bool:
        """
        Tell whether this lease is held now, taking it if it is free.

        :raises psycopg.OperationalError: if the database cannot be reached; the lease is lost.
        """
        try:
            if self._held:
                self.connection.execute("SELECT 1")  # a dead session holds nothing
                if self._held:  # not reopened just now
                    return True
            row = self.connection.execute(
                "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [self.name]
            ).fetchone()
        except psycopg.OperationalError:
            self._held = False
            self.release()
            raise
        self._held = bool(row and row[0])
        return self._held

    def release(self) -> None:
        """Give the name back and end the session."""
        held, self._held = self._held, False
        if self._connection is None:
            return
        if held:
            # The server ends a closed session in its own time; the next holder need not wait.
            with contextlib.suppress(psycopg.OperationalError):
                self._connection.execute(
                    "SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [self.name]
                )
        self._connection.close()
        self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()
