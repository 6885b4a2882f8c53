"""Celery entry points of risk: new curves, proofs of the sums, runs, and limits."""

from typing import Any
from uuid import UUID

from celery import shared_task
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone

from energyopti.accounts.actors import Actor
from energyopti.foundation import clock
from energyopti.foundation.jobs.runner import JobResult, RunningJob, job_task
from risk.services import sharded_runs
from risk.services.breaches import escalate_breaches, watch_limits
from risk.services.following import note_rebase_begins
from risk.services.rebase import rebase_books, recompute_all
from risk.services.runs import TASK, make_run
from risk.services.scenario_comparisons import compare
from risk.services.snapshots import NoBasis
from risk.services.stress_runs import run_stresses


@shared_task(name="risk.rebase")
def rebase(**_: Any) -> str:
    """Value the books on the curves of now; until there are any, there is nothing to do."""
    note_rebase_begins()
    try:
        done = rebase_books(actor=Actor.system("risk"), valued_at=clock.now())
    except NoBasis as error:
        return str(error)
    return f"snapshot {done.snapshot_id}: {done.books} books"


@shared_task(name="risk.recompute")
def recompute(**_: Any) -> float:
    """Compute every scope again from its trades; return the largest relative difference."""
    return recompute_all(actor=Actor.system("risk"))


@shared_task(name="risk.watch_limits")
def look_at_limits(**_: Any) -> str:
    """Open breaches that no deal opened, and escalate those that nobody acknowledged."""
    actor = Actor.system("risk")
    opened = watch_limits(actor=actor, at=clock.now())
    # Breaches are stamped by the database, in real time whatever the demo's clock shows.
    escalated = escalate_breaches(actor=actor, at=timezone.now())
    return f"{opened} opened, {escalated} escalated"


@job_task("risk.value_trades")
def value_trades(job: RunningJob, *, book_id: str, **_: Any) -> JobResult:
    """Value each trade of a book over the workers that are free; the file has every vector."""
    run = sharded_runs.value_trades_together(
        book_id=UUID(book_id),
        progress=lambda done, total: job.progress(done, total, f"{done} of {total} blocks"),
    )
    name = f"trade-vectors-{book_id}-{run.snapshot_id}.npz"
    return JobResult(file=ContentFile(run.to_file(), name=name))


@shared_task(name=sharded_runs.TASK)
def help_with_run(*, run_id: str, **_: Any) -> int:
    """Take blocks of a run that another worker began; return how many."""
    return sharded_runs.help_with_run(run_id=run_id)


@job_task("risk.compare_scenarios")
def compare_scenarios(job: RunningJob, *, book: str, first: int, second: int) -> JobResult:
    """Value a book under two definitions of scenarios; its page shows both."""
    row = compare(
        actor=_asker(job),
        book_id=UUID(book),
        first_id=first,
        second_id=second,
        valued_at=clock.now(),
        progress=lambda stage, done, total: job.progress(done, total, stage),
    )
    return JobResult(url=reverse("risk:scenario_comparison", args=[row.pk]))


@job_task("risk.run_stresses")
def value_under_stress(job: RunningJob, *, book: str) -> JobResult:
    """Value a book under the stresses in force; its page shows what each shock adds."""
    row = run_stresses(actor=_asker(job), book_id=UUID(book))
    return JobResult(url=reverse("risk:stress_run", args=[row.pk]))


@job_task(TASK)
def run(job: RunningJob, *, run_id: str, **_: Any) -> JobResult:
    """Make a risk run; its permission was checked when it was asked for."""
    make_run(actor=job.actor, run_id=UUID(run_id), progress=job.progress)
    return JobResult(url=reverse("risk:run", args=[run_id]))


def _asker(job: RunningJob) -> Actor:
    """Return who asked for a job, with the rights that were looked at then; events name them."""
    return Actor(
        id=job.actor.id, on_behalf_of=job.actor.on_behalf_of, request_id=job.actor.request_id
    )
