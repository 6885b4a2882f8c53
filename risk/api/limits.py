"""Limits over REST: list with their use, propose, decide; increases; history."""

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
from risk.enums import Dimension, Excess, LimitMeasure, LimitScope, LossPeriod
from risk.queries.limit_measures.kinds import limit_name
from risk.queries.limit_pages import (
    VIEW,
    increase_for,
    limit_for,
    limit_uses,
    limits_for,
    versions_of,
)
from risk.services.limit_terms import LimitTerms
from risk.services.limits import (
    APPROVE,
    PROPOSE,
    decide_increase,
    decide_limit,
    propose_increase,
    propose_limit,
    propose_removal,
)


class LimitOutput(serializers.Serializer[Any]):
    """A version of a limit."""

    id = serializers.IntegerField()
    name = serializers.SerializerMethodField()
    scope = serializers.ChoiceField(choices=LimitScope.choices())
    book = serializers.UUIDField(source="book_id", allow_null=True)
    trader = serializers.CharField(allow_blank=True)
    counterparty = serializers.UUIDField(source="counterparty_id", allow_null=True)
    measure = serializers.ChoiceField(choices=LimitMeasure.choices())
    confidence = DecimalString(max_digits=6, decimal_places=5, allow_null=True)
    period = serializers.CharField(allow_blank=True)
    dimension = serializers.CharField(allow_blank=True)
    market = serializers.CharField(source="market.code", allow_null=True, default=None)
    commodity = serializers.CharField(source="commodity.code", allow_null=True, default=None)
    amount = DecimalString(max_digits=20, decimal_places=2)
    unit = serializers.CharField()
    warn_share = DecimalString(max_digits=4, decimal_places=3)
    excess = serializers.ChoiceField(choices=Excess.choices())
    version = serializers.IntegerField(source="number")
    status = serializers.ChoiceField(choices=VersionStatus.choices)
    is_active = serializers.BooleanField(help_text="In force.")
    is_removal = serializers.BooleanField()
    reason = serializers.CharField()
    proposed_by = serializers.CharField()
    recorded_at = InstantField()
    decided_by = serializers.CharField(allow_blank=True)
    decided_at = InstantField(allow_null=True)
    decision_reason = serializers.CharField(allow_blank=True)

    def get_name(self, row: Any) -> str:
        return limit_name(row)


class LimitUseOutput(serializers.Serializer[Any]):
    """How far a limit in force is used now."""

    limit = LimitOutput()
    used = serializers.FloatField(allow_null=True, help_text="Null: it cannot be measured now.")
    problem = serializers.CharField(allow_blank=True)
    allowed = DecimalString(
        max_digits=22, decimal_places=2, help_text="With the temporary increases of now."
    )
    share = serializers.FloatField()
    level = serializers.ChoiceField(choices=["good", "warn", "bad"])
    is_breached = serializers.BooleanField()


class LimitInput(StrictSerializer):
    """A limit as it is proposed, of one book, one trader or one counterparty."""

    measure = serializers.ChoiceField(choices=LimitMeasure.choices())
    amount = DecimalString(max_digits=20, decimal_places=2)
    book = serializers.UUIDField(source="book_id", default=None, allow_null=True)
    trader = serializers.UUIDField(source="trader_id", default=None, allow_null=True)
    counterparty = serializers.UUIDField(source="counterparty_id", default=None, allow_null=True)
    unit = serializers.CharField(max_length=12, default="")
    confidence = DecimalString(max_digits=6, decimal_places=5, default=None, allow_null=True)
    period = serializers.ChoiceField(
        choices=LossPeriod.choices(), default="", allow_blank=True, help_text="Of a LOSS."
    )
    dimension = serializers.ChoiceField(
        choices=Dimension.choices(), default="", allow_blank=True, help_text="Of a CONCENTRATION."
    )
    market = serializers.CharField(max_length=16, default="", help_text="Its code.")
    commodity = serializers.CharField(max_length=16, default="", help_text="Its code.")
    warn_share = DecimalString(max_digits=4, decimal_places=3, default="0.8")
    excess = serializers.ChoiceField(choices=Excess.choices(), default=Excess.HARD.value)
    reason = serializers.CharField(max_length=400)


class RemovalInput(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=400)


class IncreaseInput(StrictSerializer):
    """What is added for a time, from `start_at` to before `end_at`."""

    amount = DecimalString(max_digits=20, decimal_places=2)
    start_at = InstantField()
    end_at = InstantField()
    reason = serializers.CharField(max_length=400)


