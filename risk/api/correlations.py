"""REST of the correlations between markets."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation.api.serializers import InstantField
from energyopti.foundation.api.views import ApiView
from risk.queries.correlations import TENORS, VIEW, correlations

_LAST_TENOR = 71
EXAMPLE = OpenApiExample(
    "Two markets, the next month",
    response_only=True,
    value={
        "valued_at": "2026-11-21T16:30:00Z",
        "scenarios": 500,
        "method": "absolute changes of forward contracts by time to delivery, unweighted",
        "names": ["DE +1", "TTF +1"],
        "values": [[1.0, 0.71], [0.71, 1.0]],
        "problem": "",
    },
)


class CorrelationsOutput(serializers.Serializer[Any]):
    """The matrix: null where one of the two moves in no scenario."""

    valued_at = InstantField(allow_null=True)
    scenarios = serializers.IntegerField()
    method = serializers.CharField()
    names = serializers.ListField(child=serializers.CharField())
    values = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(allow_null=True))
    )
    problem = serializers.CharField()

    def to_representation(self, instance: Any) -> dict[str, Any]:
        return {
            "valued_at": self.fields["valued_at"].to_representation(instance.valued_at)
            if instance.valued_at
            else None,
            "scenarios": instance.scenarios,
            "method": instance.method,
            "names": instance.names,
            "values": instance.values,
            "problem": instance.problem,
        }


class CorrelationsView(ApiView):
    """How markets move together in the latest scenarios."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW}
    scopes: ClassVar[dict[str, str]] = {"GET": "risk:read"}

    @extend_schema(
        description=(
            "Return Pearson's correlations of the changes of forward prices between all markets, "
            "at some months to delivery, in the scenarios that books are valued on."
        ),
        parameters=[
            OpenApiParameter(
                "tenors", str, description="Months to delivery, by commas; 1,3,6,12 without."
            )
        ],
        responses=CorrelationsOutput,
        examples=[EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        """Return the matrix."""
        found = correlations(actor_of(request._request), tenors=_tenors(request))
        return Response(CorrelationsOutput(found).data)


def _tenors(request: Request) -> list[int]:
    given = request.query_params.get("tenors")
    if given is None:
        return list(TENORS)
    parts = given.split(",")
    if not all(part.isascii() and part.isdigit() and int(part) <= _LAST_TENOR for part in parts):
        raise ValidationError({"tenors": f"Are whole months from 0 to {_LAST_TENOR}, by commas."})
    return [int(part) for part in parts]
