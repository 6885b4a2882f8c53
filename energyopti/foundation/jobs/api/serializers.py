"""How a job looks to API clients."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from energyopti.foundation.api.serializers import StrictSerializer

from ..models import Job, JobState


class JobFilter(StrictSerializer):
    """The query string of the list."""

    state = serializers.ChoiceField(choices=JobState.choices, required=False)
    kind = serializers.CharField(max_length=60, required=False)


class JobOutput(serializers.Serializer[Job]):
    id = serializers.UUIDField()
    kind = serializers.CharField()
    title = serializers.CharField()
    organization_id = serializers.UUIDField(allow_null=True)
    state = serializers.ChoiceField(choices=JobState.choices)
    cancel_requested = serializers.BooleanField()
    done = serializers.IntegerField(help_text="Units of work done.")
    total = serializers.IntegerField(allow_null=True, help_text="Units in all; null if unknown.")
    percent = serializers.IntegerField(allow_null=True)
    message = serializers.CharField()
    error = serializers.CharField()
    result_url = serializers.SerializerMethodField(help_text="Page or file; empty until done.")
    queued_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_result_url(self, job: Job) -> str:
        if job.result_file:
            return reverse("jobs:result", args=[job.pk])
        return job.result_url


def job_data(job: Job) -> dict[str, Any]:
    return dict(JobOutput(job).data)
