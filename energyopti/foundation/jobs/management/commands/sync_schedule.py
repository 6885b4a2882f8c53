"""Write the registered periodic tasks into the tables that Beat reads."""

import json
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from energyopti.foundation.jobs.schedule import PERIODIC, Periodic

# Under the demo's accelerated clock: never closer than this in real time, and what a cron line
# asks for is asked each simulated quarter of an hour. Every verb looks itself at what is due.
LEAST_SECONDS = 2
QUARTER_HOUR = timedelta(minutes=15)
# And then nothing waits longer: on a slow machine what never expires would fill the queue, and what
# does would never be done.
WAITS_AT_MOST = timedelta(seconds=15)

# Rows of this sort are ours; those that a person adds in the admin stay as they are.
MARK = "From the code; `manage.py sync_schedule` writes this row."


class Command(BaseCommand):
    help = "Write what the apps registered as periodic into django-celery-beat's tables."

    def handle(self, **options: Any) -> None:
        with transaction.atomic():
            for name, periodic in PERIODIC.items():
                write(name, periodic)
            gone = PeriodicTask.objects.filter(description=MARK).exclude(name__in=list(PERIODIC))
            removed = sorted(gone.values_list("name", flat=True))
            for task in gone:
                task.delete()
        self.stdout.write(f"{len(PERIODIC)} periodic tasks are scheduled.")
        if removed:
            self.stdout.write(f"No longer scheduled: {', '.join(removed)}.")


def write(name: str, periodic: Periodic) -> None:
    """Create or correct one row; whether a person has switched it off is left alone."""
    expires = periodic.expires if settings.CLOCK_SPEED == 1 else WAITS_AT_MOST
    fields = {
        "task": periodic.task,
        "interval": None,
        "crontab": None,
        "kwargs": json.dumps(periodic.arguments, sort_keys=True),
        "queue": periodic.queue or None,
        "expire_seconds": int(expires.total_seconds()) if expires else None,
        "description": MARK,
    }
    when = accelerated(periodic.when)
    if isinstance(when, timedelta):
        seconds = when.total_seconds()
        if seconds < 1 or seconds != int(seconds):
            raise ValueError(f"{name}: when must be whole seconds, 1 or more, not {when}")
        fields["interval"], _ = IntervalSchedule.objects.get_or_create(
            every=int(seconds), period=IntervalSchedule.SECONDS
        )
    else:
        minute, hour, day_of_month, month_of_year, day_of_week = when.split()
        fields["crontab"], _ = CrontabSchedule.objects.get_or_create(
            minute=minute,
            hour=hour,
            day_of_month=day_of_month,
            month_of_year=month_of_year,
            day_of_week=day_of_week,
            timezone="UTC",
        )
    task = PeriodicTask.objects.filter(name=name).first() or PeriodicTask(name=name)
    if task.pk and all(getattr(task, field) == value for field, value in fields.items()):
        return  # each save makes every Beat read its tables again
    for field, value in fields.items():
        setattr(task, field, value)
    task.save()


def accelerated(when: timedelta | str) -> timedelta | str:
    """Return when a task is sent in real time, which Beat runs in, for its time on our clock."""
    if settings.CLOCK_SPEED == 1:
        return when
    interval = when if isinstance(when, timedelta) else QUARTER_HOUR
    real = round(interval.total_seconds() / settings.CLOCK_SPEED)
    return timedelta(seconds=max(LEAST_SECONDS, real))
