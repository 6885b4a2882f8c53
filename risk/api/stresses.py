"""Stresses over REST: proposed, decided, and run on a book."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation.api.serializers import InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiListViewSet, ApiView
from energyopti.foundation.proposals.models import VersionStatus
from energyopti.foundation.proposals.serializers import VersionDecisionInput, verdict_in
from risk.models import MoveRule, StressTarget
from risk.queries.scenario_definitions import VIEW
from risk.queries.stresses import run_of, stresses
from risk.services.scenario_definitions import APPROVE, PROPOSE
from risk.services.stress_runs import ask_stresses
from risk.services.stresses import ShockTerms, StressTerms, decide_stress, propose_stress
from trading.queries.books import UnknownBook

from .scenario_examples import COMPARISON_JOB, DECISION


class StressShockInput(StrictSerializer):
    name = serializers.CharField(max_length=80)
    target = serializers.ChoiceField(choices=StressTarget.choices)
    size = serializers.FloatField(
        default=0.0, help_text="0.5 is +50 %; 0.1 is ten volatility points; left out of an EVENT."
    )
    market = serializers.CharField(
        max_length=16, default="", allow_blank=True, help_text="Empty: every market."
    )
    currency = serializers.CharField(max_length=3, default="", allow_blank=True)
    rule = serializers.ChoiceField(choices=MoveRule.choices, default="RELATIVE")
    displacement = serializers.FloatField(default=0.0)
    event_from = serializers.DateField(default=None, allow_null=True)
    event_until = serializers.DateField(default=None, allow_null=True)
    first_tenor = serializers.IntegerField(default=None, allow_null=True, min_value=0)
    last_tenor = serializers.IntegerField(default=None, allow_null=True, min_value=0)


class StressInput(StrictSerializer):
    code = serializers.CharField(max_length=24)
    name = serializers.CharField(max_length=80)
    source = serializers.CharField(max_length=200, help_text="Where the sizes come from.")
    owner = serializers.CharField(max_length=80)
    shocks = StressShockInput(many=True)
    reason = serializers.CharField(max_length=400)


class StressShockOutput(serializers.Serializer[Any]):
    name = serializers.CharField()
    target = serializers.ChoiceField(choices=StressTarget.choices)
    size = serializers.FloatField()
    market = serializers.CharField(source="market.code", allow_null=True, default=None)
    currency = serializers.CharField(allow_blank=True)
    rule = serializers.ChoiceField(choices=MoveRule.choices)
    displacement = serializers.FloatField()
    event_from = serializers.DateField(allow_null=True)
    event_until = serializers.DateField(allow_null=True)
    first_tenor = serializers.IntegerField(allow_null=True)
    last_tenor = serializers.IntegerField(allow_null=True)


class StressOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    version = serializers.IntegerField(source="number")
    name = serializers.CharField()
    source = serializers.CharField()
    owner = serializers.CharField()
    shocks = StressShockOutput(many=True)
    reason = serializers.CharField()
    proposed_by = serializers.CharField()
    recorded_at = InstantField()
    status = serializers.ChoiceField(choices=VersionStatus.choices)
    decided_by = serializers.CharField(allow_blank=True)
    decided_at = InstantField(allow_null=True)
    decision_reason = serializers.CharField(allow_blank=True)


class StressRunInput(StrictSerializer):
    book = serializers.UUIDField()


class StressJobOutput(serializers.Serializer[Any]):
    """The job that runs; ask `/api/v1/jobs/{job}` where its result is."""

    job = serializers.UUIDField()


class StressRunOutput(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    book = serializers.UUIDField(source="book_id")
    valued_at = InstantField(source="snapshot.valued_at")
    currency = serializers.CharField()
    value = serializers.FloatField()
    results = serializers.ListField(
        child=serializers.JSONField(),
        help_text="By stress: code, version, name, pnl, steps as [name, what it adds], findings. "
        "Null where nothing could follow it, as an event without quotes.",
    )
    findings = serializers.ListField(child=serializers.CharField())


_STRESS = {
    "id": 4, "code": "PRICES-AND-VOL-UP", "version": 1, "name": "Prices +30 %, volatility +20"
    " points", "source": "A stated size, not taken from a history.", "owner": "Market risk",
    "shocks": [
        {"name": "Prices +30 %", "target": "PRICE", "size": 0.3, "market": None, "currency": "",
         "rule": "RELATIVE", "displacement": 0.0, "event_from": None, "event_until": None,
         "first_tenor": None, "last_tenor": None},
        {"name": "Volatility +20 points", "target": "VOLATILITY", "size": 0.2, "market": None,
         "currency": "", "rule": "RELATIVE", "displacement": 0.0, "event_from": None,
         "event_until": None, "first_tenor": None, "last_tenor": None},
    ],
    "reason": "From the library.", "proposed_by": "user:12",
    "recorded_at": "2026-11-20T16:10:00Z", "status": "APPROVED", "decided_by": "user:15",
    "decided_at": "2026-11-20T16:40:00Z", "decision_reason": "agreed in committee",
}  # fmt: skip
STRESS = OpenApiExample("A stress in use", value=_STRESS, response_only=True)
DECIDED = OpenApiExample("A decided version", value=_STRESS, response_only=True)
WAITING = OpenApiExample(
    "What waits",
    value={**_STRESS, "status": "PENDING", "decided_by": "", "decided_at": None,
           "decision_reason": ""},
    response_only=True, status_codes=["201"],
)  # fmt: skip
PROPOSAL = OpenApiExample(
    "Prices, then volumes",
    value={
        "code": "COLD-SPELL", "name": "Cold spell",
        "source": "Stated by the desk after January 2026.", "owner": "Market risk",
        "shocks": [
            {"name": "Prices of two months", "target": "PRICE", "size": 0.8, "last_tenor": 2},
            {"name": "Customers take more", "target": "VOLUME", "size": 0.1},
        ],
        "reason": "winter is near",
    },
    request_only=True,
)  # fmt: skip
RUN_INPUT = OpenApiExample(
    "A book", value={"book": "6b1f7c1e-1f0a-4a53-9d0f-3a6f3c0b7f51"}, request_only=True
)
RUN = OpenApiExample(
    "A book under one stress",
    value={
        "id": 9, "book": "6b1f7c1e-1f0a-4a53-9d0f-3a6f3c0b7f51",
        "valued_at": "2026-11-20T18:00:00Z", "currency": "EUR", "value": 384000.0,
        "results": [
            {"code": "COLD-SPELL", "version": 1, "name": "Cold spell", "pnl": 512300.0,
             "steps": [["Prices of two months", 430000.0], ["Customers take more", 82300.0]],
             "findings": []},
        ],
        "findings": [],
    },
    response_only=True,
)  # fmt: skip


class StressViewSet(ApiListViewSet):
    """Stated moves of the market."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW, "POST": PROPOSE}
    scopes: ClassVar[dict[str, str]] = {"GET": "risk:read", "POST": "risk:write"}
    serializer_class = StressOutput
    ordering = ("id",)

    @extend_schema(
        description="Page through every version; of a code, the one approved last is run.",
        responses=StressOutput(many=True),
        examples=[STRESS],
    )
    def list(self, request: Request) -> Response:
        """Page through the versions in the order in which they were proposed."""
        return self.page_of(stresses(actor_of(request._request)).order_by("id"), StressOutput)

    @extend_schema(
        description=(
            "Propose the next version of a stress; nothing runs it until another person approves "
            "it. Shocks work in their order. Takes an `Idempotency-Key`."
        ),
        request=StressInput,
        responses={201: StressOutput},
        examples=[PROPOSAL, WAITING],
    )
    def create(self, request: Request) -> Response:
        """Propose a stress."""
        body = StressInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        reason = given.pop("reason")
        shocks = tuple(
            ShockTerms(
                **{**shock, "target": StressTarget(shock["target"]),
                   "rule": MoveRule(shock["rule"])}
            )
            for shock in given.pop("shocks")
        )  # fmt: skip
        row = propose_stress(
            actor=actor_of(request._request), terms=StressTerms(**given, shocks=shocks),
            reason=reason,
        )  # fmt: skip
        return Response(StressOutput(row).data, status=201)


