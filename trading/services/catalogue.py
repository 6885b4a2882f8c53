"""Bring in the commodities, holidays and shapes that the product knows; twice changes nothing."""

from django.db import transaction

from energyopti.accounts.actors import Actor
from trading.markets.reference_catalogue import COMMODITIES, HOLIDAYS, SHAPES, SHAPES_OF_ZONE
from trading.models import Commodity, HolidayCalendarVersion, LoadShape, Market, ShapeCalendar
from trading.queries.reference import market_terms
from trading.reference import MarketTerms

from .changes import require_manager
from .commodities import add_commodity
from .delivery_points import amend_delivery_point, is_used
from .shapes import publish_holidays, publish_shape


def ensure_catalogue(*, actor: Actor) -> list[str]:
    """
    Add what the catalogue has and the tables lack, give markets of power the shapes of their
    zone, and return the codes of markets that keep none, because they hold data and count their
    days otherwise.

    What people have added or published since stays as it is.

    :raises PermissionMissing: without `trading.manage_reference_data` in an operating company.
    """
    require_manager(actor)
    with transaction.atomic():
        commodities = {code.upper() for code in Commodity.objects.values_list("code", flat=True)}
        for commodity in COMMODITIES:
            if commodity.code not in commodities:
                add_commodity(actor=actor, terms=commodity)
        holidays = set(HolidayCalendarVersion.objects.values_list("calendar__code", flat=True))
        for holiday in HOLIDAYS:
            if holiday.calendar not in holidays:
                publish_holidays(actor=actor, terms=holiday)
        shapes = set(LoadShape.objects.values_list("calendar__code", "code"))
        for shape in SHAPES:
            if (shape.calendar, shape.shape) not in shapes:
                publish_shape(actor=actor, terms=shape)
        return _give_shapes(actor)


def shape_calendar_of(time_zone: str) -> ShapeCalendar | None:
    """Return the shapes by which power of a zone is traded, None where none are held."""
    return ShapeCalendar.objects.filter(code=SHAPES_OF_ZONE.get(time_zone, "")).first()


def _give_shapes(actor: Actor) -> list[str]:
    left = []
    rows = Market.objects.filter(commodity__kind="POWER", shape_calendar=None)
    for market in rows.select_related("commodity", "parent").order_by("code"):
        calendar = shape_calendar_of(market.time_zone)
        if calendar is None:
            continue
        if calendar.day_start != market.day_start and is_used(market):
            left.append(market.code)
            continue
        known = market_terms(market)
        amend_delivery_point(
            actor=actor,
            terms=MarketTerms(
                **{
                    **{name: getattr(known, name) for name in known.__dataclass_fields__},
                    "shape_calendar": calendar.code,
                    "day_start": calendar.day_start,
                }
            ),
        )
    return left
