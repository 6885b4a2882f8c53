"""Shared reference data: rows as terms for pages and files, and what calendars and shapes mean."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Max, Prefetch, QuerySet

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import Calendar, DatePeriod, HolidaySet, WeeklyShape
from trading.markets.shapes import EVERY_DAY, ShapeDefinition, wall_clock_windows
from trading.models import (
    Commodity,
    FxRate,
    Holiday,
    HolidayCalendarVersion,
    HolidayRule,
    LoadShape,
    Market,
    PriceIndex,
)
from trading.reference import (
    CommodityTerms,
    FxRateTerms,
    HolidayTerms,
    IndexTerms,
    MarketTerms,
    ShapeTerms,
)

VIEW = "trading.view_reference_data"


class NoSuchShape(LookupError):
    """A market has no shape of that code, version or date."""


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
    """Return all price indices by code, with their markets."""
    actor.require(VIEW)
    return PriceIndex.objects.select_related("market").order_by("code")


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


def fx_rate(
    *, base: str, quote: str, as_of: datetime, known_at: datetime, source: str = ""
) -> FxRate | None:
    """
    Return the latest rate of a pair that spoke of `as_of` and was known at `known_at`, or None.

    source      empty takes whichever spoke last.
    """
    rows = FxRate.objects.filter(
        base=base, quote=quote, valid_from__lte=as_of, recorded_at__lte=known_at
    )
    if source:
        rows = rows.filter(source=source)
    return rows.order_by("-valid_from", "-recorded_at", "-id").first()


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


def shapes_of_market(
    market: Market, *, on: date, known_at: datetime | None = None
) -> dict[str, ShapeDefinition]:
    """Return the shapes of a market by code, in the versions that hold for a delivery date."""
    if market.shape_calendar_id is None:
        return {}
    return shapes_by_calendar([market.shape_calendar_id], on=on, known_at=known_at).get(
        market.shape_calendar_id, {}
    )


def shapes_by_calendar(
    calendar_ids: Iterable[int] | None = None, *, on: date, known_at: datetime | None = None
) -> dict[int, dict[str, ShapeDefinition]]:
    """
    Return the shapes of calendars (of all, where None is given) by code, as of a delivery date.

    Three queries, however many shapes. known_at: only versions recorded by then; None is now.
    """
    rows = LoadShape.objects.filter(valid_from__lte=on)
    if calendar_ids is not None:
        rows = rows.filter(calendar_id__in=list(calendar_ids))
    if known_at is not None:
        rows = rows.filter(recorded_at__lte=known_at)
    latest = rows.order_by("calendar_id", "code", "-valid_from").distinct("calendar_id", "code")
    found: dict[int, dict[str, ShapeDefinition]] = defaultdict(dict)
    for row, definition in _defined(latest, known_at):
        found[row.calendar_id][row.code] = definition
    return dict(found)


def shape_version(
    market: Market, *, code: str, version: int, known_at: datetime | None = None
) -> ShapeDefinition:
    """
    Return the version of a shape that a trade was captured under.

    :raises NoSuchShape: naming the market, code and version.
    """
    rows = LoadShape.objects.filter(
        calendar_id=market.shape_calendar_id, code=code, version=version
    )
    for _, definition in _defined(rows, known_at):
        return definition
    raise NoSuchShape(f"shape: {market.code} has no shape {code} of version {version}.")


def shape_of_market(market: Market, *, code: str, on: date) -> ShapeDefinition:
    """
    Return a shape of a market in the version that holds for a delivery date.

    :raises NoSuchShape: naming those that the market has.
    """
    shapes = shapes_of_market(market, on=on)
    if code in shapes:
        return shapes[code]
    known = ", ".join(sorted(shapes)) or "none"
    raise NoSuchShape(f"shape: {market.code} has no shape {code} on {on}; it has {known}.")


def _defined(rows: Any, known_at: datetime | None) -> list[tuple[LoadShape, ShapeDefinition]]:
    shapes = list(rows.select_related("calendar", "complement_of"))
    wanted = {
        key
        for shape in shapes
        for each in (shape, shape.complement_of)
        if each is not None and (key := each.holiday_calendar_id)
    }
    holidays = holiday_sets(wanted, known_at) if wanted else {}
    return [(shape, _definition(shape, holidays)) for shape in shapes]


def holiday_sets(calendar_ids: set[int], known_at: datetime | None = None) -> dict[int, HolidaySet]:
    """Return the latest version of holiday calendars by their id, as known at a time."""
    if not calendar_ids:
        return {}
    versions = HolidayCalendarVersion.objects.filter(calendar_id__in=calendar_ids)
    if known_at is not None:
        versions = versions.filter(recorded_at__lte=known_at)
    latest = (
        versions.order_by("calendar_id", "-version")
        .distinct("calendar_id")
        .select_related("calendar")
        .prefetch_related("holidays")
    )
    return {
        version.calendar_id: HolidaySet(
            version.calendar.code,
            str(version.version),
            DatePeriod(version.covers_first, version.covers_after),
            frozenset(day.date for day in version.holidays.all()),
        )
        for version in latest
    }


def _definition(shape: LoadShape, holidays: dict[int, HolidaySet]) -> ShapeDefinition:
    windows, minus = _pieces(shape, shape.calendar.day_start, holidays)
    if shape.complement_of is not None:
        minus = _pieces(shape.complement_of, shape.calendar.day_start, holidays)[0]
    return ShapeDefinition(
        calendar=shape.calendar.code,
        code=shape.code,
        version=shape.version,
        name=shape.name,
        valid_from=shape.valid_from,
        windows=windows,
        minus=minus,
    )


def _pieces(
    shape: LoadShape, day_start: timedelta, holidays: dict[int, HolidaySet]
) -> tuple[tuple[WeeklyShape, ...], tuple[WeeklyShape, ...]]:
    """Return a shape's own windows, and what to take off where it delivers on holidays too."""
    weekdays = frozenset(int(digit) - 1 for digit in shape.weekdays)
    closed = None
    if shape.holiday_calendar_id is not None:
        if shape.holiday_calendar_id not in holidays:
            raise NoSuchShape(f"shape: {shape.code} follows holidays that have no version yet.")
        closed = holidays[shape.holiday_calendar_id]

    def windows(days: frozenset[int], excluded: HolidaySet | None) -> tuple[WeeklyShape, ...]:
        return wall_clock_windows(
            name=shape.code,
            version=str(shape.version),
            weekdays=days,
            from_minute=shape.from_minute,
            to_minute=shape.to_minute,
            day_start=day_start,
            holidays=excluded,
        )

    if shape.holiday_rule != HolidayRule.INCLUDE:
        return windows(weekdays, closed), ()
    others = EVERY_DAY - weekdays
    return windows(EVERY_DAY, None), windows(others, closed) if others else ()


def next_version(rows: Any) -> int:
    """Return the number that the next version of some rows has."""
    return (rows.aggregate(latest=Max("version"))["latest"] or 0) + 1
