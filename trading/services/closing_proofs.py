"""Compute a closed day again from its cut of knowledge, and keep whether it came out the same."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import tzdata_version
from energyopti.foundation.code_version import code_version
from energyopti.foundation.events.services import record_event
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.jobs.services import enqueue_job
from trading.models import EndOfDay, EndOfDayProof, PnlKind, PnlReport
from trading.queries.end_of_day import end_of_day_for

from .end_of_day import ClosingRefused
from .pnl import explained
from .valuation import prove_run

TASK = "trading.prove_end_of_day"


def ask_proof(*, actor: Actor, end_of_day_id: int) -> Job:
    """
    Start to compute a closing again, as a job.

    :raises PermissionMissing: without `trading.view_endofday`.
    :raises UnknownEndOfDay: for one that is not the actor's.
    :raises ClosingRefused: for one that has not been valued.
    """
    row = end_of_day_for(actor, end_of_day_id)
    if row.run_id is None:
        raise ClosingRefused("end_of_day: has not been valued.")
    return enqueue_job(
        actor=actor,
        kind="end_of_day_proof",
        title=f"Proof of the end of day {row.day}, run {row.number}",
        task=TASK,
        arguments={"end_of_day_id": row.pk},
        organization_id=row.organization_id,
    )


def prove_end_of_day(
    *,
    actor: Actor,
    end_of_day_id: int,
    progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> EndOfDayProof:
    """Value and explain again what a closing valued and explained; the worker's part of a proof."""
    row = EndOfDay.objects.select_related("run").get(pk=end_of_day_id)
    assert row.run is not None  # `ask_proof` saw to it
    progress("valuation", 0, 2)
    proof = prove_run(row.run)
    differences = [
        f"The {name} hash was {then} and is {again}."
        for name, then, again in zip(("input", "result"), proof.stored, proof.again, strict=True)
        if then != again
    ]
    progress("pnl", 1, 2)
    hashes = {}
    reports = (
        PnlReport.objects.filter(closing=row.run)
        .exclude(kind=PnlKind.FLASH)
        .select_related("book", "opening", "closing")
        .order_by("book__code", "number")
    )
    for report in reports:
        again = explained(report.opening, report.closing).get(report.book_id)
        hashes[report.book.code] = again.content_hash if again else ""
        if hashes[report.book.code] != report.content_hash:
            differences.append(f"The P&L of {report.book.code} does not come out the same.")
    with transaction.atomic():
        made = EndOfDayProof.objects.create(
            end_of_day=row,
            input_hash=proof.again[0],
            result_hash=proof.again[1],
            reports=hashes,
            differences=differences,
            tzdata=tzdata_version(),
            code=code_version(),
            actor_id=actor.id,
        )
        record_event(
            type="end_of_day.proved",
            actor=actor,
            aggregate_type="end_of_day",
            aggregate_id=row.pk,
            organization_id=row.organization_id,
            payload={
                "day": row.day.isoformat(),
                "number": row.number,
                "result_hash": made.result_hash,
                "differences": differences,
            },
        )
    return made
