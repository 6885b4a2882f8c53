"""REST of hedging: targets by month, set and withdrawn, and open volume against them."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.api.pagination import ListPage
from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiListViewSet, ApiView
from trading.hedging import HedgeState, HedgeTerms
from trading.models import HedgeTarget
from trading.queries.books import UnknownBook, books_for, chosen_books
from trading.queries.grid_columns import Bucket, Column, columns_from
from trading.queries.hedging import VIEW, HedgeLine, hedge_lines, held_targets, month_columns
from trading.queries.position_lines import PeriodRefused
from trading.services.as_of import settle_books
from trading.services.hedging import SET, set_hedge_targets, withdraw_hedge_targets

from .deltas import DeltaPage, asked_deltas

_MWH = {"max_digits": 30, "decimal_places": 6}
_POINTS = {"max_digits": 5, "decimal_places": 2}
_PLACES = Decimal("0.000001")


class HedgeQuery(StrictSerializer):
    """Which months; without dates the twelve from this month on."""

    book = serializers.CharField(max_length=16, required=False, help_text="With those below it.")
    market = serializers.CharField(max_length=16, required=False)
    as_of = InstantField(required=False, help_text="A past moment: what was recorded by then.")

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for name in ("from", "to"):  # the one is a word of Python's own
            fields[name] = serializers.DateField(
                required=False, help_text="A delivery date; months that “from” until “to” touch."
            )
        return fields

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        cut = attrs.get("as_of")
        if cut is not None and cut >= clock.now():
            raise serializers.ValidationError({"as_of": "must be past."}, code="as_of_not_past")
        return attrs


class HedgePositionQuery(HedgeQuery):
    """Which months, and whether deltas of options and contracts with choices count as hedges."""

    with_deltas = serializers.BooleanField(
        default=False,
        help_text=(
            "Count deltas by the latest valuation run (at a past moment: the one recorded by "
            "then). Needs `trading.view_tradevalue`."
        ),
    )


class HedgeRunInput(StrictSerializer):
    """Which run of months, and as it was when it was read."""

    book = serializers.CharField(max_length=16)
    market = serializers.CharField(max_length=16)
    first_month = serializers.DateField(help_text="First day of the first month.")
    last_month = serializers.DateField(help_text="First day of the last month, which is included.")
    expected_revision = serializers.IntegerField(
        min_value=0, help_text="The highest `revision` of these months, 0 where there is none."
    )
    reason = serializers.CharField(max_length=400)


class HedgeTargetInput(HedgeRunInput):
    """The target of each of these months."""

    own_volume_mwh = DecimalString(
        max_digits=15, decimal_places=3,
        help_text="Expected in each month without a deal: output +, supply obligation −.",
    )  # fmt: skip
    ratio_percent = DecimalString(**_POINTS, help_text="0 to 150.")
    tolerance_points = DecimalString(**_POINTS, help_text="0 to 150, either way.")


class HedgeTargetOutput(serializers.Serializer[HedgeTarget]):
    """The version of a month's target that holds; a withdrawn one keeps the figures it had."""

    book = serializers.CharField(source="book.code")
    market = serializers.CharField(source="market.code")
    month = serializers.DateField()
    version = serializers.IntegerField()
    revision = serializers.IntegerField(source="pk")
    own_volume_mwh = DecimalString(max_digits=15, decimal_places=3)
    ratio_percent = DecimalString(**_POINTS)
    tolerance_points = DecimalString(**_POINTS)
    is_withdrawn = serializers.BooleanField()
    reason = serializers.CharField()
    recorded_by = serializers.CharField()
    recorded_at = InstantField()


class HedgePositionOutput(serializers.Serializer[Any]):
    """One month in MWh, bought +, sold −; what follows from a target is null without one."""

    book = serializers.CharField()
    market = serializers.CharField()
    month = serializers.DateField()
    own_volume_mwh = DecimalString(**_MWH)
    generated_mwh = DecimalString(**_MWH)
    expected_mwh = DecimalString(**_MWH)
    hedges_mwh = DecimalString(**_MWH)
    deltas_mwh = DecimalString(**_MWH, help_text="0 where these were not asked for.")
    open_mwh = DecimalString(**_MWH)
    hedge_ratio_percent = DecimalString(**_MWH, allow_null=True)
    target_ratio_percent = DecimalString(**_POINTS, allow_null=True)
    tolerance_points = DecimalString(**_POINTS, allow_null=True)
    to_trade_mwh = DecimalString(**_MWH, allow_null=True)
    state = serializers.ChoiceField(choices=[(each.value, each.label) for each in HedgeState])
    revision = serializers.IntegerField()


