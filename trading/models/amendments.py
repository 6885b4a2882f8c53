"""New terms of a live trade that wait for a second person."""

from django.db import models

from .approved_products import ProductKind
from .trades import SIDES


class ProposedAmendment(models.Model):
    """
    What a version of the event PROPOSE proposes, beside the legs that stand under it.

    The version itself repeats the terms that hold on; it reserves the difference.

    notional    of the proposed terms, in the trade's currency; null where the price is an index
    """

    append_only = True

    version = models.OneToOneField("trading.TradeVersion", models.PROTECT, related_name="proposed")
    product_kind = models.CharField(max_length=20, choices=ProductKind)
    side = models.CharField(max_length=4, choices=SIDES)
    mic = models.CharField(max_length=4, blank=True)
    clearing_account = models.CharField(max_length=40, blank=True)
    notional = models.DecimalField(max_digits=24, decimal_places=4, null=True)
    text = models.CharField(max_length=300, blank=True)

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"Proposed by version {self.version_id}"
