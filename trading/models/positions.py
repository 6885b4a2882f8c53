"""Positions: deltas that are only added, and their running totals kept in the same transaction."""

from django.db import models
from django.db.models.functions import Now

from trading.models.trades import LOAD_TYPES


class PositionDelta(models.Model):
    """
    What one trade version adds to a book in one delivery month (or the part of it it covers).

    month           first day of the month in the calendar, never the UTC month.
    start, end      UTC bounds of that delivery; the shape's hours lie within, applied at read.
    mw              bought +, sold −, constant in the hours of `load_type`.
    mw_price        mw × contract price, so that value = hours × (curve × Σ mw − Σ mw_price).
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    trade_version = models.ForeignKey("trading.TradeVersion", models.PROTECT, related_name="deltas")
    book = models.ForeignKey("trading.Book", models.PROTECT, related_name="+")
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    load_type = models.CharField(max_length=8, choices=LOAD_TYPES)
    month = models.DateField()
    start = models.DateTimeField()
    end = models.DateTimeField()
    calendar_zone = models.CharField(max_length=64)
    tzdata_version = models.CharField(max_length=16)
    mw = models.DecimalField(max_digits=14, decimal_places=3)
    mw_price = models.DecimalField(max_digits=28, decimal_places=9)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start")), name="position_delta_interval"
            ),
        ]
        indexes = [
            models.Index(fields=["book", "market", "month"], name="position_delta_of_book"),
        ]

    def __str__(self) -> str:
        return f"{self.mw} MW {self.load_type} {self.month:%Y-%m} of {self.trade_version_id}"


class PositionTotal(models.Model):
    """The sum of the deltas of one book with equal market, currency, shape and interval."""

    id = models.BigAutoField(primary_key=True)
    book = models.ForeignKey("trading.Book", models.PROTECT, related_name="+")
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    load_type = models.CharField(max_length=8, choices=LOAD_TYPES)
    month = models.DateField()
    start = models.DateTimeField()
    end = models.DateTimeField()
    calendar_zone = models.CharField(max_length=64)
    mw = models.DecimalField(max_digits=16, decimal_places=3)
    mw_price = models.DecimalField(max_digits=30, decimal_places=9)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "book", "market", "currency", "load_type", "start", "end",
                name="position_total_once",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.mw} MW {self.load_type} {self.month:%Y-%m} in {self.book_id}"