_RUN = {
    "book": "EU", "market": "DE", "first_month": "2027-03-01", "last_month": "2027-03-01",
    "expected_revision": 0, "reason": "hedging policy 2027",
}  # fmt: skip
_AIM = {"own_volume_mwh": "1000.000", "ratio_percent": "60.00", "tolerance_points": "5.00"}
_TARGET = {
    "book": "EU", "market": "DE", "month": "2027-03-01", "version": 1, "revision": 17, **_AIM,
    "is_withdrawn": False, "reason": "hedging policy 2027",
    "recorded_by": "user:0b9c7d52-6d6c-4c6f-9f57-2c6a5a3a1f10",
    "recorded_at": "2026-11-20T09:12:44Z",
}  # fmt: skip
SET_EXAMPLE = OpenApiExample("60 % of March", value={**_RUN, **_AIM}, request_only=True)
WITHDRAW_EXAMPLE = OpenApiExample(
    "The park is sold",
    value={**_RUN, "expected_revision": 17, "reason": "the park is sold"},
    request_only=True,
)
HELD_EXAMPLE = OpenApiExample("March", value=_TARGET, response_only=True, status_codes=["200"])
NEW_EXAMPLE = OpenApiExample(
    "March, new", value=[_TARGET], response_only=True, status_codes=["201"]
)
WITHDRAWN_EXAMPLE = OpenApiExample(
    "March, withdrawn",
    value=[{**_TARGET, "version": 2, "revision": 18, "is_withdrawn": True,
            "reason": "the park is sold"}],
    response_only=True, status_codes=["200"],
)  # fmt: skip
POSITION_EXAMPLE = OpenApiExample(
    "A wind park in March",
    value={
        "book": "EU", "market": "DE", "month": "2027-03-01", "own_volume_mwh": "1000.000000",
        "generated_mwh": "6486.000000", "expected_mwh": "7486.000000",
        "hedges_mwh": "-3300.000000", "deltas_mwh": "-500.000000", "open_mwh": "3686.000000",
        "hedge_ratio_percent": "50.761421", "target_ratio_percent": "60.00",
        "tolerance_points": "5.00", "to_trade_mwh": "-691.600000", "state": "UNDER",
        "revision": 17,
    },
    response_only=True,
)  # fmt: skip


class HedgeTargetViewSet(ApiListViewSet):
    """Hedge targets of the caller's books."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW, "POST": SET}
    scopes: ClassVar[dict[str, str]] = {"GET": "trades:read", "POST": "trades:write"}
    pagination_class = ListPage
    serializer_class = HedgeTargetOutput
    ordering = ("book_code", "market_code", "month", "pk")

    @extend_schema(
        description=(
            "Page through the targets that hold, or held at `as_of`, by book, market and month; "
            "those that are withdrawn say so."
        ),
        parameters=[HedgeQuery],
        responses=HedgeTargetOutput(many=True),
        examples=[HELD_EXAMPLE],
    )
    def list(self, request: Request) -> Response:
        """Page through the latest version of each month."""
        asked = self.query_of(HedgeQuery)
        books, columns = _asked(actor_of(request._request), asked)
        market = asked.get("market")
        found = [
            row
            for row in held_targets(books, [c.first for c in columns], cut=asked.get("as_of"))
            if market is None or row.market.code.lower() == market.lower()
        ]
        return self.page_of(found, HedgeTargetOutput)

    @extend_schema(
        description=(
            "Set the same target for a run of months, and answer what is new: months that aim at "
            "it already stay as they are. 409 where one was changed since `expected_revision`. "
            "Takes an `Idempotency-Key`."
        ),
        request=HedgeTargetInput,
        responses={201: HedgeTargetOutput(many=True)},
        examples=[SET_EXAMPLE, NEW_EXAMPLE],
    )
    def create(self, request: Request) -> Response:
        """Set the targets of a run of months."""
        body = HedgeTargetInput(data=request.data)
        body.is_valid(raise_exception=True)
        given, actor = body.validated_data, actor_of(request._request)
        names = ("own_volume_mwh", "ratio_percent", "tolerance_points")
        terms = HedgeTerms(**{name: given[name] for name in names})
        rows = set_hedge_targets(actor=actor, terms=terms, **_run(actor, given))
        return Response(HedgeTargetOutput(rows, many=True).data, status=201)


class HedgeWithdrawalView(ApiView):
    """Targets that hold no more."""

    permissions: ClassVar[dict[str, str]] = {"POST": SET}
    scopes: ClassVar[dict[str, str]] = {"POST": "trades:write"}

    @extend_schema(
        description=(
            "Withdraw the targets of a run of months, and answer the versions that say so; what "
            "held before stays for `as_of`. 409 as for setting. Takes an `Idempotency-Key`."
        ),
        request=HedgeRunInput,
        responses=HedgeTargetOutput(many=True),
        examples=[WITHDRAW_EXAMPLE, WITHDRAWN_EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        """Withdraw the targets of a run of months."""
        body = HedgeRunInput(data=request.data)
        body.is_valid(raise_exception=True)
        actor = actor_of(request._request)
        rows = withdraw_hedge_targets(actor=actor, **_run(actor, body.validated_data))
        return Response(HedgeTargetOutput(rows, many=True).data)


class HedgePositionViewSet(ApiListViewSet):
    """Open volume of the caller's books against their hedge targets."""

    permissions: ClassVar[dict[str, str]] = {"GET": VIEW}
    scopes: ClassVar[dict[str, str]] = {"GET": "trades:read"}
    pagination_class = DeltaPage
    serializer_class = HedgePositionOutput
    ordering = ("book", "market", "month", "book_id")

    @extend_schema(
        description=(
            "Page through expected volume, hedges and open volume by book with those below it, "
            "market and delivery month, as they are or were recorded by `as_of`: "
            "open = expected + hedges + deltas, ratio = −(hedges + deltas) ÷ expected, "
            "to trade = −target × expected − hedges − deltas (buy +, sell −)."
        ),
        parameters=[HedgePositionQuery],
        responses=HedgePositionOutput(many=True),
        examples=[POSITION_EXAMPLE],
    )
    def list(self, request: Request) -> Response:
        """Page through the months of books that have a target or stand above all others."""
        actor = actor_of(request._request)
        actor.require("trading.view_positiontotal")
        asked = self.query_of(HedgePositionQuery)
        books, columns = _asked(actor, asked)
        deltas = asked_deltas(actor, asked, books, columns)
        found = hedge_lines(
            books, columns=columns, market=asked.get("market"), cut=asked.get("as_of"),
            deltas=() if deltas is None else deltas.lines,
        )  # fmt: skip
        self.paginator.basis = None if deltas is None else deltas.basis
        return self.page_of([_shown(line) for line in found.lines], HedgePositionOutput)


