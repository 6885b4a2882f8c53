"""Long work that people wait for: one row a job, whoever runs it."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class JobState(models.TextChoices):
    QUEUED = "QUEUED", "Waiting for a worker"
    RUNNING = "RUNNING", "Running"
    SUCCEEDED = "SUCCEEDED", "Done"
    FAILED = "FAILED", "Failed"
    CANCELLED = "CANCELLED", "Cancelled"


FINISHED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)


def result_path(job: "Job", name: str) -> str:
    return f"jobs/{job.pk}/{name}"


class Job(models.Model):
    """
    A task with progress, a result and a person who asked for it.

    `claim` is new with each start: only the worker that holds it may write progress and result.
    A running job's worker renews `heartbeat_at`; when that grows old, the worker has died.
    Times are the database's. Requester and organization are opaque ids: the foundation knows no
    accounts.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    task = models.CharField(max_length=120)
    arguments = models.JSONField(default=dict)
    organization_id = models.UUIDField(null=True)
    requested_by = models.CharField(max_length=120)
    on_behalf_of = models.CharField(max_length=120, blank=True)
    request_id = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=9, choices=JobState, default=JobState.QUEUED)
    cancel_requested = models.BooleanField(default=False)
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    message = models.CharField(max_length=300, blank=True)
    error = models.TextField(blank=True)
    result_url = models.CharField(max_length=500, blank=True)
    result_file = models.FileField(upload_to=result_path, blank=True, max_length=300)
    attempts = models.PositiveSmallIntegerField(default=0)
    claim = models.UUIDField(null=True)
    queued_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(done__gte=0) & (Q(total__isnull=True) | Q(total__gte=F("done"))),
                name="job_progress_within_total",
            ),
            models.CheckConstraint(
                condition=~Q(state="RUNNING") | Q(claim__isnull=False, heartbeat_at__isnull=False),
                name="job_running_is_claimed",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["QUEUED", "RUNNING"]) ^ Q(finished_at__isnull=False),
                name="job_finished_time",
            ),
        ]
        indexes = [
            models.Index(fields=["requested_by", "-queued_at"], name="job_requester"),
            models.Index(fields=["organization_id", "-queued_at"], name="job_organization"),
            models.Index(
                fields=["state", "queued_at"],
                condition=Q(state__in=["QUEUED", "RUNNING"]),
                name="job_unfinished",
            ),
        ]
        permissions = [
            ("follow_job", "Can follow and cancel the jobs one has asked for"),
            ("follow_all_jobs", "Can follow and cancel every job of one's organizations"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.get_state_display()})"

    @property
    def is_finished(self) -> bool:
        return self.state in FINISHED

    @property
    def percent(self) -> int | None:
        """Return the progress in whole percent, rounded down; None while it is unknown."""
        return None if not self.total else 100 * self.done // self.total


class PeriodRun(models.Model):
    """That a scheduled verb was done for a period; see `schedule.once_per_period`."""

    name = models.CharField(max_length=120)
    period = models.CharField(max_length=60)
    done_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint("name", "period", name="period_run_once")]

    def __str__(self) -> str:
        return f"{self.name} for {self.period}"
