"""Forward quotes: what a delivery contract was worth on a trading day, with every correction."""

from django.db import models
from django.db.models.functions import Now

from trading.enums import QuoteQuality


class LoadType(models.TextChoices):
    """The shapes that most markets quote; others stand under the codes of the market's shapes."""

    BASE = "BASE", "Base"
    PEAK = "PEAK", "Peak"
    OFFPEAK = "OFFPEAK", "Off-peak"


# Stands as the quality of a row by which a source takes its quote back; nobody books it.
WITHDRAWN = "WITHDRAWN"


class Quote(models.Model):
    """
    The price of a forward contract, valid from an instant, known from `recorded_at` on.

    contract      as traded: "Cal27", "Q1-27", "Jan27"; the delivery interval stands beside it.
    load_type     code of the shape of the market's calendar that the contract delivers.
    valid_from    the instant the price speaks of (the trading day's close).
    bid, ask      the band around `value`, each None where only the price is known.
    actor_id      who booked it.

    Never changed: a correction is a new row of the same source with a later `recorded_at`, a
    withdrawal one whose quality is `WITHDRAWN`, with the price that it takes back.
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    # Its unique constraint begins with the market. An index of that alone is a trap: the planner
    # takes it for each quote while its statistics do not know a market that was just filled.
    market = models.ForeignKey(
        "trading.Market", models.PROTECT, related_name="quotes", db_index=False
    )
    contract = models.CharField(max_length=16)
    load_type = models.CharField(max_length=16, default=LoadType.BASE)
    delivery_start = models.DateTimeField()
    delivery_end = models.DateTimeField()
    value = models.DecimalField(max_digits=18, decimal_places=6)
    bid = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    ask = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    valid_from = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=120)
    quality = models.CharField(max_length=12, choices=QuoteQuality)
    actor_id = models.CharField(max_length=120, default="")

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
            models.CheckConstraint(
                condition=(models.Q(bid=None) | models.Q(bid__lte=models.F("value")))
                & (models.Q(ask=None) | models.Q(ask__gte=models.F("value"))),
                name="quote_within_its_band",
                violation_error_message="A price lies between its bid and its ask.",
            ),
        ]
        indexes = [
            models.Index(
                fields=["market", "contract", "valid_from"], name="quote_contract_history"
            ),
            # Each reading asks of each quote whether it was withdrawn.
            models.Index(
                fields=["market", "valid_from"],
                condition=models.Q(quality="WITHDRAWN"),
                name="quote_withdrawn",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract} {self.value} at {self.valid_from:%Y-%m-%d}"
