"""Forward quotes: what a delivery contract was worth on a trading day, with every correction."""

from django.db import models
from django.db.models.functions import Now


class LoadType(models.TextChoices):
    """Which hours of the delivery period a contract delivers."""

    BASE = "BASE", "Base"


class QuoteQuality(models.TextChoices):
    """How a quote came about."""

    SETTLEMENT = "SETTLEMENT", "Settlement price"
    INDICATIVE = "INDICATIVE", "Indicative"
    SIMULATED = "SIMULATED", "Simulated"


class Quote(models.Model):
    """
    The price of a forward contract, valid from an instant, known from `recorded_at` on.

    contract      as traded: "Cal27", "Q1-27", "Jan27"; the delivery interval stands beside it.
    valid_from    the instant the price speaks of (the trading day's close).
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="quotes")
    contract = models.CharField(max_length=16)
    load_type = models.CharField(max_length=8, choices=LoadType, default=LoadType.BASE)
    delivery_start = models.DateTimeField()
    delivery_end = models.DateTimeField()
    value = models.DecimalField(max_digits=18, decimal_places=6)
    valid_from = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=120)
    quality = models.CharField(max_length=12, choices=QuoteQuality)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "market",
                "valid_from",
                "contract",
                "load_type",
                "source",
                "recorded_at",
                name="quote_version_once",
            ),
            models.CheckConstraint(
                condition=models.Q(delivery_end__gt=models.F("delivery_start")),
                name="quote_delivery_interval",
            ),
        ]
        indexes = [
            models.Index(
                fields=["market", "contract", "valid_from"], name="quote_contract_history"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract} {self.value} at {self.valid_from:%Y-%m-%d}"
