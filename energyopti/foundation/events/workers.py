"""Run followers: one thread each, under a lease, woken by NOTIFY with a half-second poll behind."""

import logging
import threading
from collections.abc import Iterable

import django.db
import psycopg
from django.conf import settings
from django.db import connection, connections

from energyopti.foundation.leases import Lease

from .followers import Follower
from .relay import advance, ensure_cursor, retry_due

logger = logging.getLogger(__name__)

CHANNEL = "events"
POLL_SECONDS = 0.5
# After a wake-up that found nothing: the event's transaction waits for an older one to end.
NUDGE_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
RECONNECT_SECONDS = 0.5


def direct_conninfo() -> str:
    """Return the DSN that bypasses any transaction pooler."""
    return str(settings.DATABASE_DIRECT_URL)


class FollowerWorker(threading.Thread):
    """
    Relay one follower until `stop` is set; standing by while another process has its lease.

    A lost database is waited for. Any other error ends the thread and is kept in `failure`: it is
    a fault of ours, and whoever started the process should see it end.
    """

    def __init__(self, follower: Follower, conninfo: str, stop: threading.Event) -> None:
        super().__init__(name=f"follower-{follower.name}", daemon=True)
        self.follower = follower
        self.failure: BaseException | None = None
        self.leading = threading.Event()
        self._conninfo = conninfo
        self._stop_asked = stop

    def run(self) -> None:
        try:
            while not self._stop_asked.is_set():
                try:
                    with Lease(self._conninfo, f"follower:{self.follower.name}") as lease:
                        self._serve(lease)
                except (psycopg.OperationalError, django.db.Error) as error:
                    logger.warning("follower %s: database lost (%s)", self.follower.name, error)
                    connection.close()
                    self._stop_asked.wait(RECONNECT_SECONDS)
                finally:
                    self.leading.clear()
        except BaseException as error:
            self.failure = error
            logger.exception("follower %s has failed", self.follower.name)
            self._stop_asked.set()
        finally:
            connections.close_all()

    def _serve(self, lease: Lease) -> None:
        while not lease.hold():
            if self._stop_asked.wait(POLL_SECONDS):
                return
        lease.connection.execute(f"LISTEN {CHANNEL}")
        ensure_cursor(self.follower)
        self.leading.set()
        logger.info("follower %s: reading the log", self.follower.name)
        idle = 0
        while not self._stop_asked.is_set():
            worked = self._work()
            if worked:
                idle = 0
                continue
            pause = NUDGE_SECONDS[idle] if idle < len(NUDGE_SECONDS) else POLL_SECONDS
            idle += 1
            if self._woken(lease, pause):
                idle = 0

    def _work(self) -> bool:
        step = advance(self.follower)
        return bool(retry_due(self.follower)) or step.events > 0 or step.more

    @staticmethod
    def _woken(lease: Lease, seconds: float) -> bool:
        """Wait for a notification; one stands for all that came with it."""
        woken = False
        for _ in lease.connection.notifies(timeout=seconds, stop_after=1):
            woken = True
        return woken


def run_followers(
    followers: Iterable[Follower], *, conninfo: str, stop: threading.Event
) -> list[FollowerWorker]:
    """
    Run workers until `stop` is set and all have ended; return them with their failures.

    A worker that fails sets `stop` for all.
    """
    workers = [FollowerWorker(follower, conninfo, stop) for follower in followers]
    for worker in workers:
        worker.start()
    stop.wait()
    for worker in workers:
        worker.join()
    return workers