class IncreaseOutput(serializers.Serializer[Any]):
    """A temporary increase."""

    id = serializers.IntegerField()
    limit = serializers.IntegerField(source="limit_id")
    amount = DecimalString(max_digits=20, decimal_places=2)
    start_at = InstantField()
    end_at = InstantField()
    status = serializers.ChoiceField(choices=VersionStatus.choices)
    reason = serializers.CharField()
    proposed_by = serializers.CharField()
    decided_by = serializers.CharField(allow_blank=True)
    decision_reason = serializers.CharField(allow_blank=True)


LIMIT = {
    "id": 7, "name": "Net volume of a month, DE", "scope": "BOOK",
    "book": "6b1f7c1e-1f0a-4a53-9d0f-3a6f3c0b7f51", "trader": "", "counterparty": None,
    "measure": "NET_VOLUME", "confidence": None, "period": "", "dimension": "", "market": "DE",
    "commodity": None, "amount": "50.00", "unit": "MW", "warn_share": "0.800", "excess": "HARD",
    "version": 2, "status": "APPROVED", "is_active": True, "is_removal": False,
    "reason": "as the board decided", "proposed_by": "user:12",
    "recorded_at": "2026-11-20T16:10:00Z", "decided_by": "user:15",
    "decided_at": "2026-11-20T16:40:00Z", "decision_reason": "checked",
}  # fmt: skip
WAITS = {**LIMIT, "status": "PENDING", "is_active": False, "decided_by": "", "decided_at": None,
         "decision_reason": ""}  # fmt: skip
USE = {
    "limit": LIMIT, "used": 40.0, "problem": "", "allowed": "50.00", "share": 0.8,
    "level": "warn", "is_breached": False,
}  # fmt: skip
INCREASE = {
    "id": 3, "limit": 7, "amount": "10.00", "start_at": "2026-11-21T06:00:00Z",
    "end_at": "2026-11-24T06:00:00Z", "status": "PENDING", "reason": "outage of a plant",
    "proposed_by": "user:12", "decided_by": "", "decision_reason": "",
}  # fmt: skip
PROPOSAL = {
    "measure": "NET_VOLUME", "book": "6b1f7c1e-1f0a-4a53-9d0f-3a6f3c0b7f51", "market": "DE",
    "amount": "50", "unit": "MW", "reason": "as the board decided",
}  # fmt: skip
ASKED = {name: INCREASE[name] for name in ("amount", "start_at", "end_at", "reason")}


def _example(name: str, value: Any, **more: Any) -> OpenApiExample:
    return OpenApiExample(name, value=value, **more)


