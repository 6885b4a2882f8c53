"""Shared reference data: rows as terms for pages and files, and what calendars and shapes mean."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, OuterRef, Prefetch, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import Calendar
from trading.models import (
    Commodity,
    CurveDefinition,
    FxRate,
    Holiday,
    HolidayCalendarVersion,
    LoadShape,
    Market,
    Plant,
    PriceIndex,
)
from trading.reference import (
    CommodityTerms,
    FxRateTerms,
    HolidayTerms,
    IndexTerms,
    MarketTerms,
    PlantTerms,
    ShapeTerms,
)

VIEW = "trading.view_reference_data"


class UnknownReference(LookupError):
    """There is no such row of reference data for this actor."""


def commodity_rows(actor: Actor) -> QuerySet[Commodity]:
    """
    Return all commodities by code.

    :raises PermissionMissing: without `trading.view_reference_data`, as all readers here.
    """
    actor.require(VIEW)
    return Commodity.objects.order_by("code")


def market_rows(actor: Actor) -> QuerySet[Market]:
    """Return all delivery points by code, with what a row shows."""
    actor.require(VIEW)
    return Market.objects.select_related("commodity", "parent", "shape_calendar").order_by("code")


def index_rows(actor: Actor) -> QuerySet[PriceIndex]:
    """
    Return all price indices by code, with their markets.

    valued_on    code of the curve that expected fixings are taken from: the mark of the index's
                 market, if it is priced in the index's currency and unit; else empty, and what
                 floats on the index has no value.
    """
    actor.require(VIEW)
    marks = CurveDefinition.objects.filter(
        is_mark=True,
        market=OuterRef("market"),
        market__currency=OuterRef("currency"),
        market__price_unit=OuterRef("price_unit"),
    )
    return (
        PriceIndex.objects.select_related("market")
        .annotate(valued_on=Coalesce(Subquery(marks.values("code")[:1]), Value("")))
        .order_by("code")
    )


def plant_rows(actor: Actor) -> QuerySet[Plant]:
    """Return all plants by code, with their delivery points."""
    actor.require(VIEW)
    return Plant.objects.select_related("market").order_by("code")


def plant_terms(row: Plant) -> PlantTerms:
    return PlantTerms(
        code=row.code,
        name=row.name,
        market=row.market.code,
        technology=row.technology,
        installed_mwp=row.installed_mwp,
        capacity_factors=row.capacity_factors,
        metering_asset_id=row.metering_asset_id,
        is_active=row.is_active,
    )


def shape_rows(actor: Actor) -> QuerySet[LoadShape]:
    """Return all versions of all shapes, by calendar, code and version."""
    actor.require(VIEW)
    return LoadShape.objects.select_related(
        "calendar", "holiday_calendar", "complement_of"
    ).order_by("calendar__code", "code", "version")


def holiday_rows(actor: Actor) -> QuerySet[HolidayCalendarVersion]:
    """Return all versions of all holiday calendars with their dates, by code and version."""
    actor.require(VIEW)
    return (
        HolidayCalendarVersion.objects.select_related("calendar")
        .prefetch_related(Prefetch("holidays", Holiday.objects.order_by("date")))
        .order_by("calendar__code", "version")
    )


def fx_rate_rows(actor: Actor, *, known_at: datetime | None = None) -> QuerySet[FxRate]:
    """Return the version of each exchange rate that holds, or held at a time, the latest first."""
    actor.require(VIEW)
    rows = FxRate.objects.all()
    if known_at is not None:
        rows = rows.filter(recorded_at__lte=known_at)
    latest = rows.order_by("base", "quote", "source", "valid_from", "-recorded_at", "-id").distinct(
        "base", "quote", "source", "valid_from"
    )
    return FxRate.objects.filter(pk__in=latest.values("pk")).order_by(
        "-valid_from", "base", "quote", "source"
    )


def commodity_terms(row: Commodity) -> CommodityTerms:
    return CommodityTerms(row.code, row.name, row.kind, row.delivery, row.quantity_unit)


def market_terms(row: Market) -> MarketTerms:
    return MarketTerms(
        code=row.code,
        name=row.name,
        commodity=row.commodity.code,
        kind=row.kind,
        time_zone=row.time_zone,
        currency=row.currency,
        parent=row.parent.code if row.parent else "",
        country=row.country,
        eic=row.eic,
        day_start=row.day_start,
        price_unit=row.price_unit,
        shape_calendar=row.shape_calendar.code if row.shape_calendar else "",
        period_minutes=row.period_minutes,
        gate_closure=row.gate_closure,
        publication_minutes=row.publication_minutes,
    )


def index_terms(row: PriceIndex) -> IndexTerms:
    return IndexTerms(
        code=row.code,
        market=row.market.code,
        name=row.name,
        currency=row.currency,
        price_unit=row.price_unit,
        frequency=row.frequency,
        load_shape=row.load_shape,
        publication_days=row.publication_days,
        publication_time=row.publication_time,
        source=row.source,
        is_active=row.is_active,
    )


def shape_terms(row: LoadShape) -> ShapeTerms:
    return ShapeTerms(
        calendar=row.calendar.code,
        calendar_name=row.calendar.name,
        day_start=row.calendar.day_start,
        shape=row.code,
        version=row.version,
        name=row.name,
        valid_from=row.valid_from,
        weekdays=row.weekdays,
        from_minute=row.from_minute,
        to_minute=row.to_minute,
        holiday_calendar=row.holiday_calendar.code if row.holiday_calendar else "",
        holiday_rule=row.holiday_rule,
        complement_of=row.complement_of.code if row.complement_of else "",
    )


def holiday_terms(row: HolidayCalendarVersion) -> HolidayTerms:
    return HolidayTerms(
        calendar=row.calendar.code,
        calendar_name=row.calendar.name,
        version=row.version,
        covers_first=row.covers_first,
        covers_last=row.covers_after - timedelta(days=1),
        source=row.source,
        holidays=tuple((day.date, day.name) for day in row.holidays.all()),
    )


def fx_rate_terms(row: FxRate) -> FxRateTerms:
    return FxRateTerms(row.base, row.quote, row.valid_from, row.source, row.rate)


def market_calendar(market: Market) -> Calendar:
    """Return the zone and day start by which a market counts its delivery days."""
    return market.calendar


def next_version(rows: Any) -> int:
    """Return the number that the next version of some rows has."""
    return (rows.aggregate(latest=Max("version"))["latest"] or 0) + 1
