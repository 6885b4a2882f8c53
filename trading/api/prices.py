"""Market prices, forecasts and curves over REST."""

from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from energyopti.accounts.requests import actor_of
from energyopti.foundation import clock
from energyopti.foundation.api.pagination import CursorPage
from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.api.serializers import InstantField, StrictSerializer
from energyopti.foundation.api.views import ApiListViewSet, ApiView
from energyopti.foundation.intervals import Interval

from ..models import SPOT, Market
from ..queries.curves import NoCurve
from ..queries.forecasts import latest_forecast
from ..queries.markets import NoSuchMarket, market_by_code
from ..queries.prices import ExactPrice, price_page
from ..queries.quote_sheet import quote_sheet

LONGEST_SPAN = timedelta(days=366 * 20)


class MarketFilter(StrictSerializer):
    market = serializers.CharField(max_length=16, help_text="Code of the market, such as DE-LU.")


class PriceFilter(MarketFilter):
    """The query string of prices."""

    start = InstantField(help_text="First delivery, inclusive, with an offset.")
    end = InstantField(help_text="End of the interval, exclusive, with an offset.")
    series = serializers.CharField(max_length=64, default=SPOT)
    as_of = InstantField(required=False, help_text="Our knowledge: nothing recorded later.")
    known_at = InstantField(required=False, help_text="The market's: nothing available later.")


class PriceOutput(serializers.Serializer[dict[str, Any]]):
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    value = serializers.CharField(help_text="Exact decimal; currency/MWh for spot.")
    available_at = serializers.DateTimeField(help_text="When the market could know it.")
    recorded_at = serializers.DateTimeField(help_text="When we did.")


class MarketOutput(serializers.ModelSerializer[Market]):
    class Meta:
        model = Market
        fields = (
            "code",
            "name",
            "eic",
            "time_zone",
            "currency",
            "period_minutes",
            "gate_closure",
            "publication_minutes",
            "is_simulated",
        )
        read_only_fields = fields


class ForecastFilter(MarketFilter):
    delivery_date = serializers.DateField(help_text="Delivery day on the market's calendar.")


class ForecastOutput(serializers.Serializer[dict[str, Any]]):
    market = serializers.CharField()
    delivery_date = serializers.DateField()
    issued_at = serializers.DateTimeField()
    model = serializers.CharField()
    start = serializers.DateTimeField()
    period_minutes = serializers.IntegerField()
    values = serializers.ListField(
        child=serializers.FloatField(), help_text="Currency/MWh, consecutive periods from start."
    )


class CurveFilter(MarketFilter):
    as_of = InstantField(required=False, help_text="Quotes valid later do not count; default now.")
    known_at = InstantField(required=False, help_text="Our knowledge: nothing recorded later.")


class CurvePointOutput(serializers.Serializer[dict[str, Any]]):
    start = serializers.DateTimeField()
    price = serializers.FloatField()


class CurveOutput(serializers.Serializer[dict[str, Any]]):
    market = serializers.CharField()
    valid_from = serializers.DateTimeField()
    source = serializers.CharField()
    points = CurvePointOutput(many=True)
    conflicts = serializers.ListField(child=serializers.CharField())


PRICE_EXAMPLE = OpenApiExample(
    "An hour",
    response_only=True,
    value={
        "start": "2027-03-28T00:00:00Z",
        "end": "2027-03-28T01:00:00Z",
        "value": "-3.27",
        "available_at": "2027-03-27T12:00:00Z",
        "recorded_at": "2027-03-27T12:03:11Z",
    },
)
MARKET_EXAMPLE = OpenApiExample(
    "A market",
    response_only=True,
    value={
        "code": "DE-LU",
        "name": "Germany, Luxembourg",
        "eic": "10Y1001A1001A82H",
        "time_zone": "Europe/Berlin",
        "currency": "EUR",
        "period_minutes": 60,
        "gate_closure": "12:00:00",
        "publication_minutes": 60,
        "is_simulated": False,
    },
)
FORECAST_EXAMPLE = OpenApiExample(
    "The start of a day",
    response_only=True,
    value={
        "market": "DE-LU",
        "delivery_date": "2027-03-29",
        "issued_at": "2027-03-28T09:00:00Z",
        "model": "similar-day 1",
        "start": "2027-03-28T22:00:00Z",
        "period_minutes": 60,
        "values": [61.2, 58.9, 57.4],
    },
)
CURVE_EXAMPLE = OpenApiExample(
    "The front of a curve",
    response_only=True,
    value={
        "market": "DE-LU",
        "valid_from": "2027-03-26T17:00:00Z",
        "source": "simulator",
        "points": [{"start": "2027-03-31T22:00:00Z", "price": 64.1}],
        "conflicts": [],
    },
)


