"""Runs of reference cases and what came of them: rows that are added and never changed."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from .runner import Status

STATUS_WORDS = {
    Status.PASS.value: "Passed",
    Status.FAIL.value: "Failed",
    Status.UNSUPPORTED.value: "Unsupported",
}
STATUS_CHOICES = list(STATUS_WORDS.items())


class CaseFile(models.Model):
    """
    A file of reference cases that somebody sent, as it came; the same bytes are kept once.

    organization_id   opaque; whose members see it, None: only who sent it
    """

    append_only = True

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization_id = models.UUIDField(null=True)
    name = models.CharField(max_length=120)
    sha256 = models.CharField(max_length=64)
    content = models.TextField()
    cases = models.PositiveIntegerField()
    topics = models.JSONField()
    sent_by = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [
            ("validate_models", "Can run reference cases through the models and see the results"),
        ]
        indexes = [
            models.Index(fields=["organization_id", "-recorded_at"], name="case_file_organization"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.sha256[:8]})"

    @property
    def case_set_key(self) -> str:
        """Return the key by which these cases are run (`queries.sets.CaseSet.key`)."""
        return f"upload:{self.pk}"


class CaseSource(models.TextChoices):
    """Where the cases of a run are from."""

    SHIPPED = "SHIPPED", "Shipped with the product"
    FOLDER = "FOLDER", "Folder of this installation"
    UPLOAD = "UPLOAD", "Sent file"


class ValidationRun(models.Model):
    """
    That somebody asked for a set of cases to be run; the job does it, `RunOutcome` is the result.

    name      of the set: "Shipped cases", the file's name
    topics    only these, empty for all
    """

    append_only = True

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization_id = models.UUIDField(null=True)
    source = models.CharField(max_length=8, choices=CaseSource)
    name = models.CharField(max_length=120)
    case_file = models.ForeignKey(CaseFile, models.PROTECT, null=True, related_name="runs")
    topics = models.JSONField(default=list)
    job = models.OneToOneField("jobs.Job", models.PROTECT, related_name="validation_run")
    requested_by = models.CharField(max_length=120)
    requested_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(source="UPLOAD") ^ Q(case_file__isnull=True),
                name="validation_run_has_its_file",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization_id", "-requested_at"], name="validation_run_organization"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.requested_at:%Y-%m-%d %H:%M}"


class RunOutcome(models.Model):
    """
    What a run found, written once with its case results.

    sha256        of the file of cases, of several the hash of their hashes
    result_hash   SHA-256 over that hash and each case's id, status and answer
    worst         largest difference relative to its tolerance, None without any
    seconds       that the answers took
    """

    append_only = True

    run = models.OneToOneField(
        ValidationRun, models.PROTECT, primary_key=True, related_name="outcome"
    )
    cases = models.PositiveIntegerField()
    passed = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()
    unsupported = models.PositiveIntegerField()
    worst = models.FloatField(null=True)
    seconds = models.FloatField()
    sha256 = models.CharField(max_length=64)
    result_hash = models.CharField(max_length=64)
    code = models.CharField(max_length=120)
    tzdata = models.CharField(max_length=20)
    finished_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(cases=F("passed") + F("failed") + F("unsupported")),
                name="run_outcome_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.passed} of {self.cases} passed"


class CaseOutcome(models.Model):
    """
    One case of a run: what was asked, expected and got.

    number       place in the file, from 1
    case_hash    SHA-256 of inputs, expected answer and tolerance: whether a case is still the same
    worst        as in `RunOutcome`
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(ValidationRun, models.PROTECT, related_name="results")
    number = models.PositiveIntegerField()
    case_id = models.CharField(max_length=200)
    topic = models.CharField(max_length=120)
    model = models.TextField(blank=True)
    status = models.CharField(max_length=11, choices=STATUS_CHOICES)
    inputs = models.JSONField()
    expected = models.JSONField(null=True)
    got = models.JSONField(null=True)
    difference = models.JSONField(null=True)
    tolerance = models.JSONField()
    reason = models.TextField(blank=True)
    provenance = models.CharField(max_length=200, blank=True)
    reference = models.TextField(blank=True)
    note = models.TextField(blank=True)
    case_hash = models.CharField(max_length=64)
    worst = models.FloatField(null=True)
    seconds = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint("run", "number", name="case_outcome_once"),
        ]
        indexes = [
            models.Index(fields=["run", "topic", "number"], name="case_outcome_topic"),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} ({self.status})"
