"""REST of results: a day's P&L in steps, and what each trade was worth at its close."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiListViewSet, ApiView
from trading.models import PnlKind
from trading.queries.books import books_for
from trading.queries.pnl import Period, days_of_pnl, reports_of
from trading.queries.value_parts import DIMENSIONS, value_parts, values_at_close


class DayQuery(StrictSerializer):
    """Which day, kind and book; all of the caller's books, if none is named."""

    day = serializers.DateField()
    kind = serializers.ChoiceField(choices=PnlKind.choices, default=PnlKind.OFFICIAL)
    book = serializers.CharField(max_length=16, required=False)


class TotalQuery(DayQuery):
    """Which day, kind and book, and what the sums are by."""

    by = serializers.ChoiceField(choices=list(DIMENSIONS), default="book")


class PeriodQuery(DayQuery):
    """The same, for the day or since its month or year began."""

    period = serializers.ChoiceField(
        choices=[(each.value, each.label) for each in Period], default=Period.DAY.value
    )


class StepOutput(serializers.Serializer[Any]):
    """One step of the waterfall."""

    kind = serializers.CharField()
    name = serializers.CharField()
    amount = DecimalString(max_digits=20, decimal_places=2)


class PnlOutput(serializers.Serializer[Any]):
    """
    A P&L in one reporting currency; the steps sum to `total`.

    Over more than a day, `breaks` is closing − opening − total: what lies between two reports.
    """

    first_day = serializers.DateField(source="first")
    day = serializers.DateField()
    kind = serializers.CharField()
    currency = serializers.CharField()
    books = serializers.ListField(child=serializers.CharField())
    opening = DecimalString(max_digits=20, decimal_places=2)
    closing = DecimalString(max_digits=20, decimal_places=2)
    total = DecimalString(max_digits=20, decimal_places=2)
    breaks = DecimalString(max_digits=20, decimal_places=2)
    adjustment = DecimalString(max_digits=20, decimal_places=2)
    flash = DecimalString(max_digits=20, decimal_places=2, allow_null=True)
    steps = StepOutput(many=True)


class ValueOutput(serializers.Serializer[Any]):
    """What one trade was worth in one currency at the close; undiscounted but of options."""

    trade = serializers.CharField(source="trade.ref")
    version = serializers.IntegerField(source="version.version")
    book = serializers.CharField(source="book.code")
    counterparty = serializers.CharField(source="counterparty.code")
    product_kind = serializers.CharField()
    currency = serializers.CharField()
    realised = DecimalString(max_digits=20, decimal_places=2)
    unrealised = DecimalString(max_digits=20, decimal_places=2)
    fees = DecimalString(max_digits=20, decimal_places=2)
    reporting_currency = serializers.CharField()
    realised_reporting = DecimalString(max_digits=20, decimal_places=2)
    unrealised_reporting = DecimalString(max_digits=20, decimal_places=2)
    is_valued = serializers.BooleanField()
    as_of = InstantField(source="run.as_of")
    result_hash = serializers.CharField(source="run.result_hash")


class TotalOutput(serializers.Serializer[Any]):
    """The value of a book, product, counterparty or currency at the close, in one currency."""

    name = serializers.CharField()
    currency = serializers.CharField()
    realised = DecimalString(max_digits=24, decimal_places=2)
    unrealised = DecimalString(max_digits=24, decimal_places=2)
    fees = DecimalString(max_digits=24, decimal_places=2)
    reporting_currency = serializers.CharField()
    realised_reporting = DecimalString(max_digits=24, decimal_places=2)
    unrealised_reporting = DecimalString(max_digits=24, decimal_places=2)
    trades = serializers.IntegerField()
    unvalued = serializers.IntegerField()


