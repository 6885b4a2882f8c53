"""REST of positions: what books hold by period and delivery point, and the trades behind a line."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote_plus, urlencode
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiListViewSet
from trading.models import Market, Stage, Trade
from trading.queries.blotter import blotter_rows
from trading.queries.books import books_for, chosen_books
from trading.queries.grid_columns import Bucket, columns_from, months_of
from trading.queries.month_deltas import delta_basis, trade_deltas
from trading.queries.option_values import VIEW as VIEW_VALUES
from trading.queries.position_grid import Measure, is_split
from trading.queries.position_lines import (
    PeriodRefused,
    PositionLine,
    column_named,
    columns_between,
    position_lines,
)
from trading.queries.position_shares import CellShares
from trading.services.as_of import settle_books

from .deltas import DeltaPage, asked_deltas

_PLACES = Decimal("0.000001")


class _Query(StrictSerializer):
    granularity = serializers.ChoiceField(
        choices=[bucket.value for bucket in Bucket], default=Bucket.MONTH.value
    )
    measure = serializers.ChoiceField(
        choices=[measure.value for measure in Measure], default=Measure.EXPOSURE.value,
        help_text="exposure: what gains with the price; physical: what is delivered.",
    )  # fmt: skip
    stage = serializers.ChoiceField(
        choices=[stage.value for stage in Stage], default=Stage.LIVE.value,
        help_text="LIVE: held; PENDING: waits for release, and only reserves limits.",
    )  # fmt: skip
    as_of = InstantField(required=False, help_text="A past moment: what was recorded by then.")
    with_deltas = serializers.BooleanField(
        default=False,
        help_text=(
            "Add the deltas of options and contracts with choices by the latest valuation run "
            "(at a past moment: the one recorded by then), in months and longer. Needs "
            "`trading.view_tradevalue`, `measure` exposure and `stage` LIVE."
        ),
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        cut = attrs.get("as_of")
        if cut is not None and cut >= clock.now():
            raise serializers.ValidationError({"as_of": "must be past."}, code="as_of_not_past")
        counted = (attrs["measure"], attrs["stage"]) == (Measure.EXPOSURE.value, Stage.LIVE.value)
        if attrs["with_deltas"] and not counted:
            raise serializers.ValidationError(
                {"with_deltas": "is of measure exposure and stage LIVE alone."},
                code="no_deltas",
            )
        return attrs


class PositionQuery(_Query):
    """Which positions; without dates the next twelve months, eight quarters, six years …"""

    book = serializers.CharField(max_length=16, required=False, help_text="With those below it.")
    commodity = serializers.CharField(max_length=16, required=False)
    delivery_point = serializers.CharField(max_length=16, required=False)

    def get_fields(self) -> dict[str, Any]:
        words = "delivery date of the market's calendar; “to” is not part of it"
        fields = super().get_fields()
        for name in ("from", "to"):  # the one is a word of Python's own
            fields[name] = serializers.DateField(required=False, help_text=f"A {words}.")
        return fields


class LineQuery(_Query):
    """Which line: what tells it apart, as the list gives it."""

    book = serializers.CharField(max_length=16)
    delivery_point = serializers.CharField(max_length=16)
    unit = serializers.CharField(max_length=12)
    period = serializers.CharField(max_length=16)


class PositionOutput(serializers.Serializer[Any]):
    """
    A line: `volume` in `unit`, bought +, sold −, of it `delta` from options and contracts with
    choices (0 where these were not asked for); `trades` leads to what it is made of.
    """

    book = serializers.CharField()
    delivery_point = serializers.CharField()
    commodity = serializers.CharField()
    unit = serializers.CharField()
    period = serializers.CharField()
    start = InstantField()
    end = InstantField()
    volume = DecimalString(max_digits=30, decimal_places=6, source="exact_volume")
    delta = DecimalString(max_digits=30, decimal_places=6, source="exact_delta")
    trades = serializers.CharField(source="trades_link")


class PositionTradeOutput(serializers.Serializer[Any]):
    """What one trade adds to a line, in the line's unit, bought +, sold −; these sum to it."""

    trade = serializers.CharField(source="ref")
    version = serializers.IntegerField(source="number")
    product = serializers.CharField(source="product_kind")
    counterparty = serializers.CharField(source="counterparty_code")
    side = serializers.CharField()
    volume = DecimalString(max_digits=30, decimal_places=6, source="share")
    delta = DecimalString(
        max_digits=30, decimal_places=6, source="share_delta",
        help_text="Of the volume, what the trade adds as an option or contract with choices.",
    )  # fmt: skip


