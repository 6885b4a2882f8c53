"""One SQLite file: schedules, states and the messages that the server has not confirmed yet."""

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

_TABLES = """
CREATE TABLE IF NOT EXISTS schedule (device TEXT PRIMARY KEY, document BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS state (device TEXT PRIMARY KEY, document BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (device, kind, key)
);
CREATE INDEX IF NOT EXISTS outbox_device ON outbox (device, kind, number);
"""
ACKS, TELEMETRY = "acks", "telemetry"


@dataclass(frozen=True)
class Pending:
    """A message that waits for its confirmation, named by its key."""

    kind: str
    key: str
    payload: bytes


class EdgeStore:
    """
    Durable memory of the batteries of one process; writes become durable by `commit`.

    What a step of the battery changes (state, messages) is committed together, so a restart finds
    either all of it or nothing.
    """

    def __init__(self, path: Path | str) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.executescript(_TABLES)
        # What may have messages; who has none is not asked of the file hundreds of times a second.
        self._waiting: set[tuple[str, str]] = set(
            self._database.execute("SELECT DISTINCT device, kind FROM outbox")
        )
        self._put_since: set[UUID] = set()
        self._wakers: dict[UUID, Callable[[], None]] = {}

    def close(self) -> None:
        self.commit()
        self._database.close()

    def commit(self) -> None:
        if self._database.in_transaction:
            self._database.execute("COMMIT")
        put, self._put_since = self._put_since, set()
        for device in put & self._wakers.keys():
            self._wakers[device]()

    def wake(self, device: UUID, waker: Callable[[], None]) -> None:
        """Call `waker` after each commit that brought messages of the battery."""
        self._wakers[device] = waker

    def _write(self, statement: str, values: Sequence[object]) -> None:
        if not self._database.in_transaction:
            self._database.execute("BEGIN")
        self._database.execute(statement, values)

    def keep_schedule(self, device: UUID, document: bytes) -> None:
        self._write(
            "INSERT INTO schedule VALUES (?, ?) "
            "ON CONFLICT (device) DO UPDATE SET document = excluded.document",
            (str(device), document),
        )

    def schedule_of(self, device: UUID) -> bytes | None:
        return self._one("SELECT document FROM schedule WHERE device = ?", device)

    def keep_state(self, device: UUID, document: bytes) -> None:
        self._write(
            "INSERT INTO state VALUES (?, ?) "
            "ON CONFLICT (device) DO UPDATE SET document = excluded.document",
            (str(device), document),
        )

    def state_of(self, device: UUID) -> bytes | None:
        return self._one("SELECT document FROM state WHERE device = ?", device)

    def _one(self, statement: str, device: UUID) -> bytes | None:
        row = self._database.execute(statement, (str(device),)).fetchone()
        return None if row is None else bytes(row[0])

    def put(self, device: UUID, kind: str, key: str, payload: bytes) -> None:
        """Keep a message until it is confirmed; the same key again is the same message."""
        self._write(
            "INSERT INTO outbox (device, kind, key, payload) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            (str(device), kind, key, payload),
        )
        self._waiting.add((str(device), kind))
        self._put_since.add(device)

    def pending(self, device: UUID, kind: str, limit: int) -> list[Pending]:
        """Return the oldest messages that wait."""
        if (str(device), kind) not in self._waiting:
            return []
        rows = self._database.execute(
            "SELECT kind, key, payload FROM outbox WHERE device = ? AND kind = ? "
            "ORDER BY number LIMIT ?",
            (str(device), kind, limit),
        )
        found = [Pending(*row) for row in rows]
        if not found:
            self._waiting.discard((str(device), kind))
        return found

    def confirm(self, device: UUID, keys: Sequence[str]) -> None:
        """Forget messages that the server has answered for."""
        for key in keys:
            self._write("DELETE FROM outbox WHERE device = ? AND key = ?", (str(device), key))
        self.commit()

    def waiting(self) -> int:
        """Return how many messages wait, of all batteries."""
        return int(self._database.execute("SELECT count(*) FROM outbox").fetchone()[0])
