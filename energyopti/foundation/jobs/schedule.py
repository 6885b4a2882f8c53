"""
What runs by the clock: apps register it in `ready()`, `manage.py sync_schedule` writes it down.

The rows live in django-celery-beat's tables; `beat.LeasedScheduler` sends what is due.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction

from energyopti.foundation.registry import Registry

from .models import PeriodRun


@dataclass(frozen=True)
class Periodic:
    """
    A task and when it is sent.

    when        a timedelta of whole seconds, or five cron fields in UTC ("15 2 * * *").
    arguments   keyword arguments, JSON values.
    queue       the Celery queue; "" is the default one.
    expires     a message not taken by then is dropped: the next one is on its way.
    """

    task: str
    when: timedelta | str
    arguments: dict[str, Any] = field(default_factory=dict)
    queue: str = ""
    expires: timedelta | None = None


PERIODIC: Registry[Periodic] = Registry("periodic tasks")


def once_per_period(*, name: str, period: str) -> bool:
    """
    Tell whether the caller is the first to do a scheduled verb for a period, and note that it is.

    Call it inside the verb's transaction: a failure takes the note back with the work.

    period   what the run is for, as text: "2027-03-28", "2027-03", an interval's start.
    """
    with transaction.atomic():
        _, created = PeriodRun.objects.get_or_create(name=name, period=period)
    return created
