"""The newest plan and settlement, as far as they are the actor's own."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Q, Sum

from devices.queries.devices import has_foreign_devices
from energyopti.foundation.pages import ActorLike
from fleet.models import DevicePlan, DispatchRun, EnergySettlement


@dataclass(frozen=True)
class OwnPlan:
    """The part of a run that concerns the actor's devices."""

    run: DispatchRun
    device_count: int
    refused_count: int
    expected_value: float


def latest_plan(actor: ActorLike, *, site: UUID | str | None = None) -> OwnPlan | None:
    """Return the newest run that planned a device of the actor (at a site), with its own sums."""
    own = DevicePlan.objects.filter(device__organization_id__in=actor.organization_ids)
    if site is not None:
        own = own.filter(device__site_id=site)
    newest = own.order_by("-run_id").select_related("run__market").first()
    if newest is None:
        return None
    sums = own.filter(run=newest.run).aggregate(
        count=Count("pk"), refused=Count("pk", filter=~Q(refusal="")), value=Sum("expected_value")
    )
    return OwnPlan(newest.run, sums["count"], sums["refused"], sums["value"])


def latest_settlement(
    actor: ActorLike, *, site: UUID | str | None = None
) -> EnergySettlement | None:
    """
    Return the newest settlement, unless it sums devices that are not the actor's.

    A settlement is a market's and says nothing of one site: with a site there is none.
    """
    if site is not None:
        return None
    newest = EnergySettlement.objects.select_related("market").order_by("-pk").first()
    if newest is None:
        return None
    return None if has_foreign_devices(actor, newest.market.code) else newest
