"""Pricing models over REST: list, propose, decide."""

from decimal import Decimal
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiListViewSet, ApiView
from energyopti.foundation.proposals.models import VersionStatus
from energyopti.foundation.proposals.serializers import (
    DECISION_EXAMPLE,
    VersionDecisionInput,
    verdict_in,
)

from ..models import Discounting, OptionFamily, PricingFormula
from ..queries.pricing_models import VIEW, pricing_models
from ..services.pricing_models import APPROVE, PROPOSE, ModelTerms, decide_model, propose_model


class PricingModelOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    market = serializers.CharField(source="market.code")
    second_market = serializers.CharField(source="second_market.code", allow_null=True, default="")
    family = serializers.ChoiceField(choices=OptionFamily.choices)
    version = serializers.IntegerField(source="number")
    formula = serializers.ChoiceField(choices=PricingFormula.choices)
    displacement = DecimalString(max_digits=12, decimal_places=6)
    correlation = DecimalString(max_digits=7, decimal_places=6, allow_null=True)
    correlation_days = serializers.IntegerField(allow_null=True)
    contract_correlation = DecimalString(max_digits=7, decimal_places=6)
    discounting = serializers.ChoiceField(choices=Discounting.choices)
    vol_source = serializers.CharField(allow_blank=True)
    reason = serializers.CharField()
    proposed_by = serializers.CharField()
    recorded_at = InstantField()
    status = serializers.ChoiceField(choices=VersionStatus.choices)
    decided_by = serializers.CharField(allow_blank=True)
    decided_at = InstantField(allow_null=True)
    decision_reason = serializers.CharField(allow_blank=True)


class PricingModelInput(StrictSerializer):
    market = serializers.CharField(max_length=16)
    family = serializers.ChoiceField(choices=OptionFamily.choices)
    formula = serializers.ChoiceField(choices=PricingFormula.choices)
    second_market = serializers.CharField(
        max_length=16, default="", help_text="Of a spread: what is subtracted."
    )
    displacement = DecimalString(
        max_digits=12, decimal_places=6, default=Decimal(0),
        help_text="Of DISPLACED_BLACK, in the market's currency per unit.",
    )  # fmt: skip
    correlation = DecimalString(
        max_digits=7, decimal_places=6, default=None, allow_null=True, help_text="Of a spread."
    )
    correlation_days = serializers.IntegerField(
        min_value=20, max_value=1000, default=None, allow_null=True,
        help_text="Of a spread, instead: trading days whose daily changes of quotes say it.",
    )  # fmt: skip
    contract_correlation = DecimalString(
        max_digits=7, decimal_places=6, default=Decimal(1),
        help_text="From 0 to 1, between contracts of a market: composes the volatility of a"
        " delivery that no single quoted contract covers, which 1 makes highest, and relates the"
        " deliveries of a calendar spread, whose option 1 makes worth least.",
    )  # fmt: skip
    discounting = serializers.ChoiceField(choices=Discounting.choices, default=Discounting.CURVE)
    vol_source = serializers.CharField(
        max_length=80, default="", help_text="Empty: the latest of whichever source."
    )
    reason = serializers.CharField(max_length=400)


MODEL = {
    "id": 7, "market": "DE", "second_market": "", "family": "VANILLA", "version": 2,
    "formula": "DISPLACED_BLACK", "displacement": "50.000000", "correlation": None,
    "correlation_days": None, "contract_correlation": "1.000000",
    "discounting": "CURVE", "vol_source": "", "reason": "prices below zero in June",
    "proposed_by": "user:12", "recorded_at": "2026-11-20T16:10:00Z", "status": "APPROVED",
    "decided_by": "user:15", "decided_at": "2026-11-20T16:40:00Z", "decision_reason": "checked",
}  # fmt: skip
MODEL_EXAMPLE = OpenApiExample("A model in use", value=MODEL, response_only=True)
ONE_EXAMPLE = OpenApiExample("A decided version", value=MODEL, response_only=True)
PROPOSAL_EXAMPLE = OpenApiExample(
    "Displaced Black for power that can cost less than nothing",
    value={
        "market": "DE", "family": "VANILLA", "formula": "DISPLACED_BLACK", "displacement": "50",
        "reason": "prices below zero in June",
    },
    request_only=True,
)  # fmt: skip
WAITING_EXAMPLE = OpenApiExample(
    "What waits",
    value={**MODEL, "status": "PENDING", "decided_by": "", "decided_at": None,
           "decision_reason": ""},
    response_only=True,
)  # fmt: skip


class PricingModelViewSet(ApiListViewSet):
    """Which formula values the options of each market."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW, "POST": PROPOSE}
    scopes: ClassVar[dict[str, str]] = {"GET": "prices:read", "POST": "prices:write"}
    serializer_class = PricingModelOutput
    ordering = ("id",)

    @extend_schema(
        description=(
            "Page through every version; of a market and family the one approved last is in use. "
            "Without one an option is not valued."
        ),
        responses=PricingModelOutput(many=True),
        examples=[MODEL_EXAMPLE],
    )
    def list(self, request: Request) -> Response:
        """Page through the versions in the order in which they were proposed."""
        rows = pricing_models(actor_of(request._request)).order_by("id")
        return self.page_of(rows, PricingModelOutput)

    @extend_schema(
        description=(
            "Propose the next version of a market's model; it values nothing until another person "
            "approves it. Takes an `Idempotency-Key`."
        ),
        request=PricingModelInput,
        responses={201: PricingModelOutput},
        examples=[PROPOSAL_EXAMPLE, WAITING_EXAMPLE],
    )
    def create(self, request: Request) -> Response:
        """Propose a model."""
        body = PricingModelInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        reason = given.pop("reason")
        row = propose_model(
            actor=actor_of(request._request), terms=ModelTerms(**given), reason=reason,
            as_of=clock.now(),
        )  # fmt: skip
        return Response(PricingModelOutput(row).data, status=201)


class PricingModelDecisionView(ApiView):
    """What a second person says of a model."""

    permissions: ClassVar[dict[str, str]] = {"POST": APPROVE}
    scopes: ClassVar[dict[str, str]] = {"POST": "prices:write"}

    @extend_schema(
        description=(
            "Approve or decline a version that another person proposed. 409 where it is decided "
            "already, or was proposed by the caller."
        ),
        request=VersionDecisionInput,
        responses=PricingModelOutput,
        examples=[DECISION_EXAMPLE, ONE_EXAMPLE],
    )
    def post(self, request: Request, model_id: int) -> Response:
        """Decide on a version."""
        approve, reason = verdict_in(request)
        row = decide_model(
            actor=actor_of(request._request), model_id=model_id, approve=approve, reason=reason
        )
        return Response(PricingModelOutput(row).data)
