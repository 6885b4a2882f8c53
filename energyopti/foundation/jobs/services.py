"""Verbs on jobs: enqueue, claim, report progress, finish, fail, cancel, sweep up after deaths."""

import logging
import uuid
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Protocol
from uuid import UUID

from celery import current_app
from django.core.files import File
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from kombu.exceptions import OperationalError

from energyopti.foundation.events.services import record_event

from .models import Job, JobState
from .queries import Viewer, visible_jobs

logger = logging.getLogger(__name__)

# A worker renews its heartbeat every few seconds; after this silence it counts as dead.
SILENCE = timedelta(seconds=60)
# A message that has not been taken for so long may be lost with its broker: it is sent again.
UNTAKEN = timedelta(minutes=15)
UNSENT = timedelta(seconds=30)
ATTEMPTS = 3
ERROR_CHARACTERS = 2000


class Requester(Viewer, Protocol):
    """Who asks for work or stops it."""

    @property
    def on_behalf_of(self) -> str: ...
    @property
    def request_id(self) -> str: ...


@dataclass(frozen=True)
class JobOriginator:
    """What the event log records for things that a job does: the person who asked for it."""

    id: str
    on_behalf_of: str
    request_id: str


class JobNotFound(LookupError):
    """There is no such job for this actor."""


class JobIsFinished(ValueError):
    """A job that has ended cannot be cancelled."""


class ForeignOrganization(ValueError):
    """Work was asked for on behalf of an organization that the actor does not belong to."""


class ClaimLost(RuntimeError):
    """The job was taken from this worker, which was silent too long, or has ended."""


def originator_of(job: Job) -> JobOriginator:
    """Return whom the events of a job name as their actor."""
    return JobOriginator(job.requested_by, job.on_behalf_of, job.request_id)


def enqueue_job(
    *,
    actor: Requester,
    kind: str,
    title: str,
    task: str,
    arguments: dict[str, Any],
    organization_id: UUID | None,
) -> Job:
    """
    Write a job down and send its task to the workers when the transaction commits.

    task        name of a task made by `runner.job_task`; it may live in any app.
    arguments   its keyword arguments, JSON values.

    :raises ForeignOrganization: if the organization is not one of the actor's.
    """
    if organization_id is not None and organization_id not in actor.organization_ids:
        raise ForeignOrganization(f"organization_id {organization_id} is not yours")
    with transaction.atomic():
        job = Job.objects.create(
            kind=kind,
            title=title,
            task=task,
            arguments=arguments,
            organization_id=organization_id,
            requested_by=actor.id,
            on_behalf_of=actor.on_behalf_of,
            request_id=actor.request_id,
        )
        _record("job.queued", job, payload={"kind": kind, "title": title, "task": task})
        transaction.on_commit(partial(send_job, job))
    return job


def send_job(job: Job) -> None:
    """Send a job's task; what cannot be sent now stays QUEUED, and the sweep sends it later."""
    signature = current_app.signature(job.task, kwargs={"job_id": str(job.pk)})
    Job.objects.filter(pk=job.pk).update(sent_at=Now())
    try:
        signature.apply_async()
    except OperationalError as error:
        Job.objects.filter(pk=job.pk).update(sent_at=None)
        logger.warning("job %s waits, the queue cannot be reached: %s", job.pk, error)


def claim_job(*, job_id: UUID) -> Job | None:
    """
    Take a queued job for the calling worker; None if it is not to be had.

    That is how a message that arrives twice is harmless: the second finds the job taken.
    """
    claim = uuid.uuid4()
    taken = Job.objects.filter(pk=job_id, state=JobState.QUEUED).update(
        state=JobState.RUNNING,
        claim=claim,
        attempts=F("attempts") + 1,
        started_at=Now(),
        heartbeat_at=Now(),
        done=0,
        total=None,
        message="",
    )
    return Job.objects.get(pk=job_id, claim=claim) if taken else None


def job_progress(
    *, job_id: UUID, claim: UUID, done: int, total: int | None, message: str = ""
) -> bool:
    """
    Note how far a job is, which is also its sign of life; tell whether it should stop.

    :raises ClaimLost: if the job is no longer this worker's.
    """
    held = Job.objects.filter(pk=job_id, claim=claim, state=JobState.RUNNING)
    if not held.update(
        done=done if total is None else min(done, total),
        total=total,
        message=message[:300],
        heartbeat_at=Now(),
    ):
        raise ClaimLost(f"job {job_id} is no longer ours")
    return held.filter(cancel_requested=True).exists()