PNL = OpenApiExample(
    "An official day",
    value=[
        {
            "first_day": "2026-11-20",
            "day": "2026-11-20",
            "kind": "OFFICIAL",
            "currency": "EUR",
            "books": ["EU"],
            "opening": "420480.00",
            "closing": "508080.00",
            "total": "87600.00",
            "breaks": "0.00",
            "adjustment": "0.00",
            "flash": None,
            "steps": [{"kind": "PRICE", "name": "DE", "amount": "87600.00"}],
        }
    ],
    response_only=True,
)
VALUE = OpenApiExample(
    "A forward",
    value={
        "trade": "T-00000042",
        "version": 1,
        "book": "EU",
        "counterparty": "ACME",
        "product_kind": "PHYSICAL_FORWARD",
        "currency": "EUR",
        "realised": "0.00",
        "unrealised": "420480.00",
        "fees": "0.00",
        "reporting_currency": "EUR",
        "realised_reporting": "0.00",
        "unrealised_reporting": "420480.00",
        "is_valued": True,
        "as_of": "2026-11-20T18:00:00Z",
        "result_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    },
    response_only=True,
)


TOTAL = OpenApiExample(
    "What is held with one counterparty",
    value=[
        {
            "name": "ACME",
            "currency": "EUR",
            "realised": "0.00",
            "unrealised": "420480.00",
            "fees": "0.00",
            "reporting_currency": "EUR",
            "realised_reporting": "0.00",
            "unrealised_reporting": "420480.00",
            "trades": 1,
            "unvalued": 0,
        }
    ],
    response_only=True,
)


def _book(request: Request, code: str | None) -> Any:
    """Return the id of a book of the caller by code; an unknown one leads to nothing."""
    if code is None:
        return None
    from uuid import UUID

    found = {book.code.lower(): book.id for book in books_for(actor_of(request._request))}
    return found.get(code.lower(), UUID(int=0))


def _reports(request: Request, asked: Mapping[str, Any]) -> Any:
    """Return the caller's reports of the day, kind and book that were asked for."""
    return reports_of(
        actor_of(request._request), day=asked["day"], kind=asked["kind"],
        book=_book(request, asked.get("book")),
    )  # fmt: skip


class PnlView(ApiView):
    """The P&L of a day."""

    permissions: ClassVar[dict[str, str]] = {"GET": "trading.view_pnlreport"}
    scopes: ClassVar[dict[str, str]] = {"GET": "trades:read"}

    @extend_schema(
        description=(
            "Explain a day, or the days since its month or year began: steps by reporting"
            " currency, which are never added."
        ),
        parameters=[PeriodQuery],
        responses=PnlOutput(many=True),
        examples=[PNL],
    )
    def get(self, request: Request) -> Response:
        asked = self.query_of(PeriodQuery)
        days = days_of_pnl(
            actor_of(request._request), day=asked["day"], kind=asked["kind"],
            book=_book(request, asked.get("book")), period=Period(asked["period"]),
        )  # fmt: skip
        shown = [
            {
                "first": found.first,
                "day": found.day,
                "kind": found.kind,
                "currency": found.currency,
                "books": sorted({report.book.code for report in found.reports}),
                "opening": found.opening,
                "closing": found.closing,
                "total": found.total,
                "breaks": found.breaks,
                "adjustment": found.adjustment,
                "flash": found.flash,
                "steps": [step for step in found.steps if step.amount],
            }
            for found in days
        ]
        return Response(PnlOutput(shown, many=True).data)


class ValueViewSet(ApiListViewSet):
    """What trades were worth at a day's close."""

    permissions: ClassVar[dict[str, str]] = {"GET": "trading.view_tradevalue"}
    scopes: ClassVar[dict[str, str]] = {"GET": "trades:read"}
    serializer_class = ValueOutput
    ordering = ("id",)

    @extend_schema(
        description="Page through the values behind a day's P&L, by trade and currency.",
        parameters=[DayQuery],
        responses=ValueOutput(many=True),
        examples=[VALUE],
    )
    def list(self, request: Request) -> Response:
        asked = self.query_of(DayQuery)
        reports = _reports(request, asked)
        rows = values_at_close(reports)
        return self.page_of(
            rows.select_related("trade", "version", "book", "counterparty", "run"), ValueOutput
        )


class ValueTotalView(ApiView):
    """Sums of what trades were worth at a day's close."""

    permissions: ClassVar[dict[str, str]] = {"GET": "trading.view_tradevalue"}
    scopes: ClassVar[dict[str, str]] = {"GET": "trades:read"}

    @extend_schema(
        description=(
            "Sum the values at a day's close, realised and unrealised, by book, product, "
            "counterparty or currency; in each own currency, and in the reporting currency. "
            "`unvalued` counts trades whose value is not known in full."
        ),
        parameters=[TotalQuery],
        responses=TotalOutput(many=True),
        examples=[TOTAL],
    )
    def get(self, request: Request) -> Response:
        asked = self.query_of(TotalQuery)
        reports = _reports(request, asked)
        return Response(TotalOutput(value_parts(reports, asked["by"]), many=True).data)
