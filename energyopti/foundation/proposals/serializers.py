"""What a second person says of a version, over REST."""

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers
from rest_framework.request import Request

from ..api.serializers import StrictSerializer

DECISION_EXAMPLE = OpenApiExample(
    "Approve", value={"verdict": "APPROVE", "reason": "checked"}, request_only=True
)


class VersionDecisionInput(StrictSerializer):
    verdict = serializers.ChoiceField(choices=["APPROVE", "DECLINE"])
    reason = serializers.CharField(max_length=400, default="", help_text="Needed to decline.")


def verdict_in(request: Request) -> tuple[bool, str]:
    """Return whether a request approves, and its reason; refused by field as every body is."""
    body = VersionDecisionInput(data=request.data)
    body.is_valid(raise_exception=True)
    return body.validated_data["verdict"] == "APPROVE", body.validated_data["reason"]