class PositionPage(DeltaPage):
    """A page of lines, with how many positions the lines of the whole list do not show."""

    unsplit = 0
    unknown = 0

    def get_paginated_response(self, data: Any) -> Response:
        answer = super().get_paginated_response(data)
        answer.data |= {"unsplit": self.unsplit, "unknown": self.unknown}
        return answer

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        found = super().get_paginated_response_schema(schema)
        for name, words in (
            ("unsplit", "Positions of a whole month that lines of hours and days do not show."),
            ("unknown", "Positions in a shape that their market no longer knows."),
        ):
            found["required"].append(name)
            found["properties"][name] = {"type": "integer", "description": words, "example": 0}
        return found


LINE = OpenApiExample(
    "January of a book",
    value={
        "book": "EU",
        "delivery_point": "DE",
        "commodity": "POWER",
        "unit": "MWh",
        "period": "2027-01-01",
        "start": "2026-12-31T23:00:00Z",
        "end": "2027-01-31T23:00:00Z",
        "volume": "9920.500000",
        "delta": "2480.500000",
        "trades": "/api/v1/trading/positions/trades?book=EU&delivery_point=DE&unit=MWh"
        "&period=2027-01-01&granularity=month&measure=exposure&stage=LIVE&with_deltas=true",
    },
    response_only=True,
)
LINE_TRADE = OpenApiExample(
    "A forward behind it",
    value={
        "trade": "T-00000042",
        "version": 1,
        "product": "PHYSICAL_FORWARD",
        "counterparty": "ACME",
        "side": "BUY",
        "volume": "7440.000000",
        "delta": "0.000000",
    },
    response_only=True,
)


class PositionViewSet(ApiListViewSet):
    """Positions of the caller's books."""

    permissions: ClassVar[dict[str, str]] = {"GET": "trading.view_positiontotal"}
    scopes: ClassVar[dict[str, str]] = {"GET": "trades:read"}
    pagination_class = PositionPage
    serializer_class = PositionOutput
    ordering = ("book", "delivery_point", "unit", "start")

    @extend_schema(
        description=(
            "Page through positions by book, delivery point, unit and delivery period, as they are "
            "or, with `as_of`, as they were recorded by a past moment. Volumes are sums of what "
            "trades add: bought +, sold −, in the line's unit."
        ),
        parameters=[PositionQuery],
        responses=PositionOutput(many=True),
        examples=[LINE],
    )
    def list(self, request: Request) -> Response:
        """Page through lines; those that hold nothing are left out."""
        asked = self.query_of(PositionQuery)
        books, cut = _books(actor_of(request._request), asked.get("book")), asked.get("as_of")
        if cut is not None:
            settle_books(books)
        bucket = Bucket(asked["granularity"])
        try:
            columns = _columns(bucket, asked.get("from"), asked.get("to"))
        except PeriodRefused as error:
            raise _refused(error) from error
        deltas = asked_deltas(actor_of(request._request), asked, books, columns)
        found = position_lines(
            books,
            columns=columns,
            measure=Measure(asked["measure"]),
            stage=Stage(asked["stage"]),
            commodity=asked.get("commodity"),
            delivery_point=asked.get("delivery_point"),
            cut=cut,
            deltas=() if deltas is None else deltas.lines,
        )
        self.paginator.basis = None if deltas is None else deltas.basis
        self.paginator.unsplit, self.paginator.unknown = found.unsplit, found.unknown
        rows = self.paginate_queryset(found.lines)
        shown = [
            {
                **{name: getattr(line, name) for name in line.__slots__},
                "exact_volume": _exact(line.volume),
                "exact_delta": _exact(line.delta),
                "trades_link": link,
            }
            for line, link in zip(rows, _trades_links(rows, asked), strict=True)
        ]
        return self.get_paginated_response(PositionOutput(shown, many=True).data)


