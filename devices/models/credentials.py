"""How a device proves who it is over HTTP until it has a certificate of our private CA."""

from django.db import models

from .devices import Device


class DeviceCredential(models.Model):
    """
    A bearer token of one device, kept as SHA-256 of 256 random bits; the token is shown once.

    At most one is in force; a new one revokes the one before.
    """

    device = models.ForeignKey(Device, models.CASCADE, related_name="credentials")
    token_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["device"],
                condition=models.Q(revoked_at__isnull=True),
                name="device_credential_in_force_once",
            )
        ]

    def __str__(self) -> str:
        return f"credential {self.pk} of device {self.device_id}"
