"""REST of trades: list, one, capture."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.api.permissions import PermissionRequired
from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.api.views import ApiListViewSet
from trading.deals import QuickTextError, parse_quick_text
from trading.queries.books import books_for, counterparties_for
from trading.queries.proposals import delivery_areas
from trading.queries.trades import UnknownTrade, trade_by_ref, trade_rows
from trading.services.capture import book_fill, capture_order

from .serializers import DealInput, TradeOutput, TradeQuery
from .trade_examples import FILL, ORDER, TRADE


class TradeViewSet(ApiListViewSet):
    """Trades of the caller's books."""

    permission_classes = [PermissionRequired]
    permissions = {"GET": "trading.view_trade", "POST": "trading.capture_trade"}
    scopes = {"GET": "trades:read", "POST": "trades:write"}
    ordering = ("-id",)
    serializer_class = TradeOutput
    lookup_field = "ref"

    @extend_schema(
        description="Page through the latest versions of trades, newest first.",
        parameters=[TradeQuery],
        responses=TradeOutput(many=True),
        examples=[TRADE],
    )
    def list(self, request: Request) -> Response:
        """Page through the latest versions, newest first."""
        rows = trade_rows(actor_of(request))
        found = self.query_of(TradeQuery)
        paths = {"book": "trade__book__code__iexact", "side": "side", "market": "market__code"}
        rows = rows.filter(**{paths[name]: value for name, value in found.items()})
        return self.page_of(rows, TradeOutput)

    @extend_schema(
        description="Return one trade in its latest version.",
        responses=TradeOutput,
        examples=[TRADE],
    )
    def retrieve(self, request: Request, ref: str) -> Response:
        """Return one trade."""
        return Response(TradeOutput(_trade(request, ref)).data)

    @extend_schema(
        description=(
            "Capture a deal given as one line of text: an order, which checks may stop, or with "
            "`executed_at` a fill, which is booked whatever they say."
        ),
        request=DealInput,
        responses={201: TradeOutput, 200: TradeOutput},
        examples=[ORDER, FILL, TRADE],
    )
    def create(self, request: Request) -> Response:
        """Capture a deal given as quick text: an order, or a fill if it says when it was done."""
        body = DealInput(data=request.data)
        body.is_valid(raise_exception=True)
        given, actor, now = body.validated_data, actor_of(request), clock.now()
        books = {book.code: book for book in books_for(actor, level="trade")}
        parties = {party.code: party for party in counterparties_for(actor)}
        executed_at = given.get("executed_at")
        traded_at = executed_at or now
        try:
            deal = parse_quick_text(
                given["text"], areas=delivery_areas(), traded_at=traded_at,
                books=books, counterparties=parties,
            )  # fmt: skip
        except QuickTextError as error:
            raise Refusal(
                f"{error} (at character {error.position})", code="quick_text", pointer="/text"
            ) from error
        book = _named(books, deal.book_code or given.get("book", ""), "book")
        party = _named(
            parties, deal.counterparty_code or given.get("counterparty", ""), "counterparty"
        )
        verb = capture_order if executed_at is None else book_fill
        receipt = verb(
            actor=actor,
            deal=deal.terms.deal,
            book_id=book.id,
            counterparty_id=party.id,
            traded_at=traded_at,
            received_at=now,
            reason=given.get("reason", ""),
            client_reference=given.get("client_reference", ""),
            tags=deal.tags,
            text=given["text"],
        )
        answer = Response(
            TradeOutput(_trade(request, receipt.ref)).data, status=201 if receipt.is_new else 200
        )
        answer["Location"] = request.build_absolute_uri(f"{request.path}/{receipt.ref}")
        return answer


def _trade(request: Request, ref: str) -> Any:
    try:
        return trade_by_ref(actor_of(request), ref)
    except UnknownTrade as error:
        raise Http404(str(error)) from error


def _named(known: dict[str, Any], code: str, field: str) -> Any:
    found = {name.lower(): row for name, row in known.items()}.get(code.lower())
    if found is None:
        raise Refusal(
            f"{field}: “{code}” is none that you can use.", code=f"{field}_unknown",
            pointer=f"/{field}",
        )  # fmt: skip
    return found
