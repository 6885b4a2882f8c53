"""What risk does about events of the log."""

from celery import current_app
from django.db import transaction

from energyopti.foundation.events.models import Event


def ask_for_rebase(event: Event) -> None:
    """
    Have the books put on a curve just published, rates of now, or scenarios just approved.

    Of the quotes booked under `rates.booked` interest does not count here. By a task
    after commit, so that the log is not held up while books are valued. A message that
    is lost is made good by the periodic rebase.
    """
    if event.type == "rates.booked" and event.aggregate_type == "interestquote":
        return
    transaction.on_commit(lambda: current_app.send_task("risk.rebase"))
