"""The inbox of drop copies over REST: what came, what waits, and the verbs of a person."""

from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.api.serializers import InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiListViewSet, ApiView

from ..models import INBOX_STATES, DropCopyMessage
from ..queries.books import books_for, counterparties_for
from ..queries.drop_copy import fields_of, inbox_rows, message_for
from ..services.drop_copy_inbox import (
    InboxRefused,
    UnknownMessage,
    assign_and_book,
    assign_several,
    retry_message,
    settle_by_hand,
)

VIEW, BOOK = "trading.view_drop_copy", "trading.book_fill"


class InboxQuery(StrictSerializer):
    """Which messages; all, if nothing is named."""

    state = serializers.ChoiceField(choices=INBOX_STATES, required=False)
    venue = serializers.CharField(max_length=16, required=False)


class MessageOutput(serializers.Serializer[Any]):
    """A message of a venue and what became of it."""

    id = serializers.IntegerField()
    venue = serializers.CharField(source="venue.code")
    exec_id = serializers.CharField()
    exec_type = serializers.CharField(help_text="ExecType (150): F trade, G correct, H cancel.")
    refers_to = serializers.CharField()
    trade_date = serializers.DateField(allow_null=True)
    state = serializers.CharField()
    tag = serializers.IntegerField(help_text="The field at fault; 0 if none is.")
    reason = serializers.CharField()
    remarks = serializers.CharField()
    trade = serializers.CharField(source="trade_ref")
    times_seen = serializers.IntegerField()
    received_at = InstantField()


class FieldOutput(serializers.Serializer[Any]):
    """One field as it came."""

    tag = serializers.IntegerField()
    name = serializers.CharField(allow_blank=True)
    value = serializers.CharField()


class MessageDetailOutput(MessageOutput):
    """With its fields."""

    fields_as_they_came = FieldOutput(many=True)


class AssignInput(StrictSerializer):
    """What the venue's words mean for this message; what is left out, the mappings say."""

    book = serializers.CharField(max_length=16, required=False)
    counterparty = serializers.CharField(max_length=16, required=False)
    product = serializers.IntegerField(required=False, min_value=1)


class AssignSeveralInput(AssignInput):
    """The same for several messages."""

    messages = serializers.ListField(
        child=serializers.IntegerField(min_value=1), allow_empty=False, max_length=500
    )


class SettleInput(StrictSerializer):
    """What a person did; without a trade the message is set aside."""

    trade = serializers.CharField(max_length=16, default="", allow_blank=True)
    reason = serializers.CharField(max_length=300)


class NothingInput(StrictSerializer):
    """Nothing is asked for."""


MESSAGE: dict[str, Any] = {
    "id": 17,
    "venue": "EEX",
    "exec_id": "E1",
    "exec_type": "F",
    "refers_to": "",
    "trade_date": "2026-11-20",
    "state": "UNMATCHED",
    "tag": 1,
    "reason": "Account “ACC9” is mapped to no book at EEX.",
    "remarks": "",
    "trade": "",
    "times_seen": 1,
    "received_at": "2026-11-20T17:30:01Z",
}
BOOKED = {**MESSAGE, "state": "BOOKED", "tag": 0, "reason": "", "trade": "T-00000042"}
WAITING_EXAMPLE = OpenApiExample("One that waits", response_only=True, value=MESSAGE)
BOOKED_EXAMPLE = OpenApiExample("Booked", response_only=True, value=BOOKED)
DETAIL_EXAMPLE = OpenApiExample(
    "With its fields",
    response_only=True,
    value={**MESSAGE, "fields_as_they_came": [{"tag": 1, "name": "Account", "value": "ACC9"}]},
)
ASSIGN_EXAMPLE = OpenApiExample("Into a book", request_only=True, value={"book": "EU"})
ASSIGN_SEVERAL_EXAMPLE = OpenApiExample(
    "A day of one account", request_only=True, value={"messages": [17, 18], "book": "EU"}
)
SETTLE_EXAMPLE = OpenApiExample(
    "Done on the ticket",
    request_only=True,
    value={"trade": "T-00000042", "reason": "moved to EU on the ticket"},
)
SET_ASIDE_EXAMPLE = OpenApiExample(
    "Set aside", request_only=True, value={"reason": "a test of the venue"}
)


