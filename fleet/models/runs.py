"""What the fleet was told for a day, and what its meters said afterwards."""

from decimal import Decimal

from django.db import models
from django.db.models.functions import Now


class DispatchRun(models.Model):
    """
    One planning of a market's devices for a delivery day; a re-plan is the next `number`.

    expected_value    sum of the plans at forecast prices, in `currency`; an estimate, no ledger.
    refused_count     plans that failed the independent replay; their devices idle.
    """

    append_only = True

    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    delivery_date = models.DateField()
    number = models.PositiveIntegerField()
    planned_at = models.DateTimeField()
    forecast = models.ForeignKey("trading.Forecast", models.PROTECT, related_name="+")
    start = models.DateTimeField()
    end = models.DateTimeField()
    device_count = models.PositiveIntegerField()
    refused_count = models.PositiveIntegerField()
    expected_value = models.FloatField()
    currency = models.CharField(max_length=3)
    solver = models.CharField(max_length=80)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [("dispatch_fleet", "Can plan the fleet and send schedules")]
        constraints = [
            models.UniqueConstraint(
                "market", "delivery_date", "number", name="dispatch_run_numbered"
            ),
            models.CheckConstraint(
                condition=models.Q(refused_count__lte=models.F("device_count")),
                name="dispatch_run_refused_of_all",
            ),
        ]

    def __str__(self) -> str:
        return f"dispatch {self.delivery_date} of market {self.market_id} #{self.number}"


class DevicePlan(models.Model):
    """
    A device's part in a run: what it is worth and where it leaves the battery.

    refusal    the rule that the replay found broken; empty for a plan that left.
    """

    append_only = True

    run = models.ForeignKey(DispatchRun, models.CASCADE, related_name="plans")
    device = models.ForeignKey("devices.Device", models.CASCADE, related_name="+")
    schedule_id = models.UUIDField()
    end = models.DateTimeField()
    initial_soc = models.FloatField()
    final_soc = models.FloatField()
    expected_value = models.FloatField()
    refusal = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint("run", "device", name="device_plan_once")]
        indexes = [models.Index(fields=["device", "-end"], name="device_plan_newest")]

    def __str__(self) -> str:
        return f"plan of {self.device_id} in run {self.run_id}"


class EnergySettlement(models.Model):
    """
    Meter readings of a market's devices for a delivery day, booked as actuals.

    Energies are kWh at the meters. `acknowledged_kwh` is what devices said that their orders
    moved, `moved_kwh` what their batteries' meters counted in the same hours; they must agree
    within `tolerance`. `missing_periods` counts device periods without readings at both ends,
    `estimated_periods` those whose edge lay in a gap of telemetry.
    """

    append_only = True

    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    delivery_date = models.DateField()
    settled_at = models.DateTimeField()
    device_count = models.PositiveIntegerField()
    import_kwh = models.DecimalField(max_digits=18, decimal_places=3)
    export_kwh = models.DecimalField(max_digits=18, decimal_places=3)
    consumption_kwh = models.DecimalField(max_digits=18, decimal_places=3)
    moved_kwh = models.DecimalField(max_digits=18, decimal_places=3)
    acknowledged_kwh = models.DecimalField(max_digits=18, decimal_places=6)
    tolerance = models.DecimalField(max_digits=5, decimal_places=4, default=Decimal("0.01"))
    booked_rows = models.PositiveIntegerField()
    missing_periods = models.PositiveIntegerField()
    estimated_periods = models.PositiveIntegerField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [("settle_energy", "Can settle metered energy of the fleet")]
        indexes = [
            models.Index(fields=["market", "delivery_date", "-id"], name="energy_settlement_newest")
        ]

    def __str__(self) -> str:
        return f"energy of {self.delivery_date} in market {self.market_id}, {self.settled_at}"

    @property
    def difference_share(self) -> Decimal:
        """Return |acknowledged − metered| as a share of metered; 0 where both are 0, else 1."""
        if self.moved_kwh:
            return abs(self.acknowledged_kwh - self.moved_kwh) / self.moved_kwh
        return Decimal(1) if self.acknowledged_kwh else Decimal(0)

    @property
    def is_reconciled(self) -> bool:
        return self.difference_share <= self.tolerance
