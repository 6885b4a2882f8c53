"""What the ESG API answers."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from energyopti.foundation.api.serializers import StrictSerializer

REPORT_EXAMPLE = {
    "id": 12,
    "organization_id": "5b0a3c1e-7d2f-4a8c-9a51-0d6f6f1f3c11",
    "month": "2027-03",
    "version": 1,
    "energy_kwh": "18422.500000",
    "emissions_t": "7.018051",
    "is_complete": True,
    "built_at": "2027-04-01T03:30:04Z",
    "content_hash": "9f2c6a1f2f0e7c7a5d6b8a0c4e1f3d2b9f2c6a1f2f0e7c7a5d6b8a0c4e1f3d2b",
}


class NoFilter(StrictSerializer):
    """The list takes no words of its own."""


@extend_schema_serializer(examples=[OpenApiExample("A month", value=REPORT_EXAMPLE)])
class CarbonReportOut(serializers.Serializer[Any]):
    """A locked version of a month's carbon account; decimals are strings."""

    id = serializers.IntegerField()
    organization_id = serializers.UUIDField()
    month = serializers.SerializerMethodField()
    version = serializers.IntegerField()
    energy_kwh = serializers.DecimalField(max_digits=18, decimal_places=6)
    emissions_t = serializers.DecimalField(max_digits=18, decimal_places=6)
    is_complete = serializers.BooleanField()
    built_at = serializers.DateTimeField()
    content_hash = serializers.CharField()

    def get_month(self, report: Any) -> str:
        return f"{report.month:%Y-%m}"


class CarbonReportDetailOut(CarbonReportOut):
    """A report with the canonical data that its hash is of."""

    content = serializers.JSONField()
