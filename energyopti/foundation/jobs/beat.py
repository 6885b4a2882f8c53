"""A Celery Beat that holds a lease: of two that run, one sends and the other waits."""

import logging
from datetime import datetime
from typing import Any

import psycopg
from django.conf import settings
from django_celery_beat.schedulers import DatabaseScheduler

from energyopti.foundation.leases import Lease

logger = logging.getLogger(__name__)

STAND_BY_SECONDS = 1.0


class LeasedScheduler(DatabaseScheduler):
    """
    The database scheduler, ticking only while this process holds the lease "beat".

    The lease is asked for before every tick, so a beat that lost its database stops sending at
    once; what both might send in a split second is harmless, as every scheduled verb is done once
    per period.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.lease = Lease(settings.DATABASE_DIRECT_URL, "beat")
        self.is_sending = False
        # After each task sent, so that whoever takes over knows that it was.
        options.setdefault("sync_every_tasks", 1)
        super().__init__(*arguments, **options)

    def tick(self, *arguments: Any, **options: Any) -> float:
        """Send what is due if the lease is ours; return the seconds until the next look."""
        try:
            held = self.lease.hold()
        except psycopg.OperationalError as error:
            logger.warning("beat: database lost (%s)", error)
            held = False
        if held != self.is_sending:
            logger.info("beat: %s", "sending" if held else "standing by")
            self.is_sending = held
            # What the other has sent meanwhile is in its rows: read them before sending any.
            self._last_full_sync = datetime.min  # noqa: DTZ901  naive, as the parent's
            self._dirty.clear()
        if not held:
            return STAND_BY_SECONDS
        return float(super().tick(*arguments, **options))

    def close(self) -> None:
        super().close()
        self.lease.release()
