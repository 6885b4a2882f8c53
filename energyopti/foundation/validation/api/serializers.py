"""How runs of reference cases look to API clients, and what they may say."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from energyopti.foundation.api.serializers import StrictSerializer
from energyopti.foundation.jobs.models import JobState

from ..models import STATUS_CHOICES, CaseOutcome, CaseSource, ValidationRun


class RunInput(StrictSerializer):
    case_set = serializers.CharField(
        max_length=200, help_text="A key of the case sets: “shipped”, “folder:…” or “upload:…”."
    )
    organization_id = serializers.UUIDField(
        required=False, help_text="Needed by members of several organizations."
    )
    topics = serializers.ListField(
        child=serializers.CharField(max_length=120), max_length=200, default=list,
        help_text="Only these; all if empty.",
    )  # fmt: skip


class CaseFileQuery(StrictSerializer):
    name = serializers.CharField(max_length=120, default="cases.json", help_text="Of the file.")
    organization_id = serializers.UUIDField(
        required=False, help_text="Needed by members of several organizations."
    )


class RunQuery(StrictSerializer):
    source = serializers.ChoiceField(choices=CaseSource.choices, required=False)


class CompareQuery(StrictSerializer):
    against = serializers.UUIDField(
        required=False, help_text="An earlier run of the same cases; the latest one if empty."
    )


class CaseQuery(StrictSerializer):
    topic = serializers.CharField(max_length=120, required=False)
    status = serializers.ChoiceField(choices=STATUS_CHOICES, required=False)


class CaseSetOutput(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    source = serializers.ChoiceField(choices=CaseSource.choices)


class CaseFileOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    case_set = serializers.CharField(source="case_set_key", help_text="To start a run with.")
    name = serializers.CharField()
    sha256 = serializers.CharField()
    cases = serializers.IntegerField()
    topics = serializers.ListField(child=serializers.CharField())


class OutcomeOutput(serializers.Serializer[Any]):
    cases = serializers.IntegerField()
    passed = serializers.IntegerField()
    failed = serializers.IntegerField()
    unsupported = serializers.IntegerField()
    worst = serializers.FloatField(
        allow_null=True, help_text="Largest difference divided by its tolerance; 1 is allowed."
    )
    seconds = serializers.FloatField(help_text="That the models took.")
    sha256 = serializers.CharField(help_text="Of what the cases were read from.")
    result_hash = serializers.CharField()
    code = serializers.CharField()
    tzdata = serializers.CharField()
    finished_at = serializers.DateTimeField()


class RunOutput(serializers.Serializer[ValidationRun]):
    id = serializers.UUIDField()
    organization_id = serializers.UUIDField(allow_null=True)
    source = serializers.ChoiceField(choices=CaseSource.choices)
    name = serializers.CharField()
    topics = serializers.ListField(child=serializers.CharField())
    state = serializers.ChoiceField(source="job.state", choices=JobState.choices)
    job_id = serializers.UUIDField(help_text="To follow and stop under /api/v1/jobs/.")
    error = serializers.CharField(source="job.error")
    requested_by = serializers.CharField()
    requested_at = serializers.DateTimeField()
    outcome = serializers.SerializerMethodField(help_text="Null until the run has ended.")

    @extend_schema_field(OutcomeOutput(allow_null=True))
    def get_outcome(self, run: ValidationRun) -> Any:
        outcome = getattr(run, "outcome", None)
        return None if outcome is None else OutcomeOutput(outcome).data


class TopicOutput(serializers.Serializer[Any]):
    topic = serializers.CharField()
    cases = serializers.IntegerField()
    passed = serializers.IntegerField()
    failed = serializers.IntegerField()
    unsupported = serializers.IntegerField()
    worst = serializers.FloatField(allow_null=True)
    seconds = serializers.FloatField()


class ChangeOutput(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(
        choices=[
            "Newly failing", "No longer supported", "Newly passing", "Changed", "New case", "Gone",
        ]
    )  # fmt: skip
    case_id = serializers.CharField()
    topic = serializers.CharField()
    before = serializers.ChoiceField(choices=STATUS_CHOICES, allow_null=True)
    now = serializers.ChoiceField(choices=STATUS_CHOICES, allow_null=True)
    is_same_case = serializers.BooleanField(
        help_text="Whether inputs, expected answer and tolerance are what they were."
    )


class RunDetailOutput(RunOutput):
    by_topic = TopicOutput(many=True)
    against = serializers.UUIDField(allow_null=True, help_text="The run that it is compared with.")
    changes = ChangeOutput(many=True)


class CaseOutput(serializers.Serializer[CaseOutcome]):
    number = serializers.IntegerField(help_text="Place in the file, from 1.")
    id = serializers.CharField(source="case_id")
    topic = serializers.CharField()
    model = serializers.CharField()
    status = serializers.ChoiceField(choices=STATUS_CHOICES)
    inputs = serializers.JSONField()
    expected = serializers.JSONField(allow_null=True)
    got = serializers.JSONField(allow_null=True)
    difference = serializers.JSONField(allow_null=True)
    tolerance = serializers.JSONField()
    worst = serializers.FloatField(allow_null=True)
    reason = serializers.CharField()
    source = serializers.CharField(source="reference")
    provenance = serializers.CharField()
    note = serializers.CharField()
    seconds = serializers.FloatField()
