"""Schedules in force and past, whether they arrived, and what became of their orders."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models.functions import Now


class ScheduleColumns(models.Model):
    """
    One version of a schedule: a header, and its entries as arrays of equal length.

    `start_seconds` and `end_seconds` count from `origin`; entry i runs at `rates_kw[i]` in
    `modes[i]` (1 discharge, 2 charge). `target_socs` may be null, as may its elements. The id of
    an order follows from schedule, version and start (`devices.wire.command_id`).
    """

    schedule_id = models.UUIDField()
    version = models.PositiveIntegerField()
    device = models.ForeignKey("devices.Device", models.CASCADE, related_name="+")
    period = DateTimeRangeField()
    origin = models.DateTimeField()
    start_seconds = ArrayField(models.IntegerField())
    end_seconds = ArrayField(models.IntegerField())
    modes = ArrayField(models.SmallIntegerField())
    rates_kw = ArrayField(models.FloatField())
    target_socs = ArrayField(models.FloatField(null=True), null=True)
    source = models.CharField(max_length=64, blank=True)
    published_at = models.DateTimeField()

    class Meta:
        abstract = True


class Schedule(ScheduleColumns):
    """
    A schedule in force. Two of one device never overlap (exclusion constraint).

    Not partitioned: PostgreSQL before 17 has no exclusion constraints across partitions. Rows that
    are replaced or long over move to `PastSchedule`.
    """

    revision = models.BigAutoField(primary_key=True)

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="schedule_no_overlap",
                expressions=[
                    ("device", RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
            )
        ]
        indexes = [models.Index(fields=["schedule_id"], name="schedule_by_id")]

    def __str__(self) -> str:
        return f"schedule {self.schedule_id} v{self.version} rev {self.revision}"


class PastSchedule(ScheduleColumns):
    """
    A schedule as it was in force, whole, before it was replaced or ended. Facts, never changed.

    Partitioned by month of `published_at`; created by SQL in the migration.
    """

    append_only = True

    pk = models.CompositePrimaryKey("revision", "published_at")
    revision = models.BigIntegerField()
    ended_at = models.DateTimeField()
    device = models.ForeignKey(
        "devices.Device", models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )

    class Meta:
        indexes = [
            models.Index(fields=["device", "-published_at"], name="past_schedule_device"),
            models.Index(fields=["schedule_id"], name="past_schedule_by_id"),
        ]

    def __str__(self) -> str:
        return f"past schedule {self.schedule_id} v{self.version} rev {self.revision}"


class ScheduleDelivery(models.Model):
    """
    The outbox: the newest document of a device, until the device itself says that it has it.

    `transmitted_at` is real time (retries are not accelerated), `received_at` business time.
    """

    device = models.OneToOneField(
        "devices.Device", models.CASCADE, primary_key=True, related_name="+"
    )
    revision = models.BigIntegerField()
    schedule_id = models.UUIDField()
    version = models.PositiveIntegerField()
    published_at = models.DateTimeField()
    transmitted_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    received_at = models.DateTimeField(null=True)
    reception = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["transmitted_at"],
                condition=models.Q(received_at__isnull=True),
                name="schedule_delivery_open",
            )
        ]

    def __str__(self) -> str:
        return f"delivery of {self.schedule_id} v{self.version} to {self.device_id}"


class Acknowledgement(models.Model):
    """
    One word of a device about one of its orders; never changed, the same one counts once.

    Partitioned by month of `command_start`, the start of the order, which the command determines:
    so the key is unique across partitions too.
    """

    append_only = True

    pk = models.CompositePrimaryKey("device", "command_id", "sequence", "command_start")
    device = models.ForeignKey(
        "devices.Device", models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    command_id = models.UUIDField()
    sequence = models.PositiveIntegerField()
    command_start = models.DateTimeField()
    status = models.CharField(max_length=10)
    reason = models.CharField(max_length=300, blank=True)
    energy_kwh = models.DecimalField(max_digits=14, decimal_places=6, null=True)
    reported_at = models.DateTimeField()
    received_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["command_start", "status"], name="acknowledgement_start"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.command_id}/{self.sequence}"
