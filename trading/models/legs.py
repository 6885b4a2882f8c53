"""What a version of a trade consists of: legs, fees, and the profiles that legs share."""

from enum import StrEnum

from django.db import models
from django.db.models.functions import Now

from trading.deals import DeltaBasis, Frequency, Settlement

DIRECTIONS = [("PAY", "We pay"), ("RECEIVE", "We receive")]
FREQUENCIES = [(value.value, value.value.title()) for value in Frequency]
DELTA_BASES = [
    (DeltaBasis.HOUR.value, "An hour of the shape"),
    (DeltaBasis.DAY.value, "A delivery day of the shape"),
    (DeltaBasis.AMOUNT.value, "The whole interval"),
]
SETTLEMENTS = [(value.value, value.value.title()) for value in Settlement]


class LegKind(StrEnum):
    """What a leg is, as FpML has it; fees stand in a table of their own."""

    DELIVERY = "DELIVERY"
    FIXED = "FIXED"
    FLOATING = "FLOATING"
    OPTION = "OPTION"
    STRUCTURE = "STRUCTURE"

    @property
    def label(self) -> str:
        """Return the words for it."""
        return dict(LEG_KIND_CHOICES)[self.value]


LEG_KIND_CHOICES = [
    ("DELIVERY", "Delivery"),
    ("FIXED", "Fixed price"),
    ("FLOATING", "Index"),
    ("OPTION", "Option"),
    ("STRUCTURE", "Contract with choices"),
]


class Profile(models.Model):
    """
    A power for each interval of a delivery; its months hold the numbers. Never changed.

    minutes         15, 30 or 60
    start, end      UTC; intervals are counted from `start`
    content_hash    SHA-256 of granularity, start and numbers
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    minutes = models.PositiveSmallIntegerField()
    start = models.DateTimeField()
    end = models.DateTimeField()
    intervals = models.PositiveIntegerField()
    content_hash = models.CharField(max_length=64)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(minutes__in=[15, 30, 60]), name="profile_minutes_known"
            ),
            models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start")), name="profile_interval"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.intervals} × {self.minutes} min from {self.start:%Y-%m-%d}"


class ProfileMonth(models.Model):
    """
    One delivery month of a profile.

    micro_mw    int64, little-endian, ≥ 0: 10⁻⁶ MW by interval, time ascending from `start`
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    profile = models.ForeignKey(Profile, models.PROTECT, related_name="months")
    month = models.DateField()
    start = models.DateTimeField()
    end = models.DateTimeField()
    micro_mw = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint("profile", "start", name="profile_month_once"),
        ]

    def __str__(self) -> str:
        return f"{self.profile_id} {self.month:%Y-%m}"


class Leg(models.Model):
    """
    One leg of one version, paid or received, seen from us.

    market          where it is delivered, or whose hours it follows.
    index_code      of what it floats on; `index` where the desk knows it as a published price.
    shape, shape_version   the hours, in the version it was captured under.
    quantity        > 0, in `unit` per `frequency`; of a profile its mean in MW.
    price           fixed price; of a floating leg its spread; None for neither.
    terms           of an option, a structure, an asset's share, a certificate: typed in
                    `trading.deals`, which reads them back through the same checks.
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    version = models.ForeignKey("trading.TradeVersion", models.PROTECT, related_name="legs")
    number = models.PositiveSmallIntegerField()
    direction = models.CharField(max_length=7, choices=DIRECTIONS)
    kind = models.CharField(max_length=9, choices=LEG_KIND_CHOICES)
    settlement = models.CharField(max_length=8, choices=SETTLEMENTS)
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    index = models.ForeignKey(
        "trading.PriceIndex", models.PROTECT, null=True, blank=True, related_name="+"
    )
    index_code = models.CharField(max_length=40, blank=True)
    shape = models.CharField(max_length=16)
    shape_version = models.PositiveIntegerField(default=1)
    first_date = models.DateField()
    after_date = models.DateField()
    start = models.DateTimeField()
    end = models.DateTimeField()
    quantity = models.DecimalField(max_digits=18, decimal_places=6)
    unit = models.CharField(max_length=12)
    frequency = models.CharField(max_length=8, choices=FREQUENCIES)
    lots = models.DecimalField(max_digits=12, decimal_places=0, null=True)
    quantity_mw = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    price = models.DecimalField(max_digits=16, decimal_places=6, null=True)
    multiplier = models.DecimalField(max_digits=12, decimal_places=6, default=1)
    price_unit = models.CharField(max_length=12)
    currency = models.CharField(max_length=3)
    terms = models.JSONField(default=dict)
    profile = models.ForeignKey(Profile, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint("version", "number", name="leg_number_once"),
            models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start")), name="leg_interval"
            ),
            models.CheckConstraint(
                condition=models.Q(currency__regex="^[A-Z]{3}$"), name="leg_currency_code"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["FLOATING", "OPTION", "STRUCTURE"], index_code__gt="")
                | (models.Q(kind__in=["DELIVERY", "FIXED"], index_code="")),
                name="leg_floats_on_an_index",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} leg {self.number} {self.kind}"


class FeePurpose(StrEnum):
    """Who or what a fee is for."""

    BROKER = "BROKER"
    EXCHANGE = "EXCHANGE"
    CLEARING = "CLEARING"
    TERMINATION = "TERMINATION"

    @property
    def label(self) -> str:
        """Return the words for it."""
        return dict(FEE_PURPOSE_CHOICES)[self.value]


FEE_PURPOSE_CHOICES = [
    ("BROKER", "Broker"),
    ("EXCHANGE", "Exchange"),
    ("CLEARING", "Clearing"),
    ("TERMINATION", "Termination"),
]


class Fee(models.Model):
    """
    A fee of one version; PAY: we bear it, RECEIVE: it comes to us.

    amount          ≥ 0, in `currency` per what the basis says
    payee           who gets it, as a code; empty if it is not said
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    version = models.ForeignKey("trading.TradeVersion", models.PROTECT, related_name="fees")
    number = models.PositiveSmallIntegerField()
    direction = models.CharField(max_length=7, choices=DIRECTIONS)
    purpose = models.CharField(max_length=12, choices=FEE_PURPOSE_CHOICES)
    amount = models.DecimalField(max_digits=18, decimal_places=6)
    currency = models.CharField(max_length=3)
    basis = models.CharField(max_length=8, default="FLAT")
    payee = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint("version", "number", name="fee_number_once"),
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="fee_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.version_id} {self.purpose} {self.amount} {self.currency}"
