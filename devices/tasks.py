"""Celery entry points of devices."""

from typing import Any

from celery import shared_task

from energyopti.foundation import clock

from .schedules.services.archive import archive_schedules, make_months_ahead


@shared_task(name="devices.tidy_tables")
def tidy_tables(**_: Any) -> None:
    now = clock.now()
    make_months_ahead(now=now)
    archive_schedules(now=now)
