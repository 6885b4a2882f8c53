"""Celery entry points of risk: new curves, and the full computation that checks the sums."""

from typing import Any

from celery import shared_task

from energyopti.accounts.actors import Actor
from energyopti.foundation import clock
from risk.services.rebase import rebase_books, recompute_all
from risk.services.snapshots import NoBasis


@shared_task(name="risk.rebase")
def rebase(**_: Any) -> str:
    """Value the books on the curves of now; until there are any, there is nothing to do."""
    try:
        done = rebase_books(actor=Actor.system("risk"), valued_at=clock.now())
    except NoBasis as error:
        return str(error)
    return f"snapshot {done.snapshot_id}: {done.books} books"


@shared_task(name="risk.recompute")
def recompute(**_: Any) -> float:
    """Compute every scope again from its trades; return the largest relative difference."""
    return recompute_all(actor=Actor.system("risk"))
