"""REST of trades: list and read them, also as of a past moment, and capture every product."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.actors import Actor
from energyopti.accounts.api.permissions import PermissionRequired
from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.api.refusals import Refusal, pointer
from energyopti.foundation.api.views import ApiListViewSet, ApiView
from energyopti.foundation.exports.responses import attachment
from trading.deals import Deal, DealError, MeteredMonth, QuickTextError, parse_deal_text
from trading.queries.books import books_for, counterparties_for
from trading.queries.deals import deal_of, proposed_deal_of
from trading.queries.floating_cash import floating_cash
from trading.queries.metering import shown_months
from trading.queries.options import outcomes_of
from trading.queries.proposals import TradeInvalid
from trading.queries.summaries import terms_json
from trading.queries.terms import OF_SPREAD, deal_from_terms, known_terms
from trading.queries.trade_export import export_csv
from trading.queries.trade_page import cash_flows
from trading.queries.trades import (
    UnknownTrade,
    trade_by_ref,
    trade_rows,
    trade_versions,
    trades_as_of,
)
from trading.services.capture import book_fill, capture_order, save_draft
from trading.services.locks import server_time

from .serializers import TradeDetailOutput, TradeOutput, TradeQuery
from .trade_examples import (
    EXPORTED,
    FILL,
    FUTURE,
    OPTION,
    ORDER,
    PPA,
    PROFILE,
    SPREAD,
    STORAGE,
    SWAP,
    SWING,
    TERMS,
    TRADE,
    TRADE_DETAIL,
)
from .trade_terms import DealInput


class TradeViewSet(ApiListViewSet):
    """Trades of the caller's books."""

    permission_classes = [PermissionRequired]
    permissions = {"GET": "trading.view_trade", "POST": "trading.capture_trade"}
    scopes = {"GET": "trades:read", "POST": "trades:write"}
    ordering = ("-id",)
    serializer_class = TradeOutput
    lookup_field = "ref"

    @extend_schema(
        description=(
            "Page through the latest versions of trades, newest first; with `as_of` through the "
            "versions that held then, as recorded."
        ),
        parameters=[TradeQuery],
        responses=TradeOutput(many=True),
        examples=[TRADE],
    )
    def list(self, request: Request) -> Response:
        """Page through the latest versions, or those of a moment."""
        return self.page_of(asked_rows(actor_of(request), self.query_of(TradeQuery)), TradeOutput)

    @extend_schema(
        description=(
            "Return one trade in its latest version with its legs and all its versions. The "
            "`ETag` is what a change sends back as `If-Match`."
        ),
        responses=TradeDetailOutput,
        examples=[TRADE_DETAIL],
    )
    def retrieve(self, request: Request, ref: str) -> Response:
        """Return one trade."""
        return detail_of(actor_of(request), ref)

    @extend_schema(
        description=(
            "Capture a deal given as terms or as one line of text: an order, which checks may "
            "stop, with `executed_at` a fill, which is booked whatever they say, or with `draft` "
            "a draft, which nobody checks."
        ),
        request=DealInput,
        responses={201: TradeDetailOutput, 200: TradeDetailOutput},
        examples=[
            ORDER,
            FILL,
            TERMS,
            SWAP,
            FUTURE,
            PROFILE,
            PPA,
            OPTION,
            SPREAD,
            SWING,
            STORAGE,
            TRADE_DETAIL,
        ],
    )
    def create(self, request: Request) -> Response:
        """Capture a deal: an order, a fill if it says when it was done, or a draft."""
        body = DealInput(data=request.data)
        body.is_valid(raise_exception=True)
        given, actor, now = body.validated_data, actor_of(request), clock.now()
        executed_at = given.get("executed_at")
        traded_at = executed_at or now
        deal, codes, tags = deal_in(given, traded_at)
        books = {book.code: book for book in books_for(actor, level="trade")}
        book = named(books, codes[0] or given.get("book", ""), "book")
        parties = {
            party.code: party
            for party in counterparties_for(actor)
            if party.organization_id == book.organization_id
        }
        party = named(parties, codes[1] or given.get("counterparty", ""), "counterparty")
        receipt = _capture(actor, given, deal, book.id, party.id, traded_at, now, tags)
        answer = detail_of(actor, receipt.ref, status=201 if receipt.is_new else 200)
        answer["Location"] = request.build_absolute_uri(f"{request.path}/{receipt.ref}")
        return answer


