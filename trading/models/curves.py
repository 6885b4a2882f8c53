"""Forward curves as built: a snapshot names the quotes and the method, its points the prices."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class CurveSnapshot(models.Model):
    """
    A forward curve of a market, built from the quotes valid at `as_of` and known at `known_at`.

    quote_ids    the quotes it reprices, in the order of the columns of its sensitivities.
    conflicts    sentences about quotes that contradict finer ones and were left out.
    """

    append_only = True

    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="curves")
    as_of = models.DateTimeField()
    known_at = models.DateTimeField()
    method = models.CharField(max_length=40)
    method_version = models.CharField(max_length=16)
    quote_ids = ArrayField(models.BigIntegerField())
    conflicts = models.JSONField(default=list)
    content_hash = models.CharField(max_length=64)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [("build_curve", "Can build forward curves")]
        constraints = [
            models.UniqueConstraint(
                "market", "as_of", "content_hash", name="curve_snapshot_content_once"
            ),
        ]
        indexes = [models.Index(fields=["market", "-as_of", "-id"], name="curve_latest")]

    def __str__(self) -> str:
        return f"curve of {self.market_id} as of {self.as_of:%Y-%m-%d %H:%M}"


class CurvePoint(models.Model):
    """One delivery interval of a curve with its price per MWh, flat within the interval."""

    append_only = True

    snapshot = models.ForeignKey(CurveSnapshot, models.PROTECT, related_name="points")
    start = models.DateTimeField()
    end = models.DateTimeField()
    price = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint("snapshot", "start", name="curve_point_once"),
            models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start")), name="curve_point_interval"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.start:%Y-%m-%d} {self.price:.2f}"
