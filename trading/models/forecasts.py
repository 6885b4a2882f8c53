"""Forecasts as issued: never changed, so that a score today speaks of what was said then."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Forecast(models.Model):
    """
    Prices of one delivery day as a model foresaw them at `issued_at`.

    start, period_minutes, values    the forecast's periods: consecutive in UTC from `start`.
    inputs_until                     no input was available later than this.
    inputs_hash                      SHA-256 of the history that the model saw.
    """

    append_only = True

    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="forecasts")
    delivery_date = models.DateField()
    issued_at = models.DateTimeField()
    model_name = models.CharField(max_length=60)
    model_version = models.CharField(max_length=16)
    start = models.DateTimeField()
    period_minutes = models.PositiveSmallIntegerField()
    values = ArrayField(models.FloatField())
    inputs_until = models.DateTimeField()
    inputs_hash = models.CharField(max_length=64)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [("issue_forecast", "Can issue price forecasts")]
        constraints = [
            models.UniqueConstraint(
                "market",
                "delivery_date",
                "model_name",
                "model_version",
                "issued_at",
                name="forecast_issued_once",
            ),
            models.CheckConstraint(
                condition=models.Q(inputs_until__lte=models.F("issued_at")),
                name="forecast_uses_the_past",
            ),
        ]
        indexes = [
            models.Index(fields=["market", "delivery_date", "-issued_at"], name="forecast_latest"),
        ]

    def __str__(self) -> str:
        return f"{self.model_name} for {self.delivery_date} of {self.market_id}"
