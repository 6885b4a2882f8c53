"""Breaches over REST: list, life, and what is done about each."""

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiListViewSet, ApiView
from risk.enums import BreachState, BreachStepKind
from risk.models import LimitBreach
from risk.queries.limit_measures.kinds import limit_name
from risk.queries.limit_pages import VIEW_BREACH, breach_for, breaches_for
from risk.services.breaches import (
    ACKNOWLEDGE,
    acknowledge_breach,
    assign_breach,
    note_breach,
    record_action,
    resolve_breach,
)


class BreachOutput(serializers.Serializer[Any]):
    """That a scope stood over a limit; numbers in the limit's unit."""

    id = serializers.IntegerField()
    limit = serializers.IntegerField(source="limit_id")
    name = serializers.SerializerMethodField()
    before = serializers.FloatField(allow_null=True, help_text="Null where nobody dealt.")
    after = serializers.FloatField()
    amount = DecimalString(max_digits=20, decimal_places=2)
    unit = serializers.CharField(source="limit.unit")
    cause = serializers.CharField()
    caused_by = serializers.CharField(allow_blank=True)
    detected_at = InstantField()
    state = serializers.ChoiceField(choices=BreachState.choices())
    owner = serializers.CharField(allow_blank=True)
    is_escalated = serializers.BooleanField()

    def get_name(self, row: Any) -> str:
        return limit_name(row.limit)


class BreachStepOutput(serializers.Serializer[Any]):
    """One step in its life."""

    kind = serializers.ChoiceField(choices=BreachStepKind.choices())
    actor = serializers.CharField(source="actor_id", allow_blank=True)
    owner = serializers.CharField(allow_blank=True)
    note = serializers.CharField(allow_blank=True)
    recorded_at = InstantField()


class BreachDetailOutput(BreachOutput):
    """A breach with its life."""

    steps = serializers.SerializerMethodField()

    @extend_schema_field(BreachStepOutput(many=True))
    def get_steps(self, row: Any) -> list[dict[str, Any]]:
        return list(BreachStepOutput(row.steps.order_by("id"), many=True).data)


class BreachQuery(StrictSerializer):
    """Which breaches."""

    state = serializers.ChoiceField(choices=BreachState.choices(), default="")


class BreachActionInput(StrictSerializer):
    """What is done: ACTION, NOTE and RESOLVE need a note, ASSIGN the person's user id."""

    action = serializers.ChoiceField(choices=["ACKNOWLEDGE", "ASSIGN", "ACTION", "NOTE", "RESOLVE"])
    note = serializers.CharField(max_length=1000, default="", allow_blank=True)
    user = serializers.UUIDField(default=None, allow_null=True, help_text="Of ASSIGN.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["user"] is not None) is not (attrs["action"] == "ASSIGN"):
            raise serializers.ValidationError({"user": "Is given to ASSIGN, and only then."})
        return attrs


BREACH = {
    "id": 4, "limit": 7, "name": "Net volume of a month, DE", "before": 45.0, "after": 55.0,
    "amount": "50.00", "unit": "MW", "cause": "T-00000042", "caused_by": "user:11",
    "detected_at": "2026-11-20T16:10:00Z", "state": "ACKNOWLEDGED", "owner": "user:12",
    "is_escalated": False,
}  # fmt: skip
DETAIL = {
    **BREACH,
    "steps": [
        {"kind": "DETECTED", "actor": "user:11", "owner": "", "note": "",
         "recorded_at": "2026-11-20T16:10:00Z"},
        {"kind": "ACKNOWLEDGED", "actor": "user:12", "owner": "user:12", "note": "calling the desk",
         "recorded_at": "2026-11-20T16:14:00Z"},
    ],
}  # fmt: skip


class BreachViewSet(ApiListViewSet):
    """Breaches of limits."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW_BREACH}
    scopes: ClassVar[dict[str, str]] = {"GET": "risk:read"}
    serializer_class = BreachOutput
    ordering = ("-id",)

    @extend_schema(
        description="Page through the breaches that the caller may see, newest first.",
        parameters=[BreachQuery],
        responses=BreachOutput(many=True),
        examples=[OpenApiExample("An acknowledged breach", value=BREACH, response_only=True)],
    )
    def list(self, request: Request) -> Response:
        """Page through breaches."""
        rows = breaches_for(actor_of(request._request))
        if state := self.query_of(BreachQuery)["state"]:
            rows = rows.filter(state=state)
        return self.page_of(rows.order_by("-id"), BreachOutput)

    @extend_schema(
        description="A breach with every step of its life.",
        responses=BreachDetailOutput,
        examples=[OpenApiExample("A breach and its life", value=DETAIL, response_only=True)],
    )
    def retrieve(self, request: Request, breach_id: int) -> Response:
        """Show a breach."""
        row = breach_for(actor_of(request._request), breach_id)
        return Response(BreachDetailOutput(row).data)


class BreachActionView(ApiView):
    """What is done about a breach."""

    permissions: ClassVar[dict[str, str]] = {"POST": ACKNOWLEDGE}
    scopes: ClassVar[dict[str, str]] = {"POST": "risk:write"}

    @extend_schema(
        description=(
            "Acknowledge a breach (whoever does owns it), hand it over, record an action or a "
            "note, or resolve it. 409 where that cannot follow on its state, and for who caused "
            "it and would resolve it."
        ),
        request=BreachActionInput,
        responses=BreachDetailOutput,
        examples=[
            OpenApiExample(
                "Acknowledge", value={"action": "ACKNOWLEDGE", "note": "calling the desk"},
                request_only=True,
            ),
            OpenApiExample("A breach and its life", value=DETAIL, response_only=True),
        ],
    )  # fmt: skip
    def post(self, request: Request, breach_id: int) -> Response:
        """Act on a breach."""
        breach_for(actor_of(request._request), breach_id)
        body = BreachActionInput(data=request.data)
        body.is_valid(raise_exception=True)
        given, actor = body.validated_data, actor_of(request._request)
        row = self._done(actor, breach_id, given)
        return Response(BreachDetailOutput(breach_for(actor, row.pk)).data)

    def _done(self, actor: Any, breach_id: int, given: Any) -> LimitBreach:
        note = given["note"]
        if given["action"] == "ASSIGN":
            return assign_breach(actor=actor, breach_id=breach_id, user_id=given["user"], note=note)
        verb = {
            "ACKNOWLEDGE": acknowledge_breach, "ACTION": record_action, "NOTE": note_breach,
            "RESOLVE": resolve_breach,
        }[given["action"]]  # fmt: skip
        return verb(actor=actor, breach_id=breach_id, note=note)
