"""What risk does about events of the log."""

from celery import current_app
from django.db import transaction

from energyopti.foundation.events.models import Event


def ask_for_rebase(event: Event) -> None:
    """
    Have the books put on a curve that was just published, or on exchange rates of now.

    Of the quotes booked under `rates.booked` only exchange-rate forwards count here. By a task
    after commit, so that the log is not held up while books are valued. A message that
    is lost is made good by the periodic rebase.
    """
    if event.type == "rates.booked" and event.aggregate_type != "fxforwardquote":
        return
    transaction.on_commit(lambda: current_app.send_task("risk.rebase"))
