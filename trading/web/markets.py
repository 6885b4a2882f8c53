"""Pages of market data: the markets, a market's days, its forward curve."""

from datetime import date, datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.exports.responses import export_response
from energyopti.foundation.exports.tables import Column, Kind, Table
from energyopti.foundation.scope import DATE, scope_of

from ..models import Market
from ..queries.curves import NoCurve
from ..queries.markets import NoSuchMarket, market_by_code, market_summaries
from ..queries.price_days import PriceDay, price_day
from ..queries.quote_sheet import quote_sheet

EXPORTS = ("csv", "json", "xlsx", "pdf")


@require_GET
@require_permission("trading.view_price")
def prices(request: HttpRequest) -> HttpResponse:
    """List the markets and how far their prices reach."""
    summaries = market_summaries(actor=actor_of(request))
    return render(request, "trading/prices.html", {"summaries": summaries})


@require_GET
@require_permission("trading.view_price")
def market_prices(request: HttpRequest, code: str) -> HttpResponse:
    """Show one delivery day of a market, in the market's zone; `?format=` downloads it."""
    market = _market_or_404(code)
    now = clock.now()
    chosen = _chosen_day(request, market, now)
    day = price_day(actor=actor_of(request), market=market, delivery_date=chosen, known_at=now)
    if (wanted := request.GET.get("format")) in EXPORTS:
        name = f"prices-{market.code}-{chosen}"
        return export_response(request, _table_of(day, now), str(wanted), name)
    context = {
        "day": day,
        "market": market,
        "chart_columns": ["Price", "Forecast"],
        "chart_rows": [(start, [price, expected]) for start, price, expected in day.rows],
        "now": now,
        "unit": f"{market.currency}/MWh",
    }
    with timezone.override(market.calendar.zone):
        return render(request, "trading/market_prices.html", context)


@require_GET
@require_permission("trading.view_quote")
def curves(request: HttpRequest) -> HttpResponse:
    """Show the quotes of a trading day beside the curve that is built from them."""
    markets = list(Market.objects.order_by("code"))
    code = request.GET.get("market") or (markets[0].code if markets else "")
    context: dict[str, Any] = {"markets": markets}
    if not code:
        return render(request, "trading/curves.html", context)
    market = _market_or_404(code)
    now = clock.now()
    chosen = _chosen_day(request, market, now)
    end_of_day = min(now, market.calendar.day(chosen).end)
    try:
        day = quote_sheet(actor=actor_of(request), market=market, as_of=end_of_day)
    except NoCurve:
        day = None
    context |= {
        "market": market,
        "day": day,
        "chosen": chosen,
        "curve_columns": ["Curve"],
        "unit": f"{market.currency}/MWh",
        "chart_rows": [] if day is None else [(start, [price]) for start, price in day.points],
    }
    with timezone.override(market.calendar.zone):
        return render(request, "trading/curves.html", context)


def _market_or_404(code: str) -> Market:
    try:
        return market_by_code(code)
    except NoSuchMarket as error:
        raise Http404(str(error)) from error


def _chosen_day(request: HttpRequest, market: Market, now: datetime) -> date:
    """Return the day of the scope bar, by default the present one in the market's zone."""
    today = market.calendar.date_of(now)
    return scope_of(request, actor=actor_of(request), today=today, reads={DATE}).date


def _table_of(day: PriceDay, as_of: datetime) -> Table:
    unit = f"{day.market.currency}/MWh"
    return Table(
        title=f"Day-ahead prices {day.market.code} {day.delivery_date}",
        columns=[
            Column("start", "Start", Kind.DATETIME),
            Column("price", "Price", Kind.DECIMAL, unit),
            Column("forecast", "Forecast", Kind.DECIMAL, unit),
        ],
        rows=[
            (start, price, None if expected is None else round(expected, 4))
            for start, price, expected in day.rows
        ],
        filters={"Market": day.market.code, "Delivery day": day.delivery_date.isoformat()},
        as_of=as_of,
        time_zone=day.market.time_zone,
    )
