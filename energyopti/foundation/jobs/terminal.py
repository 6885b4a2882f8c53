"""Progress bars for people at a terminal: of a job that workers do, and of a command's own loop."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Protocol
from uuid import UUID

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from .models import Job

POLL_SECONDS = 0.5


class Show(Protocol):
    """Move a bar to the units done so far."""

    def __call__(self, done: int, message: str = "") -> None: ...


def _progress(stream: IO[str] | None) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[message]}"),
        # Standard error: what a command prints may be piped on.
        console=Console(file=stream or sys.stderr),
        transient=False,
    )


@contextmanager
def progress_bar(title: str, total: int | None, *, stream: IO[str] | None = None) -> Iterator[Show]:
    """
    Show a bar while the block runs; call what it yields with the units done so far and a word.

        with progress_bar("Writing prices", len(rows)) as show:
            show(1000, "2027-03")
    """
    with _progress(stream) as bars:
        bar = bars.add_task(title, total=total, message="")

        def show(done: int, message: str = "") -> None:
            bars.update(bar, completed=done, message=message)

        yield show


def follow_job(job_id: UUID, *, stream: IO[str] | None = None) -> Job:
    """
    Show a job's progress until it has ended, and return it.

    :raises Job.DoesNotExist: if there is no such job.
    """
    job = Job.objects.get(pk=job_id)
    with _progress(stream) as bars:
        bar = bars.add_task(job.title, total=job.total, message="")
        while True:
            bars.update(
                bar,
                completed=job.done,
                total=job.total,
                message=f"{job.get_state_display()} {job.message}".strip(),
            )
            if job.is_finished:
                return job
            time.sleep(POLL_SECONDS)
            job.refresh_from_db()
