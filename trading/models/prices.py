"""Prices by delivery interval, bitemporal: a correction is a new row, nothing is overwritten."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

SPOT = "spot"


class ImportRun(models.Model):
    """
    One accepted delivery of prices: a file, or a simulated history. Refused ones leave no row.

    sha256      of the file's bytes (of the parameters, where prices are simulated).
    findings    sentences about what was accepted with a remark, each with its line number.
    """

    append_only = True

    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="import_runs")
    source = models.CharField(max_length=255)
    sha256 = models.CharField("SHA-256", max_length=64)
    clock = models.CharField(max_length=8)
    start = models.DateTimeField()
    end = models.DateTimeField()
    period_minutes = models.PositiveSmallIntegerField()
    series = ArrayField(models.CharField(max_length=64))
    values_read = models.PositiveIntegerField()
    values_new = models.PositiveIntegerField()
    values_corrected = models.PositiveIntegerField()
    values_unchanged = models.PositiveIntegerField()
    findings = models.JSONField(default=list)
    actor_id = models.CharField(max_length=120)
    received_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["market", "-id"], name="import_run_market")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start")), name="import_run_interval"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} into {self.market_id} at {self.recorded_at:%Y-%m-%d %H:%M:%S}"


class Price(models.Model):
    """
    What one series of a market was in one delivery interval, as known from `recorded_at` on.

    The table is partitioned by month of `period_start`; its database side is written in the
    migration. Rows are only added: of an interval, the row with the latest `recorded_at` holds,
    and "what did we know at 17:00" takes the latest not after 17:00.

    series          "spot", or the name of a column that came beside the price.
    value           currency/MWh for spot, otherwise as delivered; negative is normal.
    available_at    business time from which the market's participants could know it; what a
                    forecast may use. `recorded_at` is when our database learnt it.
    """

    append_only = True

    pk = models.CompositePrimaryKey("market", "series", "period_start", "recorded_at")
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+", db_index=False)
    series = models.CharField(max_length=64)
    period_start = models.DateTimeField()
    period_minutes = models.PositiveSmallIntegerField()
    value = models.DecimalField(max_digits=30, decimal_places=12)
    available_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    import_run = models.ForeignKey(
        ImportRun, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )

    def __str__(self) -> str:
        return f"{self.market_id} {self.series} {self.period_start:%Y-%m-%d %H:%M} {self.value}"
