"""Register devices and hand out the token by which each proves itself."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from devices.models import Device, DeviceCredential
from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event

from .snapshots import forget_devices


class ForeignDevice(ValueError):
    """A device names an organization that the actor does not act for, or a site of another one."""


def register_devices(*, actor: Actor, devices: Sequence[Device]) -> list[Device]:
    """
    Add devices (unsaved rows with their site) to the fleet of one or more organizations.

    One event an organization, so that 10,000 devices are no 10,000 events.

    :raises ForeignDevice: naming the device whose organization or site is not the actor's.
    """
    actor.require("devices.register_device")
    for device in devices:
        if device.organization_id not in actor.organization_ids:
            raise ForeignDevice(f"{device.code}: you do not act for its organization")
        if device.site.organization_id != device.organization_id:
            raise ForeignDevice(f"{device.code}: site belongs to another organization")
    with transaction.atomic():
        created = Device.objects.bulk_create(devices, batch_size=1000)
        for organization_id in {device.organization_id for device in created}:
            own = [device for device in created if device.organization_id == organization_id]
            record_event(
                type="device.registered",
                actor=actor,
                aggregate_type="organization",
                aggregate_id=organization_id,
                organization_id=organization_id,
                payload={"count": len(own), "devices": [str(device.pk) for device in own[:100]]},
            )
    return created


def digest_of(token: str) -> str:
    """Return what is kept of a token: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def issue_credentials(
    *, actor: Actor, devices: Sequence[Device], issued_at: datetime
) -> dict[Device, str]:
    """
    Give each device a new token and revoke the one before; the tokens are shown this once.

    :raises ForeignDevice: if a device is not of the actor's organizations.
    """
    actor.require("devices.register_device")
    for device in devices:
        if device.organization_id not in actor.organization_ids:
            raise ForeignDevice(f"{device.code}: you do not act for its organization")
    tokens = {device: secrets.token_urlsafe(32) for device in devices}
    ids = [device.pk for device in devices]
    with transaction.atomic():
        list(Device.objects.select_for_update().filter(pk__in=ids).order_by("pk").values("pk"))
        DeviceCredential.objects.filter(device__in=ids, revoked_at__isnull=True).update(
            revoked_at=issued_at
        )
        DeviceCredential.objects.bulk_create(
            [
                DeviceCredential(device=device, token_sha256=digest_of(token), created_at=issued_at)
                for device, token in tokens.items()
            ],
            batch_size=1000,
        )
        for organization_id in {device.organization_id for device in devices}:
            own = [str(d.pk) for d in devices if d.organization_id == organization_id]
            record_event(
                type="device.credential_issued",
                actor=actor,
                aggregate_type="organization",
                aggregate_id=organization_id,
                organization_id=organization_id,
                payload={"count": len(own), "devices": own[:100]},
            )
        transaction.on_commit(lambda: forget_devices(ids))
    return tokens


def revoke_credentials(*, actor: Actor, device: Device, revoked_at: datetime) -> int:
    """Take a device's token out of force; it can no longer poll or post. Returns how many were."""
    actor.require("devices.register_device")
    if device.organization_id not in actor.organization_ids:
        raise ForeignDevice(f"{device.code}: you do not act for its organization")
    with transaction.atomic():
        count = DeviceCredential.objects.filter(device=device, revoked_at__isnull=True).update(
            revoked_at=revoked_at
        )
        record_event(
            type="device.credential_revoked",
            actor=actor,
            aggregate_type="device",
            aggregate_id=device.pk,
            organization_id=device.organization_id,
            payload={"count": count},
        )
        transaction.on_commit(lambda: forget_devices([device.pk]))
    return count
