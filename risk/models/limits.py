"""Limits on a book's risk, and the times they were exceeded."""

from django.db import models
from django.db.models.functions import Now


class LimitMeasure(models.TextChoices):
    """What a limit holds down; volume, loss and credit come with their milestones."""

    VAR = "VAR", "Value at risk"


class Limit(models.Model):
    """
    The most that a book (with all books below it) may have of a measure, in its currency.

    confidence, horizon_days    of the VaR, exact
    """

    book = models.ForeignKey("trading.Book", models.PROTECT, related_name="+")
    measure = models.CharField(max_length=8, choices=LimitMeasure, default=LimitMeasure.VAR)
    confidence = models.DecimalField(max_digits=6, decimal_places=5)
    horizon_days = models.PositiveSmallIntegerField(default=1)
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    currency = models.CharField(max_length=3)
    is_active = models.BooleanField(default=True)
    set_by = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [("set_limit", "Can set limits")]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="limit_positive"),
            models.CheckConstraint(
                condition=models.Q(confidence__gt=0, confidence__lt=1), name="limit_confidence"
            ),
            models.CheckConstraint(
                condition=models.Q(horizon_days=1), name="limit_horizon_of_the_scenarios"
            ),
            models.UniqueConstraint(
                "book",
                "measure",
                "confidence",
                condition=models.Q(is_active=True),
                name="limit_active_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.measure} of {self.book_id} ≤ {self.amount} {self.currency}"


class LimitBreach(models.Model):
    """That a scope stood over a limit after a fill or after new curves, with the numbers."""

    append_only = True

    limit = models.ForeignKey(Limit, models.PROTECT, related_name="breaches")
    trade_version = models.ForeignKey(
        "trading.TradeVersion", models.PROTECT, null=True, related_name="+"
    )
    before = models.FloatField()
    after = models.FloatField()
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    cause = models.CharField(max_length=40)
    detected_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [("acknowledge_breach", "Can acknowledge limit breaches")]

    def __str__(self) -> str:
        return f"{self.after:.2f} over {self.amount} by {self.cause}"
