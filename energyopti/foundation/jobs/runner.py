"""
Make a Celery task of a function that does a job.

    @job_task("trading.import_prices")
    def import_prices(job: RunningJob, *, path: str, market: str) -> JobResult: ...

The function may run twice (its worker may die in the middle), so what it does is idempotent.
"""

import functools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import django.db
from celery import shared_task
from django.core.files import File
from django.db import connections

from .models import Job
from .services import (
    ClaimLost,
    JobOriginator,
    claim_job,
    fail_job,
    finish_job,
    job_progress,
    originator_of,
    stop_job,
)

logger = logging.getLogger(__name__)

REPORT_SECONDS = 0.5
HEARTBEAT_SECONDS = 5.0


class JobCancelled(Exception):
    """Raised by `RunningJob.progress` when somebody has asked the job to stop."""


@dataclass(frozen=True)
class JobResult:
    """Where the outcome of a job is: a page, a file, both or neither."""

    url: str = ""
    file: File | None = None


class RunningJob:
    """
    What a job's function reports to.

    A thread with a connection of its own writes the reports, so that they are seen while the
    function's transaction is still open, and a slow step does not look like a death.
    """

    def __init__(self, job: Job, *, in_thread: bool) -> None:
        assert job.claim is not None
        self.id: UUID = job.pk
        self.organization_id = job.organization_id
        self.actor: JobOriginator = originator_of(job)
        self._claim = job.claim
        self._state: tuple[int, int | None, str] = (0, None, "")
        self._stop_asked = False
        self._lost: ClaimLost | None = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._reported = 0.0
        self._written: tuple[int, int | None, str] | None = None
        if in_thread:
            self._thread = threading.Thread(target=self._keep_reporting, daemon=True)
            self._thread.start()

    def progress(self, done: int, total: int | None = None, message: str = "") -> None:
        """
        Say how far the work is; cheap, so call it as often as you like.

        done, total   in any unit of the job's own; total is None while it is unknown

        :raises JobCancelled: if the job is to stop; let it through, nothing half-done committed.
        :raises ClaimLost: if another worker has taken the job over.
        """
        self._state = (done, total, message)
        if self._thread is None:
            self._report()
        if self._lost is not None:
            raise self._lost
        if self._stop_asked:
            raise JobCancelled

    def end(self) -> None:
        """Write what is known and stop reporting."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        elif self._lost is None:
            self._report(late=True)

    def _report(self, *, late: bool = False) -> None:
        now = time.monotonic()
        if not late and now < self._reported + REPORT_SECONDS:
            return
        self._reported = now
        done, total, message = self._written = self._state
        try:
            self._stop_asked |= job_progress(
                job_id=self.id, claim=self._claim, done=done, total=total, message=message
            )
        except ClaimLost as error:
            self._lost = error

    def _keep_reporting(self) -> None:
        try:
            while not self._ended.wait(REPORT_SECONDS) and self._lost is None:
                fresh = self._state != self._written
                if fresh or time.monotonic() > self._reported + HEARTBEAT_SECONDS:
                    self._try_report()
            if self._lost is None and self._state != self._written:
                self._try_report()
        finally:
            connections.close_all()

    def _try_report(self) -> None:
        try:
            self._report(late=True)
        except django.db.Error as error:
            # A database that restarts costs a report, not the job.
            logger.warning("job %s: progress not written: %s", self.id, error)
            connections["default"].close()


JobFunction = Callable[..., JobResult | None]


def job_task(name: str, **options: Any) -> Callable[[JobFunction], Any]:
    """
    Register a job's function as the Celery task `name`; other options go to Celery (queue …).

    The task takes a job id, claims the job, and calls the function with a `RunningJob` and the
    job's arguments. Whatever the function raises ends the job as FAILED with that sentence.
    """

    def decorate(function: JobFunction) -> Any:
        @shared_task(name=name, bind=True, **options)
        @functools.wraps(function)
        def run(task: Any, *, job_id: str, **_: Any) -> None:
            job = claim_job(job_id=UUID(job_id))
            if job is None:
                logger.info("job %s is not waiting any more", job_id)
                return
            run_job(function, job, in_thread=not task.request.is_eager)

        return run

    return decorate


def run_job(function: JobFunction, job: Job, *, in_thread: bool) -> None:
    """Run a claimed job to its end, whatever that is."""
    running = RunningJob(job, in_thread=in_thread)
    try:
        try:
            result = function(running, **job.arguments) or JobResult()
        finally:
            running.end()
        finish_job(job=job, url=result.url, file=result.file)
    except JobCancelled:
        stop_job(job=job)
    except ClaimLost:
        logger.warning("job %s was taken over by another worker", job.pk)
    except Exception as error:  # the job's row tells the person who waits, the log tells us
        logger.exception("job %s failed", job.pk)
        fail_job(job=job, error=sentence_of(error))


def sentence_of(error: Exception) -> str:
    """Return what the person who waits may read: no path of the host, no statement, no row."""
    if isinstance(error, django.db.Error):
        return "The database refused it; the reason is in the log under this job's id."
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}: {error.strerror}"
    return f"{type(error).__name__}: {error}"
