"""Follow a job in the terminal."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from energyopti.foundation.jobs.models import Job, JobState
from energyopti.foundation.jobs.terminal import follow_job


class Command(BaseCommand):
    help = "Show a job's progress until it has ended; exit 1 unless it succeeded."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("job_id", type=UUID, metavar="ID")

    def handle(self, **options: Any) -> None:
        try:
            job = follow_job(options["job_id"])
        except Job.DoesNotExist as error:
            raise CommandError(f"There is no job {options['job_id']}.") from error
        if job.state != JobState.SUCCEEDED:
            raise CommandError(f"{job.get_state_display()}. {job.error}".strip())
        result = job.result_file.name if job.result_file else job.result_url
        self.stdout.write(f"Done. {result}".strip())
