"""Telemetry as it came: one row a batch, arrays of samples."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class TelemetryRecord(models.Model):
    """
    A batch of evenly spaced samples; (device, started_at) is its natural key, so it counts once.

    Sample i stands at `started_at + i × interval_seconds`. Counters are whole watt-hours. Facts,
    never changed; partitioned by month of `started_at`, created by SQL in the migration.
    """

    append_only = True

    pk = models.CompositePrimaryKey("device", "started_at")
    device = models.ForeignKey(
        "devices.Device", models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    interval_seconds = models.PositiveIntegerField()
    soc = ArrayField(models.FloatField())
    power_kw = ArrayField(models.FloatField())
    import_wh = ArrayField(models.BigIntegerField())
    export_wh = ArrayField(models.BigIntegerField())
    consumption_wh = ArrayField(models.BigIntegerField())
    state = models.CharField(max_length=12)
    fault = models.CharField(max_length=300, blank=True)
    received_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        permissions = [("read_telemetry", "Can read what devices measured")]

    def __str__(self) -> str:
        return f"telemetry of {self.device_id} from {self.started_at:%Y-%m-%d %H:%M}"