def finish_job(*, job: Job, url: str = "", file: File | None = None) -> None:
    """
    End a running job with its result: a link, a file, both or neither.

    :raises ClaimLost: if another worker has the job.
    """
    with transaction.atomic():
        held = _held(job)
        if file is not None:
            held.result_file.save(file.name or "result", file, save=False)
        held.result_url = url
        held.done = held.done if held.total is None else held.total
        _end(held, JobState.SUCCEEDED)


def fail_job(*, job: Job, error: str) -> None:
    """
    End a running job with a sentence about what went wrong.

    :raises ClaimLost: if another worker has the job.
    """
    with transaction.atomic():
        held = _held(job)
        held.error = error[:ERROR_CHARACTERS]
        _end(held, JobState.FAILED)


def stop_job(*, job: Job) -> None:
    """
    End a running job whose cancellation was asked for.

    :raises ClaimLost: if another worker has the job.
    """
    with transaction.atomic():
        _end(_held(job), JobState.CANCELLED)


def cancel_job(*, actor: Requester, job_id: UUID) -> Job:
    """
    Stop a job: at once if no worker has it, else at its next sign of progress.

    :raises JobNotFound: if the actor cannot see such a job.
    :raises JobIsFinished: if it has ended.
    """
    with transaction.atomic():
        job = visible_jobs(actor).select_for_update().filter(pk=job_id).first()
        if job is None:
            raise JobNotFound(f"There is no job {job_id}.")
        if job.is_finished:
            raise JobIsFinished(f"“{job.title}” has already ended.")
        if not job.cancel_requested:
            job.cancel_requested = True
            job.save(update_fields=["cancel_requested"])
            record_event(
                type="job.cancel_requested",
                actor=actor,
                aggregate_type="job",
                aggregate_id=job.pk,
                organization_id=job.organization_id,
            )
        if job.state == JobState.QUEUED:
            _end(job, JobState.CANCELLED)
    return job


def sweep_jobs() -> dict[str, int]:
    """
    Put right what deaths left behind, and return how many jobs of each sort there were.

    A running job without a sign of life is queued again, after `ATTEMPTS` starts it fails; a
    queued one whose message was not sent, or is long untaken, is sent again.
    """
    counts = {"requeued": 0, "failed": 0, "resent": 0}
    silent = Job.objects.filter(state=JobState.RUNNING, heartbeat_at__lt=Now() - SILENCE)
    for job_id in list(silent.values_list("pk", flat=True)):
        with transaction.atomic():
            job = silent.select_for_update(skip_locked=True).filter(pk=job_id).first()
            if job is None:
                continue
            if job.cancel_requested:
                _end(job, JobState.CANCELLED)
            elif job.attempts >= ATTEMPTS:
                job.error = f"Its worker died {job.attempts} times while it ran."
                _end(job, JobState.FAILED)
                counts["failed"] += 1
            else:
                job.state, job.claim, job.heartbeat_at = JobState.QUEUED, None, None
                job.sent_at = None
                job.message = "Its worker died; it starts again."
                job.save()
                transaction.on_commit(partial(send_job, job))
                counts["requeued"] += 1
    queued = Job.objects.filter(state=JobState.QUEUED)
    unsent = queued.filter(sent_at__isnull=True, queued_at__lt=Now() - UNSENT)
    untaken = queued.filter(sent_at__lt=Now() - UNTAKEN)
    for job in [*unsent, *untaken]:
        send_job(job)
        counts["resent"] += 1
    return counts


def _held(job: Job) -> Job:
    held = (
        Job.objects.select_for_update()
        .filter(pk=job.pk, claim=job.claim, state=JobState.RUNNING)
        .first()
    )
    if held is None:
        raise ClaimLost(f"job {job.pk} is no longer ours")
    return held


def _end(job: Job, state: Any) -> None:
    # `state` is a JobState; without Django's stubs mypy takes its members for tuples.
    job.state = state
    job.finished_at = Now()
    job.save()
    job.refresh_from_db(fields=["finished_at"])
    _record(
        f"job.{state.lower()}",
        job,
        payload={"kind": job.kind, "title": job.title, "error": job.error},
    )


def _record(type: str, job: Job, *, payload: dict[str, Any]) -> None:
    record_event(
        type=type,
        actor=originator_of(job),
        aggregate_type="job",
        aggregate_id=job.pk,
        organization_id=job.organization_id,
        payload=payload,
    )
