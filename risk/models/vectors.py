"""P&L vectors of trades and limit scopes, and the numbers that were read from them."""

from django.db import models
from django.db.models.functions import Now


class TradeVector(models.Model):
    """
    What one trade version gains in each scenario: float64, little-endian, in `currency`.

    base_value      mark-to-market at the snapshot, gains positive
    """

    append_only = True

    trade_version = models.ForeignKey("trading.TradeVersion", models.PROTECT, related_name="+")
    snapshot = models.ForeignKey("risk.MarketSnapshot", models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    base_value = models.FloatField()
    values = models.BinaryField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint("trade_version", "snapshot", name="trade_vector_once"),
        ]

    def __str__(self) -> str:
        return f"vector of {self.trade_version_id} at {self.snapshot_id}"


class ScopeVector(models.Model):
    """
    The sum of a limit scope: a book with all books below it.

    pending_values  likewise of what waits for release: limits count it, value and P&L do not.
                    Empty is all zeros.

    Changed only under the scope's advisory lock. `sequence` counts the changes, so that a page
    can tell an older frame from a newer one.
    """

    book = models.OneToOneField("trading.Book", models.PROTECT, primary_key=True, related_name="+")
    snapshot = models.ForeignKey("risk.MarketSnapshot", models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    base_value = models.FloatField()
    values = models.BinaryField()
    pending_values = models.BinaryField(default=b"")
    sequence = models.PositiveBigIntegerField(default=0)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [("view_risk", "Can see positions' risk")]

    def __str__(self) -> str:
        return f"scope {self.book_id} #{self.sequence}"


class RiskNumber(models.Model):
    """
    VaR, ES and value of a scope after each change: the history that pages draw.

    cause       what changed it: a trade's reference, or "curves"
    valued_at   business time of the snapshot
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    book = models.ForeignKey("trading.Book", models.PROTECT, related_name="+")
    snapshot = models.ForeignKey("risk.MarketSnapshot", models.PROTECT, related_name="+")
    sequence = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    confidence = models.DecimalField(max_digits=6, decimal_places=5)
    horizon_days = models.PositiveSmallIntegerField()
    var = models.FloatField()
    es = models.FloatField()
    value = models.FloatField()
    cause = models.CharField(max_length=40)
    valued_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint("book", "sequence", name="risk_number_once"),
        ]

    def __str__(self) -> str:
        return f"VaR {self.var:.2f} {self.currency} of {self.book_id} #{self.sequence}"