class PositionTradeViewSet(ApiListViewSet):
    """The trades behind a line of positions."""

    permissions: ClassVar[dict[str, str]] = {"GET": "trading.view_trade"}
    scopes: ClassVar[dict[str, str]] = {"GET": "trades:read"}
    serializer_class = PositionTradeOutput
    ordering = ("pk",)

    @extend_schema(
        description=(
            "Page through the trades that a line of positions is made of, the oldest first, each "
            "with what it adds; the volumes sum to the line."
        ),
        parameters=[LineQuery],
        responses=PositionTradeOutput(many=True),
        examples=[LINE_TRADE],
    )
    def list(self, request: Request) -> Response:
        """Page through the trades of one book, delivery point, unit and period."""
        actor = actor_of(request._request)
        actor.require("trading.view_positiontotal")
        asked = self.query_of(LineQuery)
        mine = {book.code.lower(): book.id for book in books_for(actor)}
        book = mine.get(asked["book"].lower())
        books, cut = [] if book is None else [book], asked.get("as_of")
        try:
            column = column_named(Bucket(asked["granularity"]), asked["period"])
        except PeriodRefused as error:
            raise _refused(error) from error
        if cut is not None:
            settle_books(books)
        market = Market.objects.filter(code__iexact=asked["delivery_point"]).first()
        if market is None:
            return self.page_of(Trade.objects.none(), PositionTradeOutput)
        deltas = None
        if asked["with_deltas"]:
            actor.require(VIEW_VALUES)
            months = () if is_split(column) else months_of(column)
            basis = delta_basis(books, cut=cut)
            deltas = trade_deltas(basis, market=market, unit=asked["unit"], months=months)
        shares = CellShares(
            books,
            market_id=market.pk,
            unit=asked["unit"],
            column=column,
            measure=Measure(asked["measure"]),
            stage=Stage(asked["stage"]),
            cut=cut,
            deltas=deltas,
        )
        page = self.paginate_queryset(Trade.objects.filter(pk__in=shares.trade_ids).only("pk"))
        found = shares.of(trade.pk for trade in page)
        rows = list(blotter_rows(actor, cut=cut).filter(trade_id__in=found).order_by("pk"))
        for row in rows:
            share = found[row.trade_id]
            row.share, row.share_delta = (
                value.quantize(_PLACES) + 0 for value in (share.value, share.delta)
            )
        return self.get_paginated_response(PositionTradeOutput(rows, many=True).data)


def _books(actor: Actor, code: str | None) -> frozenset[UUID]:
    """Return the caller's books, or one by code with those below it; an unknown one is none."""
    if code is None:
        return chosen_books(actor, None)
    found = next((b.id for b in books_for(actor) if b.code.lower() == code.lower()), None)
    return frozenset() if found is None else chosen_books(actor, found)


def _columns(bucket: Bucket, first: date | None, after: date | None) -> Any:
    if first is None and after is None:
        return columns_from(bucket, clock.now().date())
    if first is None:
        raise PeriodRefused("from", "say both dates, or neither.")
    if after is None:
        after = columns_from(bucket, first)[-1].after
    return columns_between(bucket, first, after)


def _trades_links(lines: Iterable[PositionLine], asked: Mapping[str, Any]) -> list[str]:
    cut: datetime | None = asked.get("as_of")
    shared = {name: asked[name] for name in ("granularity", "measure", "stage")}
    shared |= {} if cut is None else {"as_of": cut.isoformat()}
    shared |= {"with_deltas": "true"} if asked["with_deltas"] else {}
    address, rest = reverse("api-position-trades"), urlencode(shared)
    return [
        f"{address}?book={quote_plus(line.book)}&delivery_point={quote_plus(line.delivery_point)}"
        f"&unit={quote_plus(line.unit)}&period={line.period}&{rest}"
        for line in lines
    ]


def _exact(volume: float) -> Decimal:
    return Decimal(repr(volume)).quantize(_PLACES) + 0


def _refused(error: PeriodRefused) -> Refusal:
    return Refusal(str(error), code="period_refused", parameter=error.field)
