"""Add and amend plants; all organizations share them."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from energyopti.accounts.actors import Actor
from trading.deals import DealError, read_capacity_factors
from trading.models import Market, Plant
from trading.queries.reference import plant_terms
from trading.reference import PlantTerms

from .changes import found, refuse_taken, require_manager, write_changes, write_new


def add_plant(*, actor: Actor, terms: PlantTerms) -> Plant:
    """
    Add a plant under a code that no other has.

    :raises PermissionMissing: without `trading.manage_reference_data` in an operating company.
    :raises ValidationError: naming the field: a delivery point that is none of power, factors
        that are no shares.
    """
    require_manager(actor)
    with transaction.atomic():
        refuse_taken(Plant.objects, "code", terms.code)
        row = _fill(Plant(code=terms.code), terms)
        write_new(actor=actor, row=row, terms=terms, aggregate="plant", key=terms.code)
    return row


def amend_plant(*, actor: Actor, terms: PlantTerms) -> Plant:
    """
    Change what is said of a plant; deals keep what they were agreed on.

    :raises PermissionMissing, ValidationError: as `add_plant`; its delivery point stays.
    """
    require_manager(actor)
    with transaction.atomic():
        row = found(
            Plant.objects.select_for_update(of=("self",)).select_related("market"),
            "code", terms.code, "plant",
        )  # fmt: skip
        before = plant_terms(row)
        if before.market != terms.market:
            raise ValidationError(
                {"market": f"{row.code} stays in {before.market}: elsewhere is another plant."}
            )
        _fill(row, terms)
        write_changes(
            actor=actor, row=row, before=before, after=terms, aggregate="plant", key=row.code
        )
    return row


def _fill(row: Plant, terms: PlantTerms) -> Plant:
    market = found(Market.objects.select_related("commodity"), "market", terms.market, "market")
    if market is None or market.commodity.kind != "POWER":
        raise ValidationError({"market": "A plant delivers power: choose a point of power."})
    try:
        read_capacity_factors(terms.capacity_factors)
    except DealError as error:
        raise ValidationError({"capacity_factors": error.rule}) from error
    row.market, row.name, row.technology = market, terms.name, terms.technology
    row.installed_mwp, row.capacity_factors = terms.installed_mwp, terms.capacity_factors
    row.metering_asset_id, row.is_active = terms.metering_asset_id, terms.is_active
    return row
