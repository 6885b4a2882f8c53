"""REST of risk: the books that one may see, and the state of one."""

from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.api.permissions import PermissionRequired
from energyopti.accounts.requests import actor_of
from energyopti.foundation.api.views import ApiViewSet
from risk.queries.book_state import book_state
from risk.queries.scopes import books_with_risk, watched_book
from trading.queries.books import UnknownBook


class BookOutput(serializers.Serializer):
    """A book whose risk may be asked for."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    reporting_currency = serializers.CharField()


class StateOutput(serializers.Serializer):
    """A book's risk: the same members that websocket frames carry."""

    book = serializers.UUIDField()
    revision = serializers.IntegerField()
    as_of = serializers.CharField(allow_null=True)
    var = serializers.FloatField(allow_null=True)
    es = serializers.FloatField(allow_null=True)
    value = serializers.FloatField(allow_null=True)
    currency = serializers.CharField()
    convention = serializers.CharField()
    unvalued = serializers.IntegerField()
    findings = serializers.ListField(child=serializers.CharField())
    problem = serializers.CharField()
    limits = serializers.ListField(child=serializers.JSONField())
    changes = serializers.ListField(
        child=serializers.JSONField(),
        help_text="The latest changes, newest first: what made each, VaR before and after.",
    )
    positions = serializers.ListField(child=serializers.JSONField())
    choices = serializers.ListField(child=serializers.JSONField())
    choice_count = serializers.IntegerField()


BOOK = OpenApiExample(
    "The books of a risk officer",
    response_only=True,
    value={
        "results": [
            {
                "id": "6b1f7c1e-1f0a-4a53-9d0f-3a6f3c0b7f51",
                "code": "EU",
                "name": "European power",
                "reporting_currency": "EUR",
            }
        ]
    },
)
STATE = OpenApiExample(
    "A book that bought a calendar year",
    response_only=True,
    value={
        "book": "6b1f7c1e-1f0a-4a53-9d0f-3a6f3c0b7f51",
        "revision": 3,
        "as_of": "2026-11-21T16:30:00+00:00",
        "var": 217905.6,
        "es": 246310.4,
        "value": -2156.6,
        "currency": "EUR",
        "convention": "VaR 99 %, 1 day, historical simulation, 500 scenarios; the 5th worst",
        "unvalued": 0,
        "findings": [],
        "problem": "",
        "limits": [
            {
                "id": 1,
                "measure": "VaR 99 %",
                "used": 217905.6,
                "amount": 300000.0,
                "share": 0.726,
                "currency": "EUR",
                "is_breached": False,
            }
        ],
        "changes": [
            {
                "sequence": 3,
                "cause": "T-00000012",
                "trade": "T-00000012",
                "at": "2026-11-21T16:31:04+00:00",
                "var_before": 171204.1,
                "var_after": 217905.6,
                "var_change": 46701.5,
                "es_change": 51880.2,
                "value_change": -310.0,
            }
        ],
        "positions": [{"market": "DE", "month": "2027-01", "mw": "10.000", "hours": 744.0}],
        "choice_count": 1,
        "choices": [
            {
                "trade": "T-00000042",
                "what": "Call",
                "market": "DE",
                "first": "2027-01-01",
                "last": "2027-03-31",
                "currency": "EUR",
                "value": 38211.2,
                "problem": "",
                "notes": [],
            }
        ],
    },
)


class BookRiskViewSet(ApiViewSet):
    """Risk by book."""

    permission_classes = [PermissionRequired]
    permissions = {"GET": "risk.view_risk"}
    scopes = {"GET": "risk:read"}
    serializer_class = StateOutput

    @extend_schema(
        description="List the books whose risk the caller may see.",
        responses=inline_serializer("BookList", {"results": BookOutput(many=True)}),
        examples=[BOOK],
    )
    def list(self, request: Request) -> Response:
        """Return the caller's books."""
        return Response({"results": BookOutput(books_with_risk(actor_of(request)), many=True).data})

    @extend_schema(
        description="Return VaR, ES, value, limits, positions and options of a book.",
        responses=StateOutput,
        examples=[STATE],
    )
    def retrieve(self, request: Request, book_id: UUID) -> Response:
        """Return VaR, ES, value, limits, positions and options of a book, with their convention."""
        try:
            book = watched_book(actor_of(request), book_id)
        except UnknownBook as error:
            raise Http404(str(error)) from error
        return Response(StateOutput(book_state(book.id)).data)
