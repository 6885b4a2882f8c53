"""What workers do for billing."""

from typing import Any

from celery import shared_task

from energyopti.accounts.actors import Actor
from energyopti.foundation import clock

from .services.months import issue_due_invoices


@shared_task(name="billing.issue_due_invoices")
def issue_due(**_: Any) -> int:
    """Issue what is due; return how many contracts have their invoice of the last month."""
    return len(issue_due_invoices(actor=Actor.system("beat"), issued_at=clock.now()))
