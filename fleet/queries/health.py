"""The fleet by need: who is in trouble, who is silent, who is fine."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Case, CharField, Count, F, FloatField, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce

from devices.queries.devices import visible_devices
from energyopti.foundation.pages import ActorLike

if TYPE_CHECKING:
    from devices.models import Device

FAULT, SILENT, NEVER, FINE = "0", "1", "2", "3"  # in the order of need
NEEDS = {FAULT: "Fault", SILENT: "Silent", NEVER: "Never heard", FINE: "Fine"}


@dataclass(frozen=True)
class FleetCounts:
    """How many active devices need what, and what they hold and do together."""

    total: int
    fault: int
    silent: int
    never: int
    fine: int
    power_kw: float
    stored_kwh: float
    capacity_kwh: float

    @property
    def in_need(self) -> int:
        return self.total - self.fine


def devices_by_need(
    actor: ActorLike, *, silent_since: datetime, site: UUID | str | None = None
) -> "QuerySet[Device]":
    """
    Return the actor's active devices with `need` ("0" is worst) and the newest status.

    site    where they stand; None for everywhere
    """
    devices = visible_devices(actor)
    return (
        (devices if site is None else devices.filter(site_id=site))
        .filter(is_active=True)
        .select_related("site", "organization", "status_row")
        .annotate(
            need=Case(
                When(status_row__isnull=True, then=Value(NEVER)),
                When(~Q(status_row__fault="") | Q(status_row__state="ERROR"), then=Value(FAULT)),
                When(status_row__last_seen_at__lt=silent_since, then=Value(SILENT)),
                default=Value(FINE),
                output_field=CharField(),
            )
        )
    )


def fleet_counts(
    actor: ActorLike, *, silent_since: datetime, site: UUID | str | None = None
) -> FleetCounts:
    """Count the fleet in one query; power is > 0 where it feeds the grid, of those not silent."""
    heard = Q(need__in=(FAULT, FINE))
    found = devices_by_need(actor, silent_since=silent_since, site=site).aggregate(
        total=Count("pk"),
        fault=Count("pk", filter=Q(need=FAULT)),
        silent=Count("pk", filter=Q(need=SILENT)),
        never=Count("pk", filter=Q(need=NEVER)),
        fine=Count("pk", filter=Q(need=FINE)),
        power_kw=Coalesce(Sum("status_row__power_kw", filter=heard), 0.0),
        stored_kwh=Sum(
            F("status_row__soc") * F("capacity_kwh"), default=0.0, output_field=FloatField()
        ),
        capacity_kwh=Sum("capacity_kwh", default=0),
    )
    return FleetCounts(**{**found, "capacity_kwh": float(found["capacity_kwh"])})
