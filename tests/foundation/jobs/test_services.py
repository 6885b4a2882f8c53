"""The life of a job: queued, claimed once, reported, ended, cancelled, swept up."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization
from energyopti.foundation.events.models import Event
from energyopti.foundation.jobs.models import Job, JobState
from energyopti.foundation.jobs.queries import visible_jobs
from energyopti.foundation.jobs.services import (
    ATTEMPTS,
    ClaimLost,
    ForeignOrganization,
    JobIsFinished,
    JobNotFound,
    cancel_job,
    claim_job,
    enqueue_job,
    fail_job,
    finish_job,
    job_progress,
    stop_job,
    sweep_jobs,
)

pytestmark = pytest.mark.django_db(transaction=True)

Enqueue = Callable[..., Job]


def test_a_job_runs_after_the_commit_and_leaves_its_result_and_events(enqueue: Enqueue) -> None:
    with transaction.atomic():
        job = enqueue(to=4)
        before = job.state
    job.refresh_from_db()

    assert (before, job.state) == ("QUEUED", "SUCCEEDED")
    assert (job.done, job.total, job.percent, job.result_url) == (4, 4, 100, "/counted/")
    assert job.result_file.read() == b"counted"
    assert job.is_finished
    events = Event.objects.filter(aggregate_id=str(job.pk)).order_by("id")
    assert [(event.type, event.actor_id, event.request_id) for event in events] == [
        ("job.queued", job.requested_by, "request-1"),
        ("job.succeeded", job.requested_by, "request-1"),
    ]


def test_a_rolled_back_request_starts_nothing(enqueue: Enqueue) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        enqueue(to=4)
        raise RuntimeError("refused later")

    assert not Job.objects.exists()


def test_what_a_job_raises_is_told_to_the_person(enqueue: Enqueue) -> None:
    job = enqueue("tests.break")

    assert job.state == JobState.FAILED
    assert job.error == "ValueError: the file has no column Price"
    assert job.done == 3
    assert Event.objects.get(type="job.failed").payload["error"] == job.error


def test_work_for_a_foreign_organization_is_refused(actor: Actor) -> None:
    foreign = Organization.objects.create(name="Other", slug="other")

    with pytest.raises(ForeignOrganization, match="is not yours"):
        enqueue_job(
            actor=actor, kind="k", title="t", task="x", arguments={}, organization_id=foreign.pk
        )

    assert not Job.objects.exists()


def test_a_job_is_claimed_once(enqueue: Enqueue) -> None:
    job = enqueue(run=False)

    first, second = claim_job(job_id=job.pk), claim_job(job_id=job.pk)

    assert first is not None
    assert (first.state, first.attempts) == ("RUNNING", 1)
    assert second is None


def test_a_message_that_arrives_twice_does_the_work_once(enqueue: Enqueue) -> None:
    job = enqueue(to=1)
    finished_at = job.finished_at

    current_app.tasks["tests.count"].apply(kwargs={"job_id": str(job.pk)})

    job.refresh_from_db()
    assert (job.attempts, job.finished_at) == (1, finished_at)


def test_only_the_holder_of_the_claim_writes(enqueue: Enqueue) -> None:
    old = claim_job(job_id=enqueue(run=False).pk)
    assert old is not None
    Job.objects.update(claim=uuid.uuid4())

    with pytest.raises(ClaimLost):
        job_progress(job_id=old.pk, claim=old.claim, done=1, total=2)
    for end in (finish_job, stop_job):
        with pytest.raises(ClaimLost):
            end(job=old)
    with pytest.raises(ClaimLost):
        fail_job(job=old, error="late")

    old.refresh_from_db()
    assert (old.state, old.done) == ("RUNNING", 0)


def test_progress_never_passes_its_total(enqueue: Enqueue) -> None:
    job = claim_job(job_id=enqueue(run=False).pk)
    assert job is not None

    job_progress(job_id=job.pk, claim=job.claim, done=12, total=10, message="m" * 400)

    job.refresh_from_db()
    assert (job.done, job.total, len(job.message)) == (10, 10, 300)
    with pytest.raises(IntegrityError, match="job_progress_within_total"):
        Job.objects.update(done=-1)


def test_a_waiting_job_is_cancelled_at_once(enqueue: Enqueue, actor: Actor) -> None:
    job = enqueue(run=False)

    cancel_job(actor=actor, job_id=job.pk)

    job.refresh_from_db()
    assert job.state == JobState.CANCELLED
    assert claim_job(job_id=job.pk) is None
    assert list(
        Event.objects.filter(aggregate_id=str(job.pk)).order_by("id").values_list("type", flat=True)
    ) == ["job.queued", "job.cancel_requested", "job.cancelled"]


def test_a_running_job_is_asked_to_stop_once(enqueue: Enqueue, actor: Actor) -> None:
    job = claim_job(job_id=enqueue(run=False).pk)
    assert job is not None
    before = job_progress(job_id=job.pk, claim=job.claim, done=1, total=2)

    cancel_job(actor=actor, job_id=job.pk)
    cancel_job(actor=actor, job_id=job.pk)

    assert before is False
    assert job_progress(job_id=job.pk, claim=job.claim, done=1, total=2) is True
    assert Event.objects.filter(type="job.cancel_requested").count() == 1


def test_what_has_ended_or_is_not_ones_own_cannot_be_cancelled(
    enqueue: Enqueue, actor: Actor, make_actor: Callable[..., Actor]
) -> None:
    ended = enqueue(to=1)
    colleague = make_actor("bob@example.org")

    with pytest.raises(JobIsFinished, match="“Import prices” has already ended"):
        cancel_job(actor=actor, job_id=ended.pk)
    with pytest.raises(JobNotFound):
        cancel_job(actor=colleague, job_id=ended.pk)


def test_one_sees_ones_own_jobs_and_an_admin_those_of_its_organizations(
    enqueue: Enqueue, actor: Actor, make_actor: Callable[..., Actor], organization: Organization
) -> None:
    job = enqueue(run=False)
    outsider = make_actor("eve@example.org", admin=True)
    outsider.user.memberships.all().delete()
    admin, colleague = make_actor("chef@example.org", admin=True), make_actor("bob@example.org")

    seen = {
        name: visible_jobs(viewer).filter(pk=job.pk).exists()
        for name, viewer in {
            "own": actor,
            "colleague": colleague,
            "admin": admin,
            "outsider": outsider,
        }.items()
    }

    assert seen == {"own": True, "colleague": False, "admin": True, "outsider": False}


def silence(job_id: uuid.UUID) -> None:
    Job.objects.filter(pk=job_id).update(heartbeat_at=Now() - timedelta(seconds=61))


def test_the_sweep_queues_a_dead_workers_job_again_until_it_fails(enqueue: Enqueue) -> None:
    job_id = enqueue(run=False).pk
    outcomes = []
    for _ in range(ATTEMPTS):
        assert claim_job(job_id=job_id) is not None
        untouched = sweep_jobs()
        silence(job_id)
        current_app.conf.task_always_eager = False
        outcomes.append(sweep_jobs())
        current_app.conf.task_always_eager = True

    job = Job.objects.get(pk=job_id)
    assert untouched == {"requeued": 0, "failed": 0, "resent": 0}
    assert [outcome["requeued"] for outcome in outcomes] == [1, 1, 0]
    assert outcomes[-1]["failed"] == 1
    assert (job.state, job.error) == ("FAILED", "Its worker died 3 times while it ran.")


def test_the_sweep_ends_a_dead_workers_job_that_was_to_stop(enqueue: Enqueue, actor: Actor) -> None:
    job = claim_job(job_id=enqueue(run=False).pk)
    assert job is not None
    cancel_job(actor=actor, job_id=job.pk)
    silence(job.pk)

    sweep_jobs()

    job.refresh_from_db()
    assert job.state == JobState.CANCELLED


def test_a_job_that_could_not_be_sent_waits_and_is_sent_by_the_sweep(
    enqueue: Enqueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    from celery.canvas import Signature
    from kombu.exceptions import OperationalError

    def unreachable(*_: Any, **__: Any) -> None:
        raise OperationalError("no broker")

    with monkeypatch.context() as patched:
        patched.setattr(Signature, "apply_async", unreachable)
        job = enqueue(to=2)
        states = (job.state, job.sent_at)
    too_early = sweep_jobs()
    Job.objects.update(queued_at=Now() - timedelta(minutes=1))
    swept = sweep_jobs()

    job.refresh_from_db()
    assert states == ("QUEUED", None)
    assert (too_early["resent"], swept["resent"]) == (0, 1)
    assert job.state == JobState.SUCCEEDED
