"""REST of adjustments of a day's P&L: one person asks with a reason, another one decides."""

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
from trading.models import AdjustmentStatus, PnlAdjustment
from trading.queries.books import books_for
from trading.queries.pnl import adjustment_for, adjustment_rows
from trading.services.pnl import ask_adjustment, decide_adjustment

from .trade_terms import ReasonInput
from .trades import named

_SCOPES = {"GET": "trades:read", "POST": "trades:write"}
_CENTS = {"max_digits": 17, "decimal_places": 2}


class AdjustmentQuery(StrictSerializer):
    """Which adjustments; all of the caller's books, if nothing is said."""

    book = serializers.CharField(max_length=16, required=False)
    day = serializers.DateField(required=False)
    status = serializers.ChoiceField(choices=AdjustmentStatus.choices, required=False)


class AdjustmentInput(StrictSerializer):
    """An amount that is to be added to a book's P&L of a day."""

    book = serializers.CharField(max_length=16)
    day = serializers.DateField()
    amount = DecimalString(**_CENTS, help_text="In the book's reporting currency, a gain +.")
    reason = serializers.CharField(max_length=400)

    def validate_amount(self, value: Decimal) -> Decimal:
        if not value:
            raise serializers.ValidationError("Is a number other than 0.", code="zero")
        return value


class ApprovalInput(StrictSerializer):
    """What the second person says of it."""

    reason = serializers.CharField(max_length=400, default="", allow_blank=True)


class AdjustmentOutput(serializers.Serializer[PnlAdjustment]):
    """An adjustment; it counts in `adjustment` of its day when its status is APPROVED."""

    id = serializers.IntegerField()
    book = serializers.CharField(source="book.code")
    day = serializers.DateField()
    amount = DecimalString(**_CENTS)
    currency = serializers.CharField()
    reason = serializers.CharField()
    status = serializers.CharField(help_text="PENDING, APPROVED or REJECTED.")
    requested_by = serializers.CharField()
    requested_at = InstantField()
    decided_by = serializers.CharField()
    decided_at = InstantField(allow_null=True)
    decision_reason = serializers.CharField()


_ASKED = {
    "book": "EU", "day": "2026-11-20", "amount": "-250.10",
    "reason": "imbalance of 19 November billed late",
}  # fmt: skip
_WAITING: dict[str, Any] = {
    "id": 7,
    **_ASKED,
    "currency": "EUR",
    "status": "PENDING",
    "requested_by": "user:0b9c7d52-6d6c-4c6f-9f57-2c6a5a3a1f10",
    "requested_at": "2026-11-23T08:10:05Z",
    "decided_by": "",
    "decided_at": None,
    "decision_reason": "",
}
_DECIDED = {
    **_WAITING,
    "decided_by": "user:5c1f7f0a-8c84-4a4e-9a53-0d6f3d0c2b77",
    "decided_at": "2026-11-23T09:40:12Z",
}
ASK = OpenApiExample("A late bill", value=_ASKED, request_only=True)
WAITING = OpenApiExample(
    "It waits", value=_WAITING, response_only=True, status_codes=["200", "201"]
)
APPROVE = OpenApiExample("Yes", value={"reason": "invoice seen"}, request_only=True)
APPROVED = OpenApiExample(
    "Approved",
    value={**_DECIDED, "status": "APPROVED", "decision_reason": "invoice seen"},
    response_only=True,
)
REJECT = OpenApiExample("No", value={"reason": "belongs to October"}, request_only=True)
REJECTED = OpenApiExample(
    "Rejected",
    value={**_DECIDED, "status": "REJECTED", "decision_reason": "belongs to October"},
    response_only=True,
)


class AdjustmentViewSet(ApiListViewSet):
    """Adjustments of the caller's books."""

    permissions: ClassVar[dict[str, str]] = {
        "GET": "trading.view_pnlreport", "POST": "trading.adjust_pnl",
    }  # fmt: skip
    scopes: ClassVar[dict[str, str]] = _SCOPES
    serializer_class = AdjustmentOutput
    ordering = ("-id",)

    @extend_schema(
        description="Page through adjustments, the latest first, those that wait and decided ones.",
        parameters=[AdjustmentQuery],
        responses=AdjustmentOutput(many=True),
        examples=[WAITING],
    )
    def list(self, request: Request) -> Response:
        asked = self.query_of(AdjustmentQuery)
        paths = {"book": "book__code__iexact", "day": "day", "status": "status"}
        rows = adjustment_rows(actor_of(request._request))
        return self.page_of(
            rows.filter(**{paths[name]: value for name, value in asked.items()}), AdjustmentOutput
        )

    @extend_schema(
        description=(
            "Ask for an amount to be added to a book's P&L of a day. It counts when another "
            "person approves it. Takes an `Idempotency-Key`."
        ),
        request=AdjustmentInput,
        responses={201: AdjustmentOutput},
        examples=[ASK, WAITING],
    )
    def create(self, request: Request) -> Response:
        actor = actor_of(request._request)
        body = AdjustmentInput(data=request.data)
        body.is_valid(raise_exception=True)
        given = dict(body.validated_data)
        book = named({b.code: b for b in books_for(actor)}, given.pop("book"), "book")
        row = ask_adjustment(actor=actor, book_id=book.id, **given)
        answer = Response(AdjustmentOutput(adjustment_for(actor, row.pk)).data, status=201)
        answer["Location"] = request.build_absolute_uri(f"{request.path}/{row.pk}")
        return answer

    @extend_schema(
        description="Return one adjustment.", responses=AdjustmentOutput, examples=[WAITING]
    )
    def retrieve(self, request: Request, adjustment_id: int) -> Response:
        row = adjustment_for(actor_of(request._request), adjustment_id)
        return Response(AdjustmentOutput(row).data)


class _Decision(ApiView):
    permissions: ClassVar[dict[str, str]] = {"POST": "trading.approve_pnl"}
    scopes: ClassVar[dict[str, str]] = _SCOPES

    def decided(
        self, request: Request, adjustment_id: int, body: StrictSerializer, *, approve: bool
    ) -> Response:
        actor = actor_of(request._request)
        adjustment_for(actor, adjustment_id)
        body.is_valid(raise_exception=True)
        row = decide_adjustment(
            actor=actor, adjustment_id=adjustment_id, approve=approve, decided_at=clock.now(),
            reason=body.validated_data["reason"],
        )  # fmt: skip
        return Response(AdjustmentOutput(row).data)


class ApprovalView(_Decision):
    """The yes of another person."""

    @extend_schema(
        description=(
            "Approve an adjustment, as another person than who asked; 409 for who asked "
            "(`second_person_needed`) and for one that is decided (`pnl_refused`)."
        ),
        request=ApprovalInput,
        responses=AdjustmentOutput,
        examples=[APPROVE, APPROVED],
    )
    def post(self, request: Request, adjustment_id: int) -> Response:
        return self.decided(request, adjustment_id, ApprovalInput(data=request.data), approve=True)


class RejectionView(_Decision):
    """The no of another person."""

    @extend_schema(
        description="Reject an adjustment with a reason; refused as an approval is.",
        request=ReasonInput,
        responses=AdjustmentOutput,
        examples=[REJECT, REJECTED],
    )
    def post(self, request: Request, adjustment_id: int) -> Response:
        return self.decided(request, adjustment_id, ReasonInput(data=request.data), approve=False)
