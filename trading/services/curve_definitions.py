"""Say how forward curves are made."""

from django.db import transaction

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.queries.organizations import operating_organization_ids
from energyopti.foundation.events.services import record_event

from ..models import (
    CurveDefinition,
    CurveFit,
    CurveMethod,
    HolidayCalendar,
    Market,
    PriceTolerance,
    PublicationPolicy,
)
from ..queries.price_tolerances import Tolerance, price_tolerances
from .locks import lock_keys, server_time

_FLAT = CurveMethod(CurveMethod.FLAT)
_FOUR_EYES = PublicationPolicy(PublicationPolicy.FOUR_EYES)
_MIDS = CurveFit(CurveFit.MIDS)


class CurveRefused(ValueError):
    """A verb does not fit the version's status or the person; names the field and the rule."""


def define_curve(
    *,
    actor: Actor,
    market: Market,
    code: str,
    method: CurveMethod = _FLAT,
    policy: PublicationPolicy = _FOUR_EYES,
    minutes: int = 60,
    tolerance: str = "0.01",
    history_days: int = 730,
    is_mark: bool = True,
    fit: CurveFit = _MIDS,
    holiday_calendar: HolidayCalendar | None = None,
    price_tolerance: Tolerance | None = None,
) -> CurveDefinition:
    """
    Say how a curve of a market is made, or say it anew; versions built before stay as they are.

    Only the system may publish without a second person.

    price_tolerance     of the end of day's price check; None leaves what held, or the default

    :raises PermissionMissing: without `trading.define_curve` in an operating company.
    :raises ValidationError: naming the field.
    :raises CurveRefused: for a person who asks for publication without a second one.
    """
    require_operator(actor, "trading.define_curve")
    if policy == PublicationPolicy.AUTOMATIC and not (actor.is_system or market.is_simulated):
        raise CurveRefused(
            "policy: only curves of simulated markets are published without a second person."
        )
    with transaction.atomic():
        lock_keys([f"curve:{market.pk}"])
        found = CurveDefinition.objects.filter(market=market, code__iexact=code).first()
        row = found or CurveDefinition(market=market, code=code, owner=actor.user)
        values = {
            "method": method,
            "policy": policy,
            "minutes": minutes,
            "tolerance": tolerance,
            "history_days": history_days,
            "is_mark": is_mark,
            "fit": fit,
            "holiday_calendar": holiday_calendar,
        }
        changes = {
            name: (None if found is None else str(getattr(row, name)), str(value))
            for name, value in values.items()
            if found is None or str(getattr(row, name)) != str(value)
        }
        for name, value in values.items():
            setattr(row, name, value)
        row.full_clean()
        row.save()
        if price_tolerance is not None:
            changes |= _tolerate(actor, row, price_tolerance)
        if changes:
            record_event(
                type="curve.defined",
                actor=actor,
                aggregate_type="curve_definition",
                aggregate_id=row.pk,
                organization_id=None,
                key=f"market:{market.code}",
                payload={"market": market.code, "code": row.code},
                changes=changes,
            )
    return row


def _tolerate(actor: Actor, row: CurveDefinition, given: Tolerance) -> dict[str, tuple[str, str]]:
    """Add the next version of a curve's price tolerance, and return what it changes."""
    latest = row.price_tolerances.order_by("-version").first()
    before = price_tolerances([row.pk])[row.pk]
    if given == before:
        return {}
    added = PriceTolerance(
        definition=row, version=1 if latest is None else latest.version + 1, amount=given.amount,
        percent=given.percent, recorded_by=actor.id, recorded_at=server_time(),
    )  # fmt: skip
    added.full_clean()
    added.save(force_insert=True)
    return {"price_tolerance": (before.words, given.words)}


def require_operator(actor: Actor, permission: str) -> None:
    """Go on only with the permission in an operating company: curves are shared by all."""
    actor.require(permission)
    if actor.user is not None and not operating_organization_ids(actor.own_organization_ids):
        raise PermissionMissing(permission)
