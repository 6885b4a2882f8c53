"""One battery: what it is, and how it was when it was last heard."""

import uuid
from decimal import Decimal

from django.db import models
from django.db.models import F, Q

from devices.enums import Transport


class Device(models.Model):
    """
    A battery with its controller, at one site of one organization.

    Power is at the meter; `charge_efficiency` is the share of it that reaches the cells,
    `discharge_efficiency` the share of what leaves them that reaches the meter. State of charge
    stays within [min_soc, max_soc]. `code` is what stands on the cabinet and is unique within the
    organization; `id` is what machines use. A retired device gets no schedules.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, related_name="devices"
    )
    site = models.ForeignKey("accounts.Site", models.PROTECT, related_name="devices")
    code = models.CharField(max_length=64)
    transport = models.CharField(max_length=8, choices=Transport, default=Transport.HTTP)
    capacity_kwh = models.DecimalField(max_digits=10, decimal_places=3)
    max_charge_kw = models.DecimalField(max_digits=9, decimal_places=3)
    max_discharge_kw = models.DecimalField(max_digits=9, decimal_places=3)
    charge_efficiency = models.DecimalField(
        max_digits=5, decimal_places=4, default=Decimal("0.9500")
    )
    discharge_efficiency = models.DecimalField(
        max_digits=5, decimal_places=4, default=Decimal("0.9500")
    )
    min_soc = models.DecimalField(max_digits=5, decimal_places=4, default=Decimal("0.0500"))
    max_soc = models.DecimalField(max_digits=5, decimal_places=4, default=Decimal("0.9500"))
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        permissions = [
            ("register_device", "Can register devices and hand out their credentials"),
            ("publish_schedule", "Can publish schedules to devices"),
        ]
        constraints = [
            models.UniqueConstraint("organization", "code", name="device_code_in_organization"),
            models.CheckConstraint(condition=Q(capacity_kwh__gt=0), name="device_capacity"),
            models.CheckConstraint(
                condition=Q(max_charge_kw__gte=0, max_charge_kw__lte=1000)
                & Q(max_discharge_kw__gte=0, max_discharge_kw__lte=1000),
                name="device_power_0_to_1000",
            ),
            models.CheckConstraint(
                condition=Q(charge_efficiency__gt=0, charge_efficiency__lte=1)
                & Q(discharge_efficiency__gt=0, discharge_efficiency__lte=1),
                name="device_efficiency_0_to_1",
            ),
            models.CheckConstraint(
                condition=Q(min_soc__gte=0, max_soc__lte=1, min_soc__lt=F("max_soc")),
                name="device_soc_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} ({self.pk})"


class DeviceStatus(models.Model):
    """
    The newest word from a device; overwritten, history is in telemetry.

    `last_seen_at` is business time (`clock.now()` at receipt); the rest is as of `sampled_at`.
    """

    device = models.OneToOneField(
        Device, models.CASCADE, primary_key=True, related_name="status_row"
    )
    last_seen_at = models.DateTimeField()
    sampled_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=12, blank=True)
    fault = models.CharField(max_length=300, blank=True)
    soc = models.FloatField(null=True)
    power_kw = models.FloatField(null=True)

    class Meta:
        indexes = [models.Index(fields=["last_seen_at"], name="device_status_seen")]

    def __str__(self) -> str:
        return f"{self.state or 'unheard'} device {self.device_id}"
