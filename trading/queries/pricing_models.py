"""Which models value options: those that hold by a cut of knowledge, and all for the page."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise
from math import log

from django.db.models import QuerySet

from energyopti.accounts.actors import Actor
from energyopti.foundation.proposals.models import VersionStatus
from trading.models import Market, OptionFamily, PricingModel

from .quote_days import quote_days

VIEW = "trading.view_pricingmodel"
FEWEST_CHANGES = 20

ModelKey = tuple[str, str, str]


def model_key(family: OptionFamily | str, market: str, second: str = "") -> ModelKey:
    """Return what models are chosen by: family and the codes of the markets."""
    return str(family), market, second


def models_at(known_at: datetime | None = None) -> dict[ModelKey, PricingModel]:
    """
    Return the model of each market and family that was approved last; one query.

    known_at    real time: no decision of later counts; None for all
    """
    rows = PricingModel.objects.filter(status=VersionStatus.APPROVED)
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


def quoted_correlation(
    first: Market, second: Market, *, as_of: datetime, days: int, is_normal: bool
) -> float | None:
    """
    Return how daily changes of the same contracts went together over the last trading days.

    All contracts and days that both markets quoted count alike, at base load; of logarithms, or
    if normal of prices. None with fewer than 20 changes, or where none of them moved.
    """
    import numpy as np

    moves = [_moves(market, as_of, days, is_normal) for market in (first, second)]
    common = sorted(moves[0].keys() & moves[1].keys())
    if len(common) < FEWEST_CHANGES:
        return None
    rows = np.array([[found[key] for key in common] for found in moves])
    if (rows.std(axis=1) == 0).any():
        return None
    return float(np.clip(np.corrcoef(rows)[0, 1], -1.0, 1.0))


def _moves(
    market: Market, as_of: datetime, days: int, is_normal: bool
) -> dict[tuple[date, date, date, int], float]:
    """Return the change of each contract between two trading days by both days and contract."""
    found = {}
    quoted = quote_days(market_id=market.pk, as_of=as_of, days=days + 1)
    for before, after in pairwise(quoted):
        earlier = {(c.first, c.months): c.price for c in before.contracts}
        for contract in after.contracts:
            was = earlier.get((contract.first, contract.months))
            if was is None or not (is_normal or min(was, contract.price) > 0):
                continue
            change = contract.price - was if is_normal else log(contract.price / was)
            found[before.day, after.day, contract.first, contract.months] = change
    return found
