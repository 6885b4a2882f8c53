"""What a job's function reports is seen while it works, in a worker's thread of its own."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import DataError, connections, transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.jobs import runner
from energyopti.foundation.jobs.models import Job, JobState
from energyopti.foundation.jobs.runner import RunningJob, run_job, sentence_of
from energyopti.foundation.jobs.services import cancel_job, claim_job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def claimed(enqueue: Callable[..., Job], monkeypatch: pytest.MonkeyPatch) -> Job:
    monkeypatch.setattr(runner, "REPORT_SECONDS", 0.02)
    monkeypatch.setattr(runner, "HEARTBEAT_SECONDS", 0.05)
    job = claim_job(job_id=enqueue(run=False).pk)
    assert job is not None
    return job


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_progress_is_seen_while_the_jobs_transaction_is_open(claimed: Job) -> None:
    seen = []

    def work(job: RunningJob) -> None:
        with transaction.atomic():
            job.progress(5, 10, "halfway")
            seen_by_others = threading.Thread(
                target=lambda: (
                    wait_until(lambda: Job.objects.get().done == 5),
                    seen.append(Job.objects.get().message),
                    connections.close_all(),
                )
            )
            seen_by_others.start()
            seen_by_others.join()

    run_job(work, claimed, in_thread=True)

    claimed.refresh_from_db()
    assert seen == ["halfway"]
    assert (claimed.state, claimed.done) == (JobState.SUCCEEDED, 10)


def test_a_slow_step_keeps_its_heartbeat(claimed: Job) -> None:
    beats = set()

    def work(job: RunningJob) -> None:
        wait_until(lambda: beats.add(Job.objects.get().heartbeat_at) or len(beats) >= 3)

    run_job(work, claimed, in_thread=True)

    assert len(beats) >= 3


def test_a_job_stops_when_asked_and_undoes_its_open_transaction(claimed: Job, actor: Actor) -> None:
    def work(job: RunningJob) -> None:
        cancel_job(actor=actor, job_id=job.id)
        with transaction.atomic():
            Job.objects.filter(pk=job.id).update(kind="half-done")
            while True:
                job.progress(1)
                time.sleep(0.01)

    running = threading.Thread(
        target=lambda: (run_job(work, claimed, in_thread=False), connections.close_all())
    )
    running.start()
    running.join(10)

    claimed.refresh_from_db()
    assert not running.is_alive()
    assert (claimed.state, claimed.kind) == (JobState.CANCELLED, "import")


def test_a_job_that_was_taken_over_ends_without_touching_it(
    claimed: Job, caplog: pytest.LogCaptureFixture
) -> None:
    def work(job: RunningJob) -> None:
        Job.objects.update(state=JobState.QUEUED, claim=None, heartbeat_at=None)
        while True:
            job.progress(1)
            time.sleep(0.01)

    run_job(work, claimed, in_thread=True)

    claimed.refresh_from_db()
    assert claimed.state == JobState.QUEUED
    assert "was taken over by another worker" in caplog.text


def test_a_report_that_the_database_refuses_costs_the_report_only(
    claimed: Job, caplog: pytest.LogCaptureFixture
) -> None:
    def work(job: RunningJob) -> None:
        job.progress(-1)
        wait_until(lambda: "progress not written" in caplog.text)
        job.progress(7)

    run_job(work, claimed, in_thread=True)

    claimed.refresh_from_db()
    assert (claimed.state, claimed.done) == (JobState.SUCCEEDED, 7)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("row 3: no price"), "ValueError: row 3: no price"),
        (FileNotFoundError(2, "No such file", "/srv/secret/x"), "FileNotFoundError: No such file"),
        (
            DataError("INSERT INTO users …"),
            "The database refused it; the reason is in the log under this job's id.",
        ),
    ],
)
def test_what_people_read_names_no_path_and_no_row(error: Exception, sentence: str) -> None:
    assert sentence_of(error) == sentence
