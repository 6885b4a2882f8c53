"""Devices, as the fleet asks for them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from devices.models import Device, DeviceStatus

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from energyopti.foundation.pages import ActorLike


def visible_devices(actor: "ActorLike") -> "QuerySet[Device]":
    """Return the devices of the actor's organizations, retired ones too."""
    return Device.objects.filter(organization_id__in=actor.organization_ids)


def devices_in_zone(actor: "ActorLike", zone: str) -> list[Device]:
    """Return the actor's devices at sites of a bidding zone, with their sites, by id."""
    return list(
        visible_devices(actor).filter(site__market_zone=zone).select_related("site").order_by("pk")
    )


def has_foreign_devices(actor: "ActorLike", zone: str) -> bool:
    """Tell whether a bidding zone holds devices that are not the actor's."""
    others = Device.objects.exclude(organization_id__in=actor.organization_ids)
    return others.filter(site__market_zone=zone).exists()


def zones_with_devices() -> list[str]:
    """Return the bidding zones in which active devices stand."""
    zones = Device.objects.filter(is_active=True).values_list("site__market_zone", flat=True)
    return sorted(set(zones.distinct()))


def measured_socs(device_ids: Sequence[UUID]) -> dict[UUID, float]:
    """Return the newest state of charge (0 to 1) of the devices that reported one."""
    found = DeviceStatus.objects.filter(device__in=device_ids, soc__isnull=False)
    pairs = found.values_list("device_id", "soc")
    return {device_id: soc for device_id, soc in pairs if soc is not None}
