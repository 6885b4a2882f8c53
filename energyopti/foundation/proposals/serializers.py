"""What a second person says of a version, over REST."""

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from ..api.serializers import StrictSerializer

DECISION_EXAMPLE = OpenApiExample(
    "Approve", value={"verdict": "APPROVE", "reason": "checked"}, request_only=True
)


class VersionDecisionInput(StrictSerializer):
    verdict = serializers.ChoiceField(choices=["APPROVE", "DECLINE"])
    reason = serializers.CharField(max_length=400, default="", help_text="Needed to decline.")
