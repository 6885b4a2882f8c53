"""What risk does about events of the log."""

from celery import current_app
from django.core.cache import cache
from django.db import transaction

from energyopti.foundation.events.models import Event

# Set while a rebase waits for a worker; a message that was lost stands in the way no longer.
_WAITING, _WAITING_SECONDS = "risk.rebase:waiting", 300


def ask_for_rebase(event: Event) -> None:
    """
    Have the books put on a curve just published, rates of now, or scenarios just approved.

    Of the quotes booked under `rates.booked` interest does not count here. By a task
    after commit, so that the log is not held up while books are valued. A message that
    is lost is made good by the periodic rebase.
    """
    if event.type == "rates.booked" and event.aggregate_type == "interestquote":
        return
    transaction.on_commit(_ask)


def _ask() -> None:
    """Ask, unless a rebase waits already: it will see what this one would."""
    if cache.add(_WAITING, 1, _WAITING_SECONDS):
        current_app.send_task("risk.rebase")


def note_rebase_begins() -> None:
    """Say that a rebase begins: what comes from now on needs another one."""
    cache.delete(_WAITING)