def _asked(actor: Actor, asked: Mapping[str, Any]) -> tuple[frozenset[UUID], list[Column]]:
    """Return the books and months of a query, settled where it asks for a past moment."""
    code = asked.get("book")
    try:
        books = chosen_books(actor, None if code is None else _book(actor, code))
    except UnknownBook:
        books = frozenset()
    if asked.get("as_of") is not None:
        settle_books(books)
    first, after = asked.get("from"), asked.get("to")
    try:
        if first is None and after is None:
            return books, columns_from(Bucket.MONTH, clock.now().date())
        if first is None or after is None:
            raise PeriodRefused("to" if after is None else "from", "say both dates, or neither.")
        return books, month_columns(first, after)
    except PeriodRefused as error:
        raise Refusal(str(error), code="period_refused", parameter=error.field) from error


def _book(actor: Actor, code: str) -> UUID:
    """
    Return one of the caller's books by its code.

    :raises UnknownBook: if there is none.
    """
    found = next((b.id for b in books_for(actor) if b.code.lower() == code.lower()), None)
    if found is None:
        raise UnknownBook("book: there is no such book for you.")
    return found


def _run(actor: Actor, given: Mapping[str, Any]) -> dict[str, Any]:
    first: date = given["first_month"]
    return {
        "book_id": _book(actor, given["book"]),
        "market": given["market"],
        "first": first,
        "last": given["last_month"],
        "expected_revision": given["expected_revision"],
        "reason": given["reason"],
    }


def _shown(line: HedgeLine) -> dict[str, Any]:
    found, ratio = line.figures, line.figures.ratio_percent
    terms = found.terms
    return {
        "book_id": str(line.book_id), "book": line.book, "market": line.market,
        "month": line.month, "own_volume_mwh": found.own, "generated_mwh": found.generated,
        "expected_mwh": found.expected, "hedges_mwh": found.hedges,
        "deltas_mwh": found.deltas,
        "open_mwh": found.open_volume,
        "hedge_ratio_percent": None if ratio is None else ratio.quantize(_PLACES),
        "target_ratio_percent": None if terms is None else terms.ratio_percent,
        "tolerance_points": None if terms is None else terms.tolerance_points,
        "to_trade_mwh": None if found.to_trade is None else found.to_trade.quantize(_PLACES),
        "state": found.state.value, "revision": line.revision,
    }  # fmt: skip