class TradeExport(ApiView):
    """All trades that a list would page through, as one file."""

    permissions: ClassVar[dict[str, str]] = {"GET": "trading.view_trade"}
    scopes: ClassVar[dict[str, str]] = {"GET": "trades:read"}

    @extend_schema(
        description=(
            "Stream the trades that the list pages through as one CSV file, newest first, with "
            "the same filters."
        ),
        parameters=[TradeQuery],
        responses={(200, "text/csv"): OpenApiTypes.STR},
        examples=[EXPORTED],
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        rows = asked_rows(actor_of(request), self.query_of(TradeQuery)).order_by("-id")
        answer = StreamingHttpResponse(export_csv(rows), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = attachment("trades.csv")
        return answer


def asked_rows(actor: Actor, query: Mapping[str, Any]) -> QuerySet[Any]:
    """
    Return the versions that a query string asks for: the latest, or those of a past moment.

    :raises Refusal: for a moment that is not past.
    """
    found = dict(query)
    cut = found.pop("as_of", None)
    if cut is None:
        rows = trade_rows(actor).select_related("book", "counterparty")
    elif cut >= clock.now():
        raise Refusal("as_of: must be past.", code="as_of_not_past", parameter="as_of")
    else:
        rows = trades_as_of(actor, cut=cut)
    paths = {
        "book": "book__code__iexact", "status": "status", "side": "side",
        "market": "market__code", "product": "product_kind",
        "counterparty": "counterparty__code__iexact",
        "client_reference": "trade__client_reference", "external_id": "trade__external_id",
        "package": "trade__package_id",
    }  # fmt: skip
    return rows.filter(**{paths[name]: value for name, value in found.items()})


def _capture(
    actor: Actor,
    given: Mapping[str, Any],
    deal: Deal,
    book_id: UUID,
    counterparty_id: UUID,
    traded_at: datetime,
    now: datetime,
    tags: tuple[str, ...],
) -> Any:
    common: dict[str, Any] = {
        "actor": actor,
        "deal": deal,
        "book_id": book_id,
        "counterparty_id": counterparty_id,
        "traded_at": traded_at,
        "received_at": now,
        "client_reference": given.get("client_reference", ""),
        "tags": (*given.get("tags", ()), *tags),
        "text": given.get("text", ""),
    }
    origin = {name: given.get(name, "") for name in ("source", "external_id")}
    if "executed_at" in given:
        if given.get("override_reason"):
            raise TradeInvalid("override_reason", "a fill is a fact, which nothing stops.")
        return book_fill(**common, **origin, reason=given.get("reason", ""))
    for name, value in origin.items():
        if value:
            raise TradeInvalid(name, "belongs to a fill; say when it was executed.")
    if given.get("draft"):
        return save_draft(**common)
    return capture_order(
        **common, reason=given.get("reason", ""), override_reason=given.get("override_reason", "")
    )


def deal_in(
    given: Mapping[str, Any], traded_at: datetime
) -> tuple[Deal, tuple[str, str], tuple[str, ...]]:
    """
    Return the deal of a body, the codes of book and counterparty in its text, and its tags.

    :raises Refusal: pointing at the text or the term.
    """
    known = known_terms()
    if "terms" in given:
        try:
            deal = deal_from_terms(given["terms"], known=known, traded_at=traded_at)
        except DealError as error:
            place = ("option", error.field) if error.field in OF_SPREAD else (error.field,)
            raise Refusal(
                str(error), code="trade_invalid", pointer=pointer("terms", *place)
            ) from error
        return deal, ("", ""), ()
    try:
        said = parse_deal_text(
            given["text"], areas=known.areas, indices=known.indices, assets=known.plants,
            traded_at=traded_at,
        )  # fmt: skip
    except QuickTextError as error:
        raise Refusal(
            f"{error} (at character {error.position})", code="quick_text", pointer="/text"
        ) from error
    return said.deal, (said.book_code, said.counterparty_code), said.tags


def detail_of(actor: Actor, ref: str, *, status: int = 200) -> Response:
    """Return one trade with its legs and versions, under its ETag."""
    try:
        latest = trade_by_ref(actor, ref)
        latest.all_versions = trade_versions(actor, ref)
    except UnknownTrade as error:
        raise Http404(str(error)) from error
    deal = deal_of(latest)
    latest.terms_shown = terms_json(deal)
    months, unread = shown_months(latest, deal)
    latest.metered_months = None if unread else months
    latest.proposed_shown = (
        terms_json(proposed_deal_of(latest)) if latest.event == "PROPOSE" else None
    )
    latest.outcomes = outcomes_of(latest.trade_id) if deal.choices else []
    latest.cash = _cash(latest, deal, months)
    answer = Response(TradeDetailOutput(latest).data, status=status)
    answer["ETag"] = f'"{latest.version}"'
    return answer


def _cash(version: Any, deal: Deal, metered: Sequence[MeteredMonth]) -> dict[str, Any]:
    fixed = cash_flows(version, deal, metered)
    floating = floating_cash(deal, metered, as_of=clock.now(), known_at=server_time())
    single = [
        {"what": what, "amount": amount, "currency": currency}
        for what, amount, currency in fixed.single
    ]
    return {
        "fixed": fixed.months, "floating": floating.months, "single": single,
        "open": floating.open,
    }  # fmt: skip


def named(known: Mapping[str, Any], code: str, field: str) -> Any:
    """
    Return what a code stands for, whatever its case.

    :raises Refusal: if it is none that the caller can use.
    """
    found = {name.lower(): row for name, row in known.items()}.get(code.lower())
    if found is None:
        raise Refusal(
            f"{field}: “{code}” is none that you can use.", code=f"{field}_unknown",
            pointer=f"/{field}",
        )  # fmt: skip
    return found
