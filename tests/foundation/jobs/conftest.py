"""People, organizations and tasks for the tests of jobs."""

from collections.abc import Callable
from typing import Any

import pytest
from celery import current_app
from django.core.files.base import ContentFile

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Membership, Organization, User
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.jobs.runner import JobResult, RunningJob, job_task
from energyopti.foundation.jobs.services import enqueue_job


@job_task("tests.count")
def count(job: RunningJob, *, to: int) -> JobResult:
    for number in range(to + 1):
        job.progress(number, to, f"at {number}")
    return JobResult(url="/counted/", file=ContentFile(b"counted", name="count.txt"))


@job_task("tests.break")
def break_down(job: RunningJob) -> None:
    job.progress(3, 10)
    raise ValueError("the file has no column Price")


@pytest.fixture
def organization(db: None) -> Organization:
    return Organization.objects.create(name="Nordwind", slug="nordwind")


@pytest.fixture
def make_actor(organization: Organization) -> Callable[..., Actor]:
    def make(email: str = "ann@example.org", *, admin: bool = False) -> Actor:
        user = User.objects.create_user(email, "a-password", is_superuser=admin)
        Membership.objects.create(user=user, organization=organization)
        from django.contrib.auth.models import Permission

        user.user_permissions.add(Permission.objects.get(codename="follow_job"))
        return Actor.for_user(user, request_id="request-1")

    return make


@pytest.fixture
def actor(make_actor: Callable[..., Actor]) -> Actor:
    return make_actor()


@pytest.fixture
def enqueue(actor: Actor, organization: Organization, settings: Any) -> Callable[..., Job]:
    """Enqueue a counting job; with `run=False` no worker takes it."""

    def enqueue_one(
        task: str = "tests.count", *, run: bool = True, by: Actor = actor, **arguments: Any
    ) -> Job:
        current_app.conf.task_always_eager = run
        if not run:
            task = "tests.nobody_listens"
        job = enqueue_job(
            actor=by,
            kind="import",
            title="Import prices",
            task=task,
            arguments=arguments,
            organization_id=organization.pk,
        )
        job.refresh_from_db()
        current_app.conf.task_always_eager = True
        return job

    return enqueue_one
