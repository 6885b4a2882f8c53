"""Which device a bearer token belongs to."""

import hmac
from uuid import UUID

from devices.models import DeviceCredential


def holds_token(device_id: UUID, token_sha256: str) -> bool:
    """Tell whether the digest is that of the device's token in force, and the device active."""
    held = (
        DeviceCredential.objects.filter(
            device_id=device_id, device__is_active=True, revoked_at__isnull=True
        )
        .values_list("token_sha256", flat=True)
        .first()
    )
    return held is not None and hmac.compare_digest(held, token_sha256)


def token_is_of_another(device_id: UUID, token_sha256: str) -> bool:
    """Tell whether the token is in force, but another device's."""
    return (
        DeviceCredential.objects.filter(
            token_sha256=token_sha256, revoked_at__isnull=True, device__is_active=True
        )
        .exclude(device_id=device_id)
        .exists()
    )
