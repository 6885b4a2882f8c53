"""Which products a book may deal in."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from energyopti.accounts.models import OwnedQuerySet


class ApprovedProductQuerySet(OwnedQuerySet):
    organization_path = "book__organization_id"


class ProductKind(models.TextChoices):
    """What sort of deal it is."""

    PHYSICAL_FORWARD = "PHYSICAL_FORWARD", "Physical forward"
    INDEX_FORWARD = "INDEX_FORWARD", "Physical forward on an index"
    PROFILE_FORWARD = "PROFILE_FORWARD", "Physical forward of a profile"
    AS_GENERATED = "AS_GENERATED", "Share of an asset as generated"
    PPA = "PPA", "Power purchase agreement"
    FUTURE = "FUTURE", "Future"
    FINANCIAL_FORWARD = "FINANCIAL_FORWARD", "Financial forward"
    SWAP = "SWAP", "Fixed for floating swap"
    BASIS_SWAP = "BASIS_SWAP", "Basis swap"
    CERTIFICATE = "CERTIFICATE", "Certificates or allowances"
    OPTION = "OPTION", "Option"
    SWING = "SWING", "Swing"
    STORAGE = "STORAGE", "Storage"
    TOLLING = "TOLLING", "Tolling of a plant"
    BATTERY_TOLLING = "BATTERY_TOLLING", "Tolling of a battery"
    TRANSMISSION_RIGHT = "TRANSMISSION_RIGHT", "Transmission right"


class ApprovedProduct(models.Model):
    """
    One line of the list of what a book may deal in; an empty field narrows nothing.

    A book without lines follows the nearest book above that has some; if none has, nothing is
    restricted.

    market                  None is every market of the commodity.
    product_kind            empty is every kind.
    load_shapes             codes; none is every shape.
    maximum_tenor_months    delivery ends at most so many months after the trade; None is any.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    book = models.ForeignKey("trading.Book", models.PROTECT, related_name="approved_products")
    commodity = models.ForeignKey("trading.Commodity", models.PROTECT, related_name="+")
    market = models.ForeignKey(
        "trading.Market", models.PROTECT, null=True, blank=True, related_name="+"
    )
    product_kind = models.CharField(max_length=20, choices=ProductKind, blank=True)
    load_shapes = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    maximum_tenor_months = models.PositiveSmallIntegerField(null=True, blank=True)

    objects = ApprovedProductQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["book", "commodity", "market", "product_kind"],
                nulls_distinct=False,
                name="approved_product_once",
            ),
            models.CheckConstraint(
                condition=models.Q(maximum_tenor_months=None)
                | models.Q(maximum_tenor_months__gt=0),
                name="approved_product_tenor",
                violation_error_message="A tenor is at least one month.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.book_id} {self.commodity_id} {self.product_kind}"
