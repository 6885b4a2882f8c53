"""What share of its expected volume a book shall hedge, by market and delivery month."""

from django.db import models


class HedgeTarget(models.Model):
    """
    One version of a month's target; a change or withdrawal is the next, nothing is overwritten.

    It is of the book with those below it. `own_volume_mwh` is what is expected without a deal,
    output +, supply obligation −; what deals on an asset's output bring is added to it.

    month           first day of the delivery month in the market's calendar
    is_withdrawn    from this version on there is none; the figures are those it had.
    recorded_at     the server's clock under the book's lock
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    book = models.ForeignKey("trading.Book", models.PROTECT, related_name="hedge_targets")
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    month = models.DateField()
    version = models.PositiveIntegerField()
    own_volume_mwh = models.DecimalField(max_digits=15, decimal_places=3)
    ratio_percent = models.DecimalField(max_digits=5, decimal_places=2)
    tolerance_points = models.DecimalField(max_digits=5, decimal_places=2)
    is_withdrawn = models.BooleanField(default=False)
    reason = models.CharField(max_length=400)
    recorded_by = models.CharField(max_length=120)
    recorded_at = models.DateTimeField()

    class Meta:
        permissions = [("set_hedge_targets", "Can set and withdraw hedge targets")]
        constraints = [
            models.UniqueConstraint(
                "book", "market", "month", "version", name="hedge_target_version_once"
            ),
            models.CheckConstraint(
                condition=models.Q(ratio_percent__range=(0, 150)), name="hedge_target_ratio"
            ),
            models.CheckConstraint(
                condition=models.Q(tolerance_points__range=(0, 150)), name="hedge_target_tolerance"
            ),
            models.CheckConstraint(condition=models.Q(month__day=1), name="hedge_target_month"),
        ]

    def __str__(self) -> str:
        return f"{self.ratio_percent} % in {self.month:%Y-%m}, version {self.version}"
