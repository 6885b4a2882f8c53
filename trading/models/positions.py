"""Positions: deltas that are only added, and their running totals kept in the same transaction."""

from django.db import models

from trading.enums import STAGE_CHOICES, Stage

from .legs import DELTA_BASES

PROFILE_BASIS = "PROFILE"
POSITION_BASES = [*DELTA_BASES, (PROFILE_BASIS, "The whole interval, by the interval")]


class PositionPart(models.Model):
    """
    What deltas and totals share: a position in one market, shape and delivery interval.

    Its value is ``count × (price × exposure − fixed)``, bought +, sold −.

    basis           what `physical`, `exposure` and `fixed` are per: an hour of the shape, a
                    delivery day of it, or the whole interval
    unit            the market's price unit; per hour of MWh is MW
    month           first day of the month in the market's calendar, never the UTC month
    start, end      UTC bounds of that delivery; the shape's hours lie within, applied at read
    physical        to be delivered
    exposure        what gains with the market's price
    fixed           what is paid for it, in `currency`
    minutes         of a profile's intervals, 0 for all else. A profile has its numbers by
                    interval in int64 micro-MW, little-endian, from `start` on; empty is all zeros;
                    its `physical`, `exposure` (MWh) and `fixed` are those of the whole interval.
    """

    book = models.ForeignKey("trading.Book", models.PROTECT, related_name="+")
    stage = models.CharField(max_length=8, choices=STAGE_CHOICES, default=Stage.LIVE.value)
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    basis = models.CharField(max_length=8, choices=POSITION_BASES, default="HOUR")
    unit = models.CharField(max_length=12, default="MWh")
    shape = models.CharField(max_length=16)
    shape_version = models.PositiveIntegerField(default=1)
    month = models.DateField()
    start = models.DateTimeField()
    end = models.DateTimeField()
    minutes = models.PositiveSmallIntegerField(default=0)
    calendar_zone = models.CharField(max_length=64)
    physical = models.DecimalField(max_digits=38, decimal_places=15, default=0)
    exposure = models.DecimalField(max_digits=38, decimal_places=15)
    fixed = models.DecimalField(max_digits=40, decimal_places=15)
    physical_profile = models.BinaryField(default=b"")
    exposure_profile = models.BinaryField(default=b"")

    class Meta:
        abstract = True


class PositionDelta(PositionPart):
    """
    What one trade version adds to a book in one delivery month (or the part of it it covers).

    A change adds the difference to what the trade had added before, so the deltas of all its
    versions sum to its terms, exactly.
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    trade_version = models.ForeignKey("trading.TradeVersion", models.PROTECT, related_name="deltas")
    tzdata_version = models.CharField(max_length=16)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start")), name="position_delta_interval"
            ),
        ]
        indexes = [
            models.Index(fields=["book", "market", "month"], name="position_delta_of_book"),
            # Yesterday's positions are today's less what has been recorded since.
            models.Index(fields=["book", "recorded_at"], name="position_delta_of_book_at"),
        ]

    def __str__(self) -> str:
        return f"{self.exposure} {self.shape} {self.month:%Y-%m} of {self.trade_version_id}"


class PositionTotal(PositionPart):
    """The sum of the deltas of one book with equal stage, market, currency, shape and interval."""

    id = models.BigAutoField(primary_key=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "book", "stage", "market", "currency", "basis", "unit", "shape", "shape_version",
                "start", "end", "minutes", name="position_total_once",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.exposure} {self.shape} {self.month:%Y-%m} in {self.book_id}"
