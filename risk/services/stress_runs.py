"""Value a book under the stresses in force, as a job."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.jobs.services import enqueue_job
from risk.models import StressRun
from risk.queries.bases import latest_basis
from risk.queries.holdings import holdings_of
from risk.queries.scenario_definitions import VIEW
from risk.queries.stresses import stresses_in_force
from trading.queries.books import book_for, reporting_currency, subtree

TASK = "risk.run_stresses"


class NothingToStress(ValueError):
    """There is no basis or no approved stress; says what to do."""


def ask_stresses(*, actor: Actor, book_id: UUID) -> Job:
    """
    Start to value a book under every stress in force; the result is its page.

    :raises PermissionMissing: without `risk.view_scenariodefinition`.
    :raises UnknownBook: for a book that the actor does not reach.
    """
    actor.require(VIEW)
    book = book_for(actor, book_id)
    return enqueue_job(
        actor=actor, kind="stress_run", title=f"Stresses of {book.code}", task=TASK,
        arguments={"book": str(book_id)}, organization_id=book.organization_id,
    )  # fmt: skip


def run_stresses(*, actor: Actor, book_id: UUID) -> StressRun:
    """
    Value a book with those below it on the latest basis under every stress in force.

    Shocks work one after the other and so do their effects: they sum to the whole exactly.

    :raises NothingToStress: without a basis, or without an approved stress.
    """
    from .stressed_values import stressed  # loads NumPy

    on = latest_basis()
    if on is None:
        raise NothingToStress("There is no curve with a quote history to value on yet.")
    chosen = stresses_in_force()
    if not chosen:
        raise NothingToStress("No stress is approved yet: propose one, and another approves it.")
    currency = reporting_currency(book_id)
    holdings = holdings_of(subtree(book_id))
    value, results, findings = stressed(holdings, on, chosen, currency=currency)
    with transaction.atomic():
        row = StressRun.objects.create(
            book_id=book_id, snapshot_id=on.id, currency=currency, value=value, results=results,
            findings=findings, asked_by=actor.id,
        )  # fmt: skip
        record_event(
            type="stress.run",
            actor=actor,
            aggregate_type="stress_run",
            aggregate_id=row.pk,
            organization_id=row.book.organization_id,
            key=f"book:{book_id}",
            payload={
                "book": row.book.code, "currency": currency, "snapshot_id": on.id,
                "pnl": {one["code"]: one["pnl"] for one in results},
            },
        )  # fmt: skip
    return row