class InboxViewSet(ApiListViewSet):
    """Messages of the caller's venues."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW}
    scopes: ClassVar[dict[str, str]] = {"GET": "trades:read"}
    serializer_class = MessageOutput
    ordering = ("-id",)

    @extend_schema(
        description="Page through the messages that drop copies brought, the latest first.",
        parameters=[InboxQuery],
        responses=MessageOutput(many=True),
        examples=[WAITING_EXAMPLE],
    )
    def list(self, request: Request) -> Response:
        asked = self.query_of(InboxQuery)
        rows = inbox_rows(actor_of(request._request)).defer("raw")
        if "state" in asked:
            rows = rows.filter(state=asked["state"])
        if "venue" in asked:
            rows = rows.filter(venue__code__iexact=asked["venue"])
        return self.page_of(rows, MessageOutput)

    @extend_schema(
        description="Return a message with its fields as they came.",
        responses=MessageDetailOutput,
        examples=[DETAIL_EXAMPLE],
    )
    def retrieve(self, request: Request, message_id: int) -> Response:
        row = message_for(actor_of(request._request), message_id)
        found = [{"tag": t, "name": name, "value": v} for t, name, v in fields_of(row)]
        return Response(
            {**MessageOutput(row).data, "fields_as_they_came": FieldOutput(found, many=True).data}
        )


class _Verb(ApiView):
    permissions: ClassVar[dict[str, str]] = {"POST": BOOK}
    scopes: ClassVar[dict[str, str]] = {"POST": "trades:write"}

    def given(self, request: Request, serializer: type[StrictSerializer]) -> dict[str, Any]:
        body = serializer(data=request.data)
        body.is_valid(raise_exception=True)
        found: dict[str, Any] = body.validated_data
        return found

    def answer(self, row: DropCopyMessage) -> Response:
        return Response(MessageOutput(row).data)


class RetryView(_Verb):
    """Try a message again."""

    @extend_schema(
        description="Try a message again that waits for a mapping; it may wait on.",
        request=NothingInput,
        responses=MessageOutput,
        examples=[OpenApiExample("Again", request_only=True, value={}), BOOKED_EXAMPLE],
    )
    def post(self, request: Request, message_id: int) -> Response:
        actor = actor_of(request._request)
        message_for(actor, message_id)
        self.given(request, NothingInput)
        return self.answer(
            retry_message(actor=actor, message_id=message_id, received_at=clock.now())
        )


class AssignView(_Verb):
    """Assign and book."""

    @extend_schema(
        description="Book an execution that waits, in a book, with a counterparty or as a product"
        " that the venue's mappings do not say; for this message alone.",
        request=AssignInput,
        responses=MessageOutput,
        examples=[ASSIGN_EXAMPLE, BOOKED_EXAMPLE],
    )
    def post(self, request: Request, message_id: int) -> Response:
        actor = actor_of(request._request)
        owner = message_for(actor, message_id).venue.organization_id
        given = self.given(request, AssignInput)
        try:
            row = assign_and_book(
                actor=actor, message_id=message_id, received_at=clock.now(),
                **_assigned(actor, owner, given),
            )  # fmt: skip
        except InboxRefused as error:
            raise _refusal(error, AssignInput) from error
        return self.answer(row)


class AssignSeveralView(_Verb):
    """Assign and book several."""

    @extend_schema(
        operation_id="trading_drop_copy_assign_several",
        description="Book several executions that wait, as one is assigned: all of them, or none."
        " They are of one organization. Takes an `Idempotency-Key`.",
        request=AssignSeveralInput,
        responses=MessageOutput(many=True),
        examples=[ASSIGN_SEVERAL_EXAMPLE, BOOKED_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        actor = actor_of(request._request)
        given = self.given(request, AssignSeveralInput)
        wanted = set(given["messages"])
        rows = inbox_rows(actor).filter(pk__in=wanted)
        owners = set(rows.order_by().values_list("venue__organization_id", flat=True).distinct())
        if len(owners) != 1 or rows.count() != len(wanted):
            raise UnknownMessage("messages: some are not there for you, or of two organizations.")
        try:
            done = assign_several(
                actor=actor, message_ids=wanted, received_at=clock.now(),
                **_assigned(actor, owners.pop(), given),
            )  # fmt: skip
        except InboxRefused as error:
            raise _refusal(error, AssignSeveralInput) from error
        return Response(MessageOutput(done, many=True).data)


class SettleView(_Verb):
    """Set aside, or name the trade."""

    @extend_schema(
        description="Say that a person has done what a message asks for, or set it aside.",
        request=SettleInput,
        responses=MessageOutput,
        examples=[SETTLE_EXAMPLE, SET_ASIDE_EXAMPLE, BOOKED_EXAMPLE],
    )
    def post(self, request: Request, message_id: int) -> Response:
        actor = actor_of(request._request)
        message_for(actor, message_id)
        given = self.given(request, SettleInput)
        try:
            row = settle_by_hand(
                actor=actor, message_id=message_id, trade_ref=given["trade"],
                reason=given["reason"],
            )  # fmt: skip
        except InboxRefused as error:
            raise _refusal(error, SettleInput) from error
        return self.answer(row)


def _assigned(actor: Actor, owner: UUID, given: dict[str, Any]) -> dict[str, Any]:
    """Return what a person says of messages of an organization, as the services take it."""
    books = {b.code: b.id for b in books_for(actor, level="trade") if b.organization_id == owner}
    parties = {p.code: p.id for p in counterparties_for(actor) if p.organization_id == owner}
    return {
        "book_id": _named(books, given, "book"),
        "counterparty_id": _named(parties, given, "counterparty"),
        "product_id": given.get("product"),
    }


def _named(known: dict[str, Any], given: dict[str, Any], field: str) -> Any:
    if field not in given:
        return None
    found = {code.lower(): pk for code, pk in known.items()}.get(given[field].lower())
    if found is None:
        raise Refusal(
            f"{field}: there is no {field} “{given[field]}” for you.", code=f"{field}_unknown",
            pointer=f"/{field}",
        )  # fmt: skip
    return found


def _refusal(error: InboxRefused, serializer: type[StrictSerializer]) -> Refusal:
    field = {"trade_ref": "trade"}.get(error.field, error.field)
    place = f"/{field}" if field in serializer().fields else ""
    return Refusal(str(error), code="inbox_refused", status=409, pointer=place)
