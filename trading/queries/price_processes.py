"""How prices move: processes that hold by a cut of knowledge, all for the page, and their fits."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from energyopti.accounts.actors import Actor
from energyopti.foundation.proposals.models import VersionStatus
from trading.models import PriceProcess, ProcessCalibration, ProcessKind

if TYPE_CHECKING:
    from trading.pricing import MeanRevertingSpot, TwoFactorForwards

VIEW = "trading.view_priceprocess"
_SPOT = ("mean_reversion", "volatility", "jump_intensity", "jump_mean", "jump_deviation")
# What each kind needs, in the order in which it is shown.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "SPOT_NORMAL": _SPOT,
    "SPOT_LOGNORMAL": _SPOT,
    "TWO_FACTOR": ("mean_reversion", "short_volatility", "long_volatility", "correlation"),
    "CORRELATION": ("correlation",),
}

ProcessKey = tuple[str, str]


class UnknownCalibration(LookupError):
    """There is no such calibration."""


def process_key(first: str, second: str = "") -> ProcessKey:
    """Return what processes are chosen by: a market's code, or two in their order."""
    return (min(first, second), max(first, second)) if second else (first, "")


def processes_at(known_at: datetime | None = None) -> dict[ProcessKey, PriceProcess]:
    """
    Return the process of each market, and correlation of each pair, approved last; one query.

    known_at    real time: no decision of later counts; None for all
    """
    rows = PriceProcess.objects.filter(status=VersionStatus.APPROVED)
    if known_at is not None:
        rows = rows.filter(decided_at__lte=known_at)
    found = {}
    for row in rows.select_related("market", "second_market").order_by("decided_at", "id"):
        second = "" if row.second_market is None else row.second_market.code
        found[process_key(row.market.code, second)] = row
    return found


def price_processes(actor: Actor) -> QuerySet[PriceProcess]:
    """
    Return every version, those of a market together, the latest first.

    :raises PermissionMissing: without `trading.view_priceprocess`, as all readers here.
    """
    actor.require(VIEW)
    return PriceProcess.objects.select_related("market", "second_market", "calibration").order_by(
        "market__code", "second_market__code", "-number"
    )


def calibrations(actor: Actor) -> QuerySet[ProcessCalibration]:
    """Return every calibration, the latest first."""
    actor.require(VIEW)
    return ProcessCalibration.objects.select_related("market").order_by("-id")


def calibration_of(actor: Actor, calibration_id: int) -> ProcessCalibration:
    """
    Return a calibration.

    :raises UnknownCalibration: without one.
    """
    found = calibrations(actor).filter(pk=calibration_id).first()
    if found is None:
        raise UnknownCalibration("calibration: there is no such calibration.")
    return found


def process_of(
    kind: ProcessKind | str, parameters: dict[str, float]
) -> MeanRevertingSpot | TwoFactorForwards:
    """
    Return a process as pricing has it.

    :raises PricingError: naming the parameter and the rule.
    """
    from trading.pricing import MeanRevertingSpot, TwoFactorForwards

    if kind == ProcessKind.TWO_FACTOR:
        return TwoFactorForwards(**parameters)
    return MeanRevertingSpot(**parameters, is_lognormal=kind == ProcessKind.SPOT_LOGNORMAL)