class StressDecisionView(ApiView):
    """What a second person says of a stress."""

    permissions: ClassVar[dict[str, str]] = {"POST": APPROVE}
    scopes: ClassVar[dict[str, str]] = {"POST": "risk:write"}

    @extend_schema(
        description=(
            "Approve or decline a version that another person proposed, with a reason. 409 where it"
            " is decided already, has no reason, or was proposed by the caller."
        ),
        request=VersionDecisionInput,
        responses=StressOutput,
        examples=[DECISION, DECIDED],
    )
    def post(self, request: Request, stress_id: int) -> Response:
        """Decide on a version."""
        approve, reason = verdict_in(request)
        row = decide_stress(
            actor=actor_of(request._request), stress_id=stress_id, approve=approve, reason=reason
        )
        return Response(StressOutput(row).data)


class StressRunsView(ApiView):
    """Books under stress."""

    permissions: ClassVar[dict[str, str]] = {"POST": VIEW}
    scopes: ClassVar[dict[str, str]] = {"POST": "risk:write"}

    @extend_schema(
        description="Start to value a book, with those below it, under every stress in force.",
        request=StressRunInput,
        responses={202: StressJobOutput},
        examples=[RUN_INPUT, COMPARISON_JOB],
    )
    def post(self, request: Request) -> Response:
        """Start a run."""
        body = StressRunInput(data=request.data)
        body.is_valid(raise_exception=True)
        book_id: UUID = body.validated_data["book"]
        try:
            job = ask_stresses(actor=actor_of(request._request), book_id=book_id)
        except UnknownBook as error:
            raise Http404(str(error)) from error
        return Response(StressJobOutput({"job": job.pk}).data, status=202)


class StressRunView(ApiView):
    """One run."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW}
    scopes: ClassVar[dict[str, str]] = {"GET": "risk:read"}

    @extend_schema(
        description="Return what each shock of each stress adds to a book's value.",
        responses=StressRunOutput,
        examples=[RUN],
    )
    def get(self, request: Request, run_id: int) -> Response:
        """Return a run."""
        return Response(StressRunOutput(run_of(actor_of(request._request), run_id)).data)
