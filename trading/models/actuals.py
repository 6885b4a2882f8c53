"""Metered volumes by delivery interval, versioned from the first reading to the final one."""

from django.db import models
from django.db.models.functions import Now

from ..enums import Flow, MeteringPointKind


class Actual(models.Model):
    """
    Energy that one register of an asset's meter counted in a delivery interval.

    Partitioned by month of `period_start`, as `Price`. A later reading of the same interval is
    the next version; the highest version holds. `asset_id` is opaque here: trading knows no
    devices. What the register measures is `metering_point_kind`, a property of the asset that
    each row repeats, so that no reader has to know the register's owner.
    """

    append_only = True

    pk = models.CompositePrimaryKey("organization", "asset_id", "flow", "period_start", "version")
    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, related_name="+", db_index=False
    )
    site = models.ForeignKey(
        "accounts.Site", models.PROTECT, null=True, related_name="+", db_index=False
    )
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+", db_index=False)
    asset_id = models.CharField(max_length=80)
    flow = models.CharField(max_length=6, choices=Flow)
    metering_point_kind = models.CharField(max_length=16, choices=MeteringPointKind)
    period_start = models.DateTimeField()
    period_minutes = models.PositiveSmallIntegerField()
    version = models.PositiveSmallIntegerField()
    energy_kwh = models.DecimalField(max_digits=18, decimal_places=6)
    source = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [("book_actuals", "Can book metered volumes")]

    def __str__(self) -> str:
        return f"{self.asset_id} {self.flow} {self.period_start:%Y-%m-%d %H:%M} v{self.version}"
