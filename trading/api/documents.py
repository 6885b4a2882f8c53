"""REST of the files of a trade: list them, put one on, hand it out as it came, withdraw it."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation.api.serializers import InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiListViewSet, ApiView
from energyopti.foundation.exports.responses import attachment
from trading.files import MEDIA_TYPES
from trading.models import DocumentKind, TradeDocument
from trading.queries.documents import document_of, document_rows
from trading.queries.trades import trade_by_ref
from trading.services.documents import LARGEST_FILE, attach_document, withdraw_document

from .file_bodies import FileParser
from .trade_terms import ReasonInput

VIEW = "trading.view_tradedocument"
_SCOPES = {"GET": "trades:read", "POST": "trades:write"}
_TYPES = sorted({*MEDIA_TYPES.values()})


class DocumentQuery(StrictSerializer):
    """What the file in the body is."""

    name = serializers.CharField(
        max_length=200, help_text=f"With its ending: {', '.join(MEDIA_TYPES)}."
    )
    kind = serializers.ChoiceField(choices=DocumentKind.choices, default=str(DocumentKind.OTHER))
    note = serializers.CharField(max_length=200, default="", allow_blank=True)


class DocumentOutput(serializers.Serializer[TradeDocument]):
    """A file of a trade; a withdrawn one stays on record and says who took it back, and why."""

    id = serializers.UUIDField(source="uid")
    kind = serializers.ChoiceField(choices=DocumentKind.choices)
    name = serializers.CharField()
    note = serializers.CharField()
    media_type = serializers.CharField(help_text="Told from its bytes.")
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    added_by = serializers.CharField()
    recorded_at = InstantField()
    is_withdrawn = serializers.SerializerMethodField()
    withdrawn_by = serializers.CharField(source="withdrawal.withdrawn_by", default="")
    withdrawn_reason = serializers.CharField(source="withdrawal.reason", default="")
    withdrawn_at = InstantField(source="withdrawal.recorded_at", default=None, allow_null=True)

    def get_is_withdrawn(self, row: TradeDocument) -> bool:
        return hasattr(row, "withdrawal")


_UID = "3f0e9a52-4d1b-4c0e-8c50-6f1f2a7f9d10"
_FILE: dict[str, Any] = {
    "id": _UID,
    "kind": "CONFIRMATION",
    "name": "confirmation.pdf",
    "note": "signed by both",
    "media_type": "application/pdf",
    "size": 48213,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "added_by": "user:0b9c7d52-6d6c-4c6f-9f57-2c6a5a3a1f10",
    "recorded_at": "2026-11-20T09:12:44Z",
    "is_withdrawn": False,
    "withdrawn_by": "",
    "withdrawn_reason": "",
    "withdrawn_at": None,
}
ON_FILE = OpenApiExample(
    "A confirmation", value=_FILE, response_only=True, status_codes=["200", "201"]
)
THE_FILE = OpenApiExample(
    "The bytes of the file", request_only=True, media_type="application/pdf", value="%PDF-1.7 …"
)
HANDED_OUT = OpenApiExample(
    "The bytes of the file", response_only=True, media_type="application/pdf", value="%PDF-1.7 …"
)
WITHDRAW = OpenApiExample(
    "Another deal's", value={"reason": "belongs to T-00000043"}, request_only=True
)
WITHDRAWN = OpenApiExample(
    "Withdrawn",
    value={
        **_FILE,
        "is_withdrawn": True,
        "withdrawn_by": "user:0b9c7d52-6d6c-4c6f-9f57-2c6a5a3a1f10",
        "withdrawn_reason": "belongs to T-00000043",
        "withdrawn_at": "2026-11-20T10:02:11Z",
    },
    response_only=True,
)


class DocumentViewSet(ApiListViewSet):
    """The files of one trade."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW, "POST": "trading.add_tradedocument"}
    scopes: ClassVar[dict[str, str]] = _SCOPES
    serializer_class = DocumentOutput
    parser_classes = [FileParser]
    max_body_bytes = LARGEST_FILE
    ordering = ("-id",)

    @extend_schema(
        description="Page through the files of a trade, the newest first, withdrawn ones too.",
        responses=DocumentOutput(many=True),
        examples=[ON_FILE],
    )
    def list(self, request: Request, ref: str) -> Response:
        trade_id = trade_by_ref(actor_of(request._request), ref).trade_id
        return self.page_of(document_rows(trade_id), DocumentOutput)

    @extend_schema(
        description=(
            "Put a file on a trade: the file is the body, at most 10 MB, its kind and name are in "
            "the query. It is taken where its bytes are what the ending of its name says. Takes "
            "an `Idempotency-Key`; the same bytes on the same trade again are refused."
        ),
        parameters=[DocumentQuery],
        request=dict.fromkeys(_TYPES, OpenApiTypes.BINARY),
        responses={201: DocumentOutput},
        examples=[THE_FILE, ON_FILE],
    )
    def create(self, request: Request, ref: str) -> Response:
        actor = actor_of(request._request)
        trade_by_ref(actor, ref)
        said, content = self.query_of(DocumentQuery), request.data
        made = attach_document(
            actor=actor, ref=ref, **said, content=content if isinstance(content, bytes) else b""
        )
        made.refresh_from_db(fields=["recorded_at"])
        answer = Response(DocumentOutput(made).data, status=201)
        answer["Location"] = request.build_absolute_uri(f"{request.path}/{made.uid}")
        return answer


class DocumentView(ApiView):
    """One file."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW}
    scopes: ClassVar[dict[str, str]] = _SCOPES

    @extend_schema(
        description="Hand a file out as it came, after its bytes were checked by their hash.",
        responses=dict.fromkeys([(200, kind) for kind in _TYPES], OpenApiTypes.BINARY),
        examples=[HANDED_OUT],
    )
    def get(self, request: Request, ref: str, uid: UUID) -> HttpResponse:
        found = document_of(actor_of(request._request), ref, uid)
        return HttpResponse(
            bytes(found.content),
            content_type=found.media_type,
            headers={
                "Content-Disposition": attachment(found.name),
                "X-Content-Type-Options": "nosniff",
            },
        )


class DocumentWithdrawalView(ApiView):
    """The withdrawal of a file."""

    permissions: ClassVar[dict[str, str]] = {"POST": "trading.add_documentwithdrawal"}
    scopes: ClassVar[dict[str, str]] = _SCOPES

    @extend_schema(
        description="Say that a file no longer counts, and why; it stays on record.",
        request=ReasonInput,
        responses=DocumentOutput,
        examples=[WITHDRAW, WITHDRAWN],
    )
    def post(self, request: Request, ref: str, uid: UUID) -> Response:
        actor = actor_of(request._request)
        trade_id = trade_by_ref(actor, ref).trade_id
        body = ReasonInput(data=request.data)
        body.is_valid(raise_exception=True)
        withdraw_document(actor=actor, ref=ref, uid=uid, reason=body.validated_data["reason"])
        return Response(DocumentOutput(document_rows(trade_id).get(uid=uid)).data)