class LimitViewSet(ApiListViewSet):
    """Limits."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW, "POST": PROPOSE}
    scopes: ClassVar[dict[str, str]] = {"GET": "risk:read", "POST": "risk:write"}
    serializer_class = LimitOutput
    ordering = ("id",)

    @extend_schema(
        description=(
            "Page through every version of the limits that the caller may see: in force, waiting, "
            "declined and replaced. How far those in force are used is at `uses`."
        ),
        responses=LimitOutput(many=True),
        examples=[_example("A limit in force", LIMIT, response_only=True)],
    )
    def list(self, request: Request) -> Response:
        """Page through limits."""
        return self.page_of(limits_for(actor_of(request._request)).order_by("id"), LimitOutput)

    @extend_schema(
        description=(
            "Propose the next version of a limit. One that only lowers what is in force holds at "
            "once; any other waits for another person. Takes an `Idempotency-Key`."
        ),
        request=LimitInput,
        responses={201: LimitOutput},
        examples=[
            _example("Fifty megawatts a month", PROPOSAL, request_only=True),
            _example("What waits", WAITS, response_only=True, status_codes=["201"]),
        ],
    )
    def create(self, request: Request) -> Response:
        """Propose a limit."""
        body = LimitInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        reason = given.pop("reason")
        given["measure"] = LimitMeasure(given["measure"])
        given["warn_share"] = Decimal(given["warn_share"])
        given["excess"] = Excess(given["excess"])
        row = propose_limit(
            actor=actor_of(request._request), terms=LimitTerms(**given), reason=reason
        )
        return Response(LimitOutput(row).data, status=201)

    @extend_schema(
        description="Show a limit with every version of it, the latest first.",
        responses=LimitOutput(many=True),
        examples=[_example("Its versions", LIMIT, response_only=True)],
    )
    def versions(self, request: Request, limit_id: int) -> Response:
        """List the versions of a limit."""
        actor = actor_of(request._request)
        rows = versions_of(actor, limit_for(actor, limit_id))
        return Response(LimitOutput(rows, many=True).data)


class LimitUsesView(ApiView):
    """How far limits are used."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW}
    scopes: ClassVar[dict[str, str]] = {"GET": "risk:read"}

    @extend_schema(
        description="Every limit in force that the caller may see, and how far it is used now.",
        responses=LimitUseOutput(many=True),
        examples=[_example("A limit near its amount", USE, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        """List limits in force with their use."""
        rows = limits_for(actor_of(request._request)).filter(is_active=True).order_by("id")
        return Response(LimitUseOutput(limit_uses(list(rows), at=clock.now()), many=True).data)


class LimitDecisionView(ApiView):
    """What a second person says of a limit."""

    permissions: ClassVar[dict[str, str]] = {"POST": APPROVE}
    scopes: ClassVar[dict[str, str]] = {"POST": "risk:write"}

    @extend_schema(
        description=(
            "Approve or decline a version that another person proposed. 409 where it is decided "
            "already, or was proposed by the caller."
        ),
        request=VersionDecisionInput,
        responses=LimitOutput,
        examples=[DECISION_EXAMPLE, _example("In force", LIMIT, response_only=True)],
    )
    def post(self, request: Request, limit_id: int) -> Response:
        """Decide on a limit."""
        limit_for(actor_of(request._request), limit_id)
        approve, reason = verdict_in(request)
        row = decide_limit(
            actor=actor_of(request._request), limit_id=limit_id, approve=approve, reason=reason
        )
        return Response(LimitOutput(row).data)


class LimitRemovalView(ApiView):
    """The end of a limit."""

    permissions: ClassVar[dict[str, str]] = {"POST": PROPOSE}
    scopes: ClassVar[dict[str, str]] = {"POST": "risk:write"}

    @extend_schema(
        description="Propose that a limit in force goes; another person decides.",
        request=RemovalInput,
        responses={201: LimitOutput},
        examples=[
            _example("Why", {"reason": "the book is closed"}, request_only=True),
            _example(
                "What waits", {**WAITS, "is_removal": True}, response_only=True,
                status_codes=["201"],
            ),
        ],
    )  # fmt: skip
    def post(self, request: Request, limit_id: int) -> Response:
        """Propose to remove a limit."""
        limit_for(actor_of(request._request), limit_id)
        body = RemovalInput(data=request.data)
        body.is_valid(raise_exception=True)
        row = propose_removal(
            actor=actor_of(request._request), limit_id=limit_id, **body.validated_data
        )
        return Response(LimitOutput(row).data, status=201)


class LimitIncreasesView(ApiView):
    """Temporary increases of a limit."""

    permissions: ClassVar[dict[str, str]] = {"POST": PROPOSE}
    scopes: ClassVar[dict[str, str]] = {"POST": "risk:write"}

    @extend_schema(
        description="Ask that a limit in force be raised for a time; another person decides.",
        request=IncreaseInput,
        responses={201: IncreaseOutput},
        examples=[
            _example("Three days", ASKED, request_only=True),
            _example("What waits", INCREASE, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, limit_id: int) -> Response:
        """Ask for an increase."""
        limit_for(actor_of(request._request), limit_id)
        body = IncreaseInput(data=request.data)
        body.is_valid(raise_exception=True)
        row = propose_increase(
            actor=actor_of(request._request), limit_id=limit_id, at=clock.now(),
            **body.validated_data,
        )  # fmt: skip
        return Response(IncreaseOutput(row).data, status=201)


class IncreaseDecisionView(ApiView):
    """What a second person says of a temporary increase."""

    permissions: ClassVar[dict[str, str]] = {"POST": APPROVE}
    scopes: ClassVar[dict[str, str]] = {"POST": "risk:write"}

    @extend_schema(
        description="Approve or decline an increase that another person asked for; else 409.",
        request=VersionDecisionInput,
        responses=IncreaseOutput,
        examples=[
            DECISION_EXAMPLE,
            _example(
                "Approved", {**INCREASE, "status": "APPROVED", "decided_by": "user:15"},
                response_only=True,
            ),
        ],
    )  # fmt: skip
    def post(self, request: Request, increase_id: int) -> Response:
        """Decide on an increase."""
        increase_for(actor_of(request._request), increase_id)
        approve, reason = verdict_in(request)
        row = decide_increase(
            actor=actor_of(request._request), increase_id=increase_id, approve=approve,
            reason=reason,
        )  # fmt: skip
        return Response(IncreaseOutput(row).data)
