"""Which models value options: those that hold by a cut of knowledge, and all for the page."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet

from energyopti.accounts.actors import Actor
from trading.models import ModelStatus, OptionFamily, PricingModel

VIEW = "trading.view_pricingmodel"

ModelKey = tuple[str, str, str]


def model_key(family: OptionFamily | str, market: str, second: str = "") -> ModelKey:
    """Return what models are chosen by: family and the codes of the markets."""
    return str(family), market, second


def models_at(known_at: datetime | None = None) -> dict[ModelKey, PricingModel]:
    """
    Return the model of each market and family that was approved last; one query.

    known_at    real time: no decision of later counts; None for all
    """
    rows = PricingModel.objects.filter(status=ModelStatus.APPROVED)
    if known_at is not None:
        rows = rows.filter(decided_at__lte=known_at)
    found = {}
    for row in rows.select_related("market", "second_market").order_by("decided_at", "id"):
        second = "" if row.second_market is None else row.second_market.code
        found[model_key(row.family, row.market.code, second)] = row
    return found


def pricing_models(actor: Actor) -> QuerySet[PricingModel]:
    """
    Return every version, those of a market together, the latest first.

    :raises PermissionMissing: without `trading.view_pricingmodel`.
    """
    actor.require(VIEW)
    return PricingModel.objects.select_related("market", "second_market").order_by(
        "market__code", "family", "second_market__code", "-number"
    )
