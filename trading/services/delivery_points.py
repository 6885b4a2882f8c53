"""Add and amend markets of every commodity as delivery points, which all organizations share."""

from django.core.exceptions import ValidationError
from django.db import transaction

from energyopti.accounts.actors import Actor
from trading.models import (
    Commodity,
    Delivery,
    Market,
    PriceIndex,
    Quote,
    ShapeCalendar,
    TradeVersion,
)
from trading.models.commodities import check_currency, check_price_unit, check_unit
from trading.models.prices import Price
from trading.queries.reference import market_terms
from trading.reference import MarketTerms

from .changes import found, refuse_taken, require_manager, write_changes, write_new

# What every stored delivery, price and curve of a market hangs on.
FIXED_ONCE_USED = ("commodity", "time_zone", "day_start", "currency", "price_unit")


def add_delivery_point(*, actor: Actor, terms: MarketTerms) -> Market:
    """
    Add a market under a code and an EIC that no other has.

    :raises PermissionMissing: without `trading.manage_reference_data` in an operating company.
    :raises ValidationError: naming the field: a price unit in which the commodity is not
        counted, a parent of another commodity, a day that starts at another time than its
        shape calendar's, among others.
    """
    require_manager(actor)
    with transaction.atomic():
        refuse_taken(Market.objects, "code", terms.code)
        row = _fill(Market(code=terms.code), terms)
        write_new(
            actor=actor, row=row, terms=terms, aggregate="market", key=terms.code, verb="opened"
        )
    return row


def amend_delivery_point(*, actor: Actor, terms: MarketTerms) -> Market:
    """
    Change a market; zone, day start, currency, unit and commodity stay once it has data.

    :raises PermissionMissing: as `add_delivery_point`.
    :raises ValidationError: naming the field.
    """
    require_manager(actor)
    with transaction.atomic():
        row = found(
            Market.objects.select_for_update(of=("self",)).select_related(
                "commodity", "parent", "shape_calendar"
            ),
            "code",
            terms.code,
            "market",
        )
        before = market_terms(row)
        changed = [f for f in FIXED_ONCE_USED if getattr(before, f) != getattr(terms, f)]
        if changed and is_used(row):
            raise ValidationError(
                {
                    field: f"{row.code} has prices, quotes or trades: it stays"
                    f" {getattr(before, field)}."
                    for field in changed
                }
            )
        _fill(row, terms)
        write_changes(
            actor=actor, row=row, before=before, after=terms, aggregate="market", key=row.code
        )
    return row


def is_used(market: Market) -> bool:
    """Say whether anything stored counts in the market's days and money."""
    return any(
        rows.filter(market_id=market.pk).exists()
        for rows in (TradeVersion.objects, Quote.objects, Price.objects, PriceIndex.objects)
    )


def _fill(row: Market, terms: MarketTerms) -> Market:
    commodity = found(Commodity.objects, "commodity", terms.commodity, "commodity")
    if commodity is None:
        raise ValidationError({"commodity": "Say which commodity is delivered."})
    parent = found(
        Market.objects.select_related("commodity", "parent"), "parent", terms.parent, "market"
    )
    calendar = found(
        ShapeCalendar.objects, "shape_calendar", terms.shape_calendar, "shape calendar"
    )
    for field, check, value in (
        ("currency", check_currency, terms.currency),
        ("price_unit", check_unit, terms.price_unit),
    ):
        try:
            check(value)
            if field == "price_unit":
                check_price_unit(commodity, terms.price_unit)
        except ValidationError as error:
            raise ValidationError({field: error.messages}) from error
    _check_parent(row, commodity, parent)
    if calendar is not None and calendar.day_start != terms.day_start:
        raise ValidationError(
            {"day_start": f"Days of the calendar {calendar.code} start at another time."}
        )
    if calendar is not None and commodity.delivery != Delivery.FLOW:
        raise ValidationError({"shape_calendar": f"{commodity.code} has no hours of delivery."})
    if terms.eic:
        taken = Market.objects.filter(eic=terms.eic).exclude(pk=row.pk).first()
        if taken is not None:
            raise ValidationError({"eic": f"“{terms.eic}” is the EIC of {taken.code}."})
    row.name, row.commodity, row.kind, row.parent = terms.name, commodity, terms.kind, parent
    row.country, row.eic, row.time_zone = terms.country, terms.eic, terms.time_zone
    row.day_start, row.currency, row.price_unit = terms.day_start, terms.currency, terms.price_unit
    row.shape_calendar = calendar
    row.period_minutes, row.gate_closure = terms.period_minutes, terms.gate_closure
    row.publication_minutes = terms.publication_minutes
    return row


def _check_parent(row: Market, commodity: Commodity, parent: Market | None) -> None:
    if parent is None:
        return
    if parent.commodity_id != commodity.pk:
        raise ValidationError({"parent": f"{parent.code} delivers {parent.commodity.code}."})
    step: Market | None = parent
    while step is not None:
        if step.pk == row.pk and row.pk is not None:
            raise ValidationError({"parent": f"{parent.code} lies below {row.code} itself."})
        step = step.parent