class PricePage(CursorPage):
    """Pages of one market's series: the start of a period is unique within it."""

    page_size = 200
    max_page_size = 1000

    def page_of(self, request: Request, asked: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the page's rows; a cursor narrows the interval to what lies beyond it."""
        self._request, self._ordering = request, ["start"]
        size = self._size(request)
        direction, position = self._position(request)
        forward = direction == "f"
        start, end = asked["start"], asked["end"]
        if position is not None and forward:
            start = datetime.fromisoformat(position[0]) + timedelta(microseconds=1)
        elif position is not None:
            end = datetime.fromisoformat(position[0])
        found: list[ExactPrice] = []
        if start < end:
            found = price_page(
                asked["market"],
                Interval(start, end),
                limit=size + 1,
                latest_first=not forward,
                series=asked["series"],
                as_of=asked.get("as_of"),
                known_at=asked.get("known_at"),
            )
        more = len(found) > size
        rows = [_row(price) for price in found[:size]]
        if not forward:
            rows.reverse()
        has_next = more if forward else position is not None
        has_previous = position is not None if forward else more
        self._next = self._cursor("f", rows[-1]) if rows and has_next else None
        self._previous = self._cursor("b", rows[0]) if rows and has_previous else None
        return rows


class PriceViewSet(ApiListViewSet):
    """Prices of one market and series."""

    permissions: ClassVar[dict[str, str]] = {"GET": "trading.view_price"}
    scopes: ClassVar[dict[str, str]] = {"GET": "prices:read"}
    serializer_class = PriceOutput
    pagination_class = PricePage

    @extend_schema(
        description=(
            "List prices of an interval, ascending, each in its version known at the cut."
        ),
        parameters=[PriceFilter],
        responses=PriceOutput(many=True),
        examples=[PRICE_EXAMPLE],
    )
    def list(self, request: Request) -> Response:
        asked = dict(self.query_of(PriceFilter))
        asked["market"] = market_or_404(asked["market"])
        if not asked["start"] < asked["end"]:
            raise Refusal("end must be after start.", code="interval", parameter="end")
        if asked["end"] - asked["start"] > LONGEST_SPAN:
            raise Refusal("Ask for at most 20 years.", code="interval", parameter="end")
        page = PricePage()
        rows = page.page_of(request, asked)
        return page.get_paginated_response(PriceOutput(rows, many=True).data)


class MarketViewSet(ApiListViewSet):
    """The markets there are."""

    permissions: ClassVar[dict[str, str]] = {"GET": "trading.view_market"}
    scopes: ClassVar[dict[str, str]] = {"GET": "prices:read"}
    serializer_class = MarketOutput
    ordering = ("code",)

    @extend_schema(description="List the markets by code.", examples=[MARKET_EXAMPLE])
    def list(self, request: Request) -> Response:
        return self.page_of(Market.objects.all(), MarketOutput)


class ForecastView(ApiView):
    """The latest forecast of a delivery day."""

    permissions: ClassVar[dict[str, str]] = {"GET": "trading.view_forecast"}
    scopes: ClassVar[dict[str, str]] = {"GET": "prices:read"}

    @extend_schema(
        description="Show the latest price forecast of a delivery day; 404 without one.",
        parameters=[ForecastFilter],
        responses=ForecastOutput,
        examples=[FORECAST_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        asked = self.query_of(ForecastFilter)
        market = market_or_404(asked["market"])
        issued = latest_forecast(market, asked["delivery_date"], issued_by=clock.now())
        if issued is None:
            raise Http404(f"There is no forecast of {asked['delivery_date']}.")
        row = issued.forecast
        shown = {
            "market": market.code,
            "delivery_date": row.delivery_date,
            "issued_at": row.issued_at,
            "model": f"{row.model_name} {row.model_version}",
            "start": row.start,
            "period_minutes": row.period_minutes,
            "values": row.values,
        }
        return Response(ForecastOutput(shown).data)


class CurveView(ApiView):
    """The forward curve of a market."""

    permissions: ClassVar[dict[str, str]] = {"GET": "trading.view_quote"}
    scopes: ClassVar[dict[str, str]] = {"GET": "prices:read"}

    @extend_schema(
        description="Show the base curve of the latest trading day; 404 without quotes.",
        parameters=[CurveFilter],
        responses=CurveOutput,
        examples=[CURVE_EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        asked = self.query_of(CurveFilter)
        market = market_or_404(asked["market"])
        try:
            day = quote_sheet(
                actor=actor_of(request._request),
                market=market,
                as_of=asked.get("as_of") or clock.now(),
                known_at=asked.get("known_at"),
            )
        except NoCurve as error:
            raise Http404(str(error)) from error
        shown = {
            "market": market.code,
            "valid_from": day.valid_from,
            "source": day.source,
            "points": [{"start": start, "price": price} for start, price in day.points],
            "conflicts": day.conflicts,
        }
        return Response(CurveOutput(shown).data)


def market_or_404(code: str) -> Market:
    """Return the market of a code, or answer 404 naming it."""
    try:
        return market_by_code(code)
    except NoSuchMarket as error:
        raise Http404(str(error)) from error


def _row(price: ExactPrice) -> dict[str, Any]:
    return {
        "start": price.interval.start,
        "end": price.interval.end,
        "value": format(price.value, "f"),
        "available_at": price.available_at,
        "recorded_at": price.recorded_at,
    }
