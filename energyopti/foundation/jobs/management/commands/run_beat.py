"""Send periodic tasks when they are due; of several that run, one sends."""

from typing import Any

from celery import current_app
from django.core.management import call_command
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = (
        "Write the schedule and send what is due. Any number may run: one holds the lease and "
        "sends, the others take over when it dies."
    )

    def handle(self, **options: Any) -> None:
        call_command("sync_schedule", stdout=self.stdout)
        self.stdout.flush()
        beat = current_app.Beat(
            scheduler_cls="energyopti.foundation.jobs.beat:LeasedScheduler",
            # The database is the schedule; a look every few seconds sees its changes.
            max_interval=5,
            loglevel="INFO",
            quiet=True,
        )
        beat.run()
