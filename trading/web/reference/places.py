"""Pages of what all organizations share: commodities, delivery points, indices, shapes, rates."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from trading.queries.reference import (
    commodity_rows,
    commodity_terms,
    holiday_rows,
    index_rows,
    index_terms,
    market_rows,
    market_terms,
    plant_rows,
    plant_terms,
    shape_rows,
)
from trading.queries.shape_hours import shape_hours
from trading.services.commodities import add_commodity, amend_commodity
from trading.services.delivery_points import add_delivery_point, amend_delivery_point
from trading.services.indices import add_index, amend_index, book_fx_rates
from trading.services.plants import add_plant, amend_plant
from trading.services.shapes import publish_shape

from .editing import SharedKind, code_or_404, form_page
from .forms import CommodityForm, FxRateForm, IndexForm, MarketForm, PlantForm, ShapeForm
from .words import clock_of, day_start_words, weekday_words

VIEW = "trading.view_reference_data"
MANAGE = "trading.manage_reference_data"
WAYS = require_http_methods(["GET", "HEAD", "POST"])
FIRST_YEAR, LAST_YEAR = 2000, 2099
MONTHS = tuple(date(2000, month, 1) for month in range(1, 13))


@require_GET
@require_permission(VIEW)
def delivery_point(request: HttpRequest, code: str) -> HttpResponse:
    """Show a delivery point: what it is, what belongs to it, what is published for it."""
    actor = actor_of(request)
    found = code_or_404(market_rows(actor), code)
    return render(
        request,
        "reference/delivery_point.html",
        {
            "market": found,
            "day_start": day_start_words(found.day_start),
            "children": list(market_rows(actor).filter(parent=found)),
            "indices": list(index_rows(actor).filter(market=found)),
            "may_manage": actor.may(MANAGE),
            "may_see_prices": actor.may("trading.view_price"),
        },
    )


@require_GET
@require_permission(VIEW)
def index(request: HttpRequest, code: str) -> HttpResponse:
    """Show a price index."""
    actor = actor_of(request)
    found = code_or_404(index_rows(actor), code)
    return render(
        request, "reference/index.html", {"index": found, "may_manage": actor.may(MANAGE)}
    )


@require_GET
@require_permission(VIEW)
def plant(request: HttpRequest, code: str) -> HttpResponse:
    """Show a plant."""
    actor = actor_of(request)
    found = code_or_404(plant_rows(actor), code)
    return render(
        request, "reference/plant.html", {"plant": found, "may_manage": actor.may(MANAGE)}
    )


@WAYS
@require_permission(MANAGE)
def new_fx_rate(request: HttpRequest) -> HttpResponse:
    """Book an exchange rate; one that is known otherwise becomes a correction."""
    return form_page(
        request,
        FxRateForm(request.POST or None),
        title="Book a rate",
        lead="A rate that differs from the known one of its time and source corrects it.",
        save=lambda terms: book_fx_rates(actor=actor_of(request), rates=[terms]),
        then=lambda _: reverse("trading:fx_rates"),
        cancel=reverse("trading:fx_rates"),
        done="The rate is booked.",
        submit="Book",
    )


@require_GET
@require_permission(VIEW)
def shape_calendar(request: HttpRequest, code: str) -> HttpResponse:
    """Show a family of shapes: its versions, and hours by month of a year at a market."""
    actor = actor_of(request)
    versions = list(shape_rows(actor).filter(calendar__code=code))
    if not versions:
        raise Http404(f"There is no shape calendar “{code}”.")
    calendar = versions[0].calendar
    markets = list(market_rows(actor).filter(shape_calendar=calendar))
    market = _chosen_market(request, markets)
    year = _chosen_year(request)
    hours = [] if market is None else shape_hours(market, year=year)
    return render(
        request,
        "reference/shape_calendar.html",
        {
            "calendar": calendar,
            "day_start": day_start_words(calendar.day_start),
            "versions": [
                {
                    "row": row,
                    "days": weekday_words(row.weekdays),
                    "from": clock_of(row.from_minute),
                    "to": clock_of(row.to_minute),
                }
                for row in versions
            ],
            "markets": markets,
            "market": market,
            "year": year,
            "months": MONTHS,
            "hours": hours,
            "is_partial": any(each.year is None for each in hours),
            "may_manage": actor.may(MANAGE),
        },
    )


@WAYS
@require_permission(MANAGE)
def new_shape(request: HttpRequest, code: str) -> HttpResponse:
    """Publish the next version of a shape of a calendar, or the first of a new one."""
    actor = actor_of(request)
    known = shape_rows(actor).filter(calendar__code=code).first()
    if known is None:
        raise Http404(f"There is no shape calendar “{code}”.")
    calendar = known.calendar
    fixed = {
        "calendar": calendar.code,
        "calendar_name": calendar.name,
        "day_start": calendar.day_start,
    }
    return form_page(
        request,
        ShapeForm(request.POST or None, fixed=fixed),
        title=f"Publish a shape of {calendar.code}",
        lead="A published version is never changed; trades keep the one they were made under.",
        save=lambda terms: publish_shape(actor=actor, terms=terms),
        then=lambda _: reverse("trading:shape_calendar", args=[calendar.code]),
        cancel=reverse("trading:shape_calendar", args=[calendar.code]),
        done="The version is published.",
        submit="Publish",
    )


@require_GET
@require_permission(VIEW)
def holidays(request: HttpRequest, code: str) -> HttpResponse:
    """Show a holiday calendar: the dates of the version that holds, or of a former one."""
    actor = actor_of(request)
    versions = list(holiday_rows(actor).filter(calendar__code=code))
    if not versions:
        raise Http404(f"There is no holiday calendar “{code}”.")
    wanted = request.GET.get("version", str(versions[-1].version))
    shown = next((row for row in versions if str(row.version) == wanted), None)
    if shown is None:
        raise Http404(f"{code} has no version {wanted}.")
    return render(
        request,
        "reference/holidays.html",
        {
            "calendar": shown.calendar,
            "shown": shown,
            "days": list(shown.holidays.all()),
            "versions": versions[::-1],
            "is_latest": shown.pk == versions[-1].pk,
            "may_manage": actor.may(MANAGE),
        },
    )


def _chosen_market(request: HttpRequest, markets: list[Any]) -> Any:
    wanted = request.GET.get("market", "")
    if not wanted:
        return markets[0] if markets else None
    for market in markets:
        if market.code == wanted:
            return market
    raise Http404(f"“{wanted}” does not trade by this calendar.")


def _chosen_year(request: HttpRequest) -> int:
    wanted = request.GET.get("year", "")
    if not wanted:
        return clock.now().year
    if not (wanted.isascii() and wanted.isdigit()) or not (FIRST_YEAR <= int(wanted) <= LAST_YEAR):
        raise BadRequest(f"year: a year from {FIRST_YEAR} to {LAST_YEAR}.")
    return int(wanted)


def _pages(kind: SharedKind) -> tuple[Any, Any]:
    """Return the pages that add and change rows of a kind, for those who manage reference data."""
    guarded = require_permission(MANAGE)
    return WAYS(guarded(kind.new)), WAYS(guarded(kind.edit))


def _page_of(name: str) -> Callable[[Any], str]:
    return lambda row: reverse(f"trading:{name}", args=[row.code])


new_commodity, edit_commodity = _pages(
    SharedKind(
        "commodity", CommodityForm, commodity_rows, commodity_terms, add_commodity,
        amend_commodity, "trading:commodities", lambda _: reverse("trading:commodities"),
    )
)  # fmt: skip
new_delivery_point, edit_delivery_point = _pages(
    SharedKind(
        "delivery point", MarketForm, market_rows, market_terms, add_delivery_point,
        amend_delivery_point, "trading:delivery_points", _page_of("delivery_point"),
    )
)  # fmt: skip
new_index, edit_index = _pages(
    SharedKind(
        "index", IndexForm, index_rows, index_terms, add_index, amend_index, "trading:indices",
        _page_of("index"), "A price that somebody publishes and deals settle on.",
    )
)  # fmt: skip
new_plant, edit_plant = _pages(
    SharedKind(
        "plant", PlantForm, plant_rows, plant_terms, add_plant, amend_plant, "trading:plants",
        _page_of("plant"), "Deals keep what they were agreed on.",
    )
)  # fmt: skip
