"""Model validation's background work: a run of reference cases as a job."""

from typing import Any
from uuid import UUID

from django.urls import reverse

from energyopti.foundation.jobs.runner import JobResult, RunningJob, job_task

from .services.runs import TASK, run_validation

# A case may ask for anything, so a run may not take a worker for ever.
SECONDS = 1800


@job_task(TASK, soft_time_limit=SECONDS, time_limit=SECONDS + 60)
def run(job: RunningJob, *, run_id: str, **_: Any) -> JobResult:
    """Run the cases of a validation run."""
    run_validation(run_id=UUID(run_id), actor=job.actor, progress=job.progress)
    return JobResult(url=reverse("validation:run", args=[run_id]))
