"""Add and amend commodities, which all organizations share."""

from django.core.exceptions import ValidationError
from django.db import transaction

from energyopti.accounts.actors import Actor
from trading.models import Commodity
from trading.queries.reference import commodity_terms
from trading.reference import CommodityTerms

from .changes import found, refuse_taken, require_manager, write_changes, write_new

POWER = CommodityTerms("POWER", "Power", "POWER", "FLOW", "MW")


def add_commodity(*, actor: Actor, terms: CommodityTerms) -> Commodity:
    """
    Add a commodity under a code that no other has.

    :raises PermissionMissing: without `trading.manage_reference_data` in an operating company.
    :raises ValidationError: naming the field.
    """
    require_manager(actor)
    return _add(actor, terms)


def amend_commodity(*, actor: Actor, terms: CommodityTerms) -> Commodity:
    """
    Change what is said of a commodity; how it is delivered stays once it has markets.

    :raises PermissionMissing: as `add_commodity`.
    :raises ValidationError: naming the field.
    """
    require_manager(actor)
    with transaction.atomic():
        row = found(Commodity.objects.select_for_update(), "code", terms.code, "commodity")
        before = commodity_terms(row)
        if row.markets.exists():
            for field in ("delivery", "quantity_unit", "kind"):
                if getattr(before, field) != getattr(terms, field):
                    raise ValidationError(
                        {field: f"{row.code} has markets: it stays {getattr(before, field)}."}
                    )
        row.name, row.kind = terms.name, terms.kind
        row.delivery, row.quantity_unit = terms.delivery, terms.quantity_unit
        write_changes(
            actor=actor, row=row, before=before, after=terms, aggregate="commodity", key=row.code
        )
    return row


def power(*, actor: Actor) -> Commodity:
    """Return the commodity of bidding zones; it is added with the first market that needs it."""
    row = Commodity.objects.filter(code=POWER.code).first()
    return row or _add(actor, POWER)


def _add(actor: Actor, terms: CommodityTerms) -> Commodity:
    refuse_taken(Commodity.objects, "code", terms.code)
    row = Commodity(
        code=terms.code,
        name=terms.name,
        kind=terms.kind,
        delivery=terms.delivery,
        quantity_unit=terms.quantity_unit,
    )
    write_new(actor=actor, row=row, terms=terms, aggregate="commodity", key=terms.code)
    return row
