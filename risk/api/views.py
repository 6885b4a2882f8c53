"""REST of risk: the books that one may see, and the state of one."""

from uuid import UUID

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.api.permissions import PermissionRequired
from energyopti.accounts.requests import actor_of
from energyopti.foundation.api.views import ApiViewSet
from risk.queries.scopes import book_state, books_with_risk, watched_book
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
    problem = serializers.CharField()
    limits = serializers.ListField(child=serializers.JSONField())
    positions = serializers.ListField(child=serializers.JSONField())


class BookRiskViewSet(ApiViewSet):
    """Risk by book."""

    permission_classes = [PermissionRequired]
    permissions = {"GET": "risk.view_risk"}
    scopes = {"GET": "risk:read"}
    serializer_class = StateOutput

    def list(self, request: Request) -> Response:
        """Return the caller's books."""
        return Response({"results": BookOutput(books_with_risk(actor_of(request)), many=True).data})

    def retrieve(self, request: Request, book_id: UUID) -> Response:
        """Return VaR, ES, value, limits and positions of a book, with their convention."""
        try:
            book = watched_book(actor_of(request), book_id)
        except UnknownBook as error:
            raise Http404(str(error)) from error
        return Response(StateOutput(book_state(book.id)).data)
