"""Celery entry points of the fleet."""

from typing import Any

from celery import shared_task

from energyopti.accounts.actors import Actor
from energyopti.foundation import clock

from .services.daily import dispatch_due, settle_due


@shared_task(name="fleet.dispatch_due")
def dispatch_due_task(**_: Any) -> None:
    dispatch_due(actor=Actor.system("beat"), now=clock.now())


@shared_task(name="fleet.settle_due")
def settle_due_task(**_: Any) -> None:
    settle_due(actor=Actor.system("beat"), now=clock.now())
