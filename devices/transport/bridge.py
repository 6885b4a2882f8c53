"""
Between the broker and the tables: one bridge at work, any number standing by, killed at will.

Nothing is confirmed before it is committed, and nothing leaves the outbox before its device
confirmed it: killing bridge, broker or database at any moment costs time only.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

import psycopg
from django.db import InterfaceError, OperationalError, connection

from energyopti.foundation.leases import Lease

from .connection import BrokerUnavailable
from .shift import Shift

logger = logging.getLogger(__name__)
STAND_BY_SECONDS = 0.5
AGAIN_SECONDS = 1.0
DATABASE_IS_AWAY = (OperationalError, InterfaceError, psycopg.OperationalError)


class Bridge:
    """
    Run a bridge until `stop` is set: at work while it holds the lease, else standing by.

    clock       gives business time; called for each batch.
    conninfo    DSN of the database past any pooler; the lease is a session of its own. It is
                named after the root: bridges of other topics work beside this one.
    """

    def __init__(
        self, url: str, root: str, *, clock: Callable[[], datetime], conninfo: str
    ) -> None:
        self._url, self._root, self._clock, self._conninfo = url, root, clock, conninfo
        self.leading = threading.Event()

    def run(self, stop: threading.Event) -> None:
        """Work until asked to stop; a broker or database that is away is waited for."""
        try:
            while not stop.is_set():
                try:
                    with Lease(self._conninfo, f"mqtt-bridge:{self._root}") as lease:
                        self._serve(lease, stop)
                except DATABASE_IS_AWAY as error:
                    logger.warning("bridge: the database does not answer (%s)", error)
                    connection.close()
                    stop.wait(AGAIN_SECONDS)
                except (BrokerUnavailable, OSError) as error:
                    logger.warning("bridge: %s", error)
                    stop.wait(AGAIN_SECONDS)
        finally:
            connection.close()

    def _serve(self, lease: Lease, stop: threading.Event) -> None:
        if not lease.hold():
            logger.info("bridge: standing by, another one is at work")
        while not lease.hold():
            if stop.wait(STAND_BY_SECONDS):
                return
        logger.info("bridge: at work")
        self.leading.set()
        try:
            with Shift(self._url, self._root, clock=self._clock) as shift:
                shift.work(stop, may_go_on=lease.hold)
        finally:
            self.leading.clear()
