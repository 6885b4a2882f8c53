"""Trades: a header that finds them, and versions that are never changed."""

import uuid
from enum import StrEnum

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from energyopti.accounts.models import OwnedQuerySet
from energyopti.foundation.money import Side
from trading.enums import TRADE_STATUS_CHOICES, TradeStatus

from .approved_products import ProductKind

SIDES = [(Side.BUY.value, "Buy"), (Side.SELL.value, "Sell")]


class TradeEvent(StrEnum):
    """What made a version."""

    DRAFT = "DRAFT"
    CAPTURE = "CAPTURE"
    SUBMIT = "SUBMIT"
    RELEASE = "RELEASE"
    REJECT = "REJECT"
    AMEND = "AMEND"
    PROPOSE = "PROPOSE"
    APPROVE = "APPROVE"
    DECLINE = "DECLINE"
    CORRECT = "CORRECT"
    NOVATE = "NOVATE"
    TERMINATE = "TERMINATE"
    CANCEL = "CANCEL"
    EXERCISE = "EXERCISE"
    EXPIRE = "EXPIRE"
    METER = "METER"
    MATURE = "MATURE"
    SETTLE = "SETTLE"

    @property
    def label(self) -> str:
        """Return the words for it."""
        return dict(TRADE_EVENT_CHOICES)[self.value]


TRADE_EVENT_CHOICES = [
    ("DRAFT", "Drafted"),
    ("CAPTURE", "Captured"),
    ("SUBMIT", "Submitted"),
    ("RELEASE", "Released"),
    ("REJECT", "Sent back"),
    ("AMEND", "Amended"),
    ("PROPOSE", "Amendment proposed"),
    ("APPROVE", "Amendment approved"),
    ("DECLINE", "Amendment refused"),
    ("CORRECT", "Corrected"),
    ("NOVATE", "Novated"),
    ("TERMINATE", "Terminated"),
    ("CANCEL", "Cancelled"),
    ("EXERCISE", "Exercised"),
    ("EXPIRE", "Expired"),
    ("METER", "Metered"),
    ("MATURE", "Matured"),
    ("SETTLE", "Settled"),
]


class CaptureBasis(StrEnum):
    """Whether a capture asks (an order can be stopped) or tells (an executed fill is a fact)."""

    ORDER = "ORDER"
    FILL = "FILL"

    @property
    def label(self) -> str:
        """Return the words for it."""
        return dict(CAPTURE_BASIS_CHOICES)[self.value]


CAPTURE_BASIS_CHOICES = [
    ("ORDER", "Order"),
    ("FILL", "Executed fill"),
]


class Trade(models.Model):
    """
    The identity of a deal: its reference, book and counterparty, and which version holds.

    Book, counterparty, status and product kind repeat what the latest version says, for lists.

    ref                 "T-00000042", given by the database's sequence of ids, for people.
    trader              id of the actor who captured it first, whoever changes it; what a
                        novation or an exercise makes keeps it.
    client_reference    the caller's own key; the same key again is the same trade.
    request_hash        of the terms that came under that key; other terms are refused.
    source, external_id     where an executed fill came from and its number there, once each.
    package_id          shared by trades that were agreed together.
    mirror              the other book's side of an internal deal; each names the other.
    replaces            the trade that this one took over by novation, or the option whose
                        exercise made it.
    """

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    ref = models.CharField(max_length=16, unique=True)
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="trades")
    book = models.ForeignKey("trading.Book", models.PROTECT, related_name="trades")
    counterparty = models.ForeignKey("trading.Counterparty", models.PROTECT, related_name="trades")
    trader = models.CharField(max_length=120, blank=True)
    status = models.CharField(
        max_length=12, choices=TRADE_STATUS_CHOICES, default=TradeStatus.LIVE.value
    )
    basis = models.CharField(max_length=6, choices=CAPTURE_BASIS_CHOICES)
    product_kind = models.CharField(
        max_length=20, choices=ProductKind, default=ProductKind.PHYSICAL_FORWARD
    )
    client_reference = models.CharField(max_length=80, blank=True)
    request_hash = models.CharField(max_length=64)
    source = models.CharField(max_length=40, blank=True)
    external_id = models.CharField(max_length=80, blank=True)
    package_id = models.CharField(max_length=40, blank=True)
    mirror = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="mirrored_by"
    )
    replaces = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="replaced_by"
    )
    tags = ArrayField(models.CharField(max_length=40), default=list)
    latest_version = models.PositiveIntegerField(default=1)
    recorded_at = models.DateTimeField(db_default=Now())

    objects = OwnedQuerySet.as_manager()

    class Meta:
        permissions = [
            ("capture_trade", "Can capture orders"),
            ("book_fill", "Can book executed fills"),
            ("release_trade", "Can release or send back what another person captured"),
            ("amend_trade", "Can amend, correct, novate and terminate trades"),
            ("cancel_trade", "Can cancel trades"),
            ("exercise_option", "Can record the exercise of options"),
            ("override_check", "Can let a trade pass a check that stops it, with a reason"),
        ]
        constraints = [
            models.UniqueConstraint(
                "organization",
                "client_reference",
                condition=~models.Q(client_reference=""),
                name="trade_client_reference_once",
            ),
            models.UniqueConstraint(
                "organization",
                "source",
                "external_id",
                condition=~models.Q(external_id=""),
                name="trade_external_id_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(mirror=models.F("id")), name="trade_not_its_own_mirror"
            ),
        ]
        indexes = [
            models.Index(fields=["book", "-id"], name="trade_of_book"),
            models.Index(fields=["organization", "-id"], name="trade_of_organization"),
            models.Index(fields=["organization", "trader"], name="trade_of_trader"),
            models.Index(
                fields=["package_id"],
                condition=~models.Q(package_id=""),
                name="trade_of_package",
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class TradeVersion(models.Model):
    """
    What a trade was from `recorded_at` on: an event, the status it led to, and a summary of the
    terms. The terms themselves are legs.

    terms               the version whose legs hold, where this one has none of its own.
    recorded_at         the server's clock while the locks of the book were held, so it grows with
                        each version in a book.
    effective_at        from when the change holds between the parties; of METER the instant up to
                        which deliveries were trued up.
    delivery_start/end  UTC, half-open; `first_date` and `after_date` are the same run of days in
                        `calendar_zone`, whose rules were those of `tzdata_version`.
    quantity            of the first leg, in `quantity_unit` per `frequency`; of a profile its mean.
    quantity_mw         the same as power in the hours of the shape; None if it is none.
    price               fixed price or spread, currency per `price_unit`, any sign; None if neither.
    hours, volume, energy_mwh, notional   computed exactly from the terms; None where there are
                        none (an allowance has no hours).
    checks              what each check said, with the numbers before and after.
    captured_by         who made this version.
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    trade = models.ForeignKey(Trade, models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    event = models.CharField(
        max_length=12, choices=TRADE_EVENT_CHOICES, default=TradeEvent.CAPTURE.value
    )
    status = models.CharField(
        max_length=12, choices=TRADE_STATUS_CHOICES, default=TradeStatus.LIVE.value
    )
    terms = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    recorded_at = models.DateTimeField(db_default=Now())
    effective_at = models.DateTimeField()
    traded_at = models.DateTimeField()
    book = models.ForeignKey("trading.Book", models.PROTECT, related_name="+")
    counterparty = models.ForeignKey("trading.Counterparty", models.PROTECT, related_name="+")
    product_kind = models.CharField(
        max_length=20, choices=ProductKind, default=ProductKind.PHYSICAL_FORWARD
    )
    side = models.CharField(max_length=4, choices=SIDES)
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    shape = models.CharField(max_length=16)
    quantity = models.DecimalField(max_digits=18, decimal_places=6)
    quantity_unit = models.CharField(max_length=12, default="MW")
    frequency = models.CharField(max_length=8, default="HOUR")
    quantity_mw = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    price = models.DecimalField(max_digits=16, decimal_places=6, null=True)
    price_unit = models.CharField(max_length=12, default="MWh")
    currency = models.CharField(max_length=3)
    period_name = models.CharField(max_length=24)
    first_date = models.DateField()
    after_date = models.DateField()
    delivery_start = models.DateTimeField()
    delivery_end = models.DateTimeField()
    calendar_zone = models.CharField(max_length=64)
    tzdata_version = models.CharField(max_length=16)
    hours = models.DecimalField(max_digits=14, decimal_places=4, null=True)
    volume = models.DecimalField(max_digits=24, decimal_places=6, default=0)
    volume_unit = models.CharField(max_length=12, default="MWh")
    energy_mwh = models.DecimalField(max_digits=24, decimal_places=6, null=True)
    notional = models.DecimalField(max_digits=24, decimal_places=4, null=True)
    mic = models.CharField(max_length=4, blank=True)
    clearing_account = models.CharField(max_length=40, blank=True)
    broker = models.CharField(max_length=40, blank=True)
    checks = models.JSONField(default=list)
    reason = models.CharField(max_length=400, blank=True)
    text = models.CharField(max_length=300, blank=True)
    captured_by = models.CharField(max_length=120)
    captured_by_name = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("trade", "version", name="trade_version_once"),
            models.CheckConstraint(
                condition=models.Q(quantity__gt=0), name="trade_quantity_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(delivery_end__gt=models.F("delivery_start")),
                name="trade_delivery_interval",
            ),
            models.CheckConstraint(
                condition=models.Q(currency__regex="^[A-Z]{3}$"), name="trade_currency_code"
            ),
        ]
        indexes = [
            models.Index(fields=["book", "recorded_at"], name="trade_version_of_book_at"),
            models.Index(
                fields=["trade", "version"],
                condition=models.Q(event="PROPOSE"),
                name="trade_version_proposing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trade_id} v{self.version}"

    @property
    def terms_version_id(self) -> int:
        """Return the version that has the legs which hold."""
        return int(self.terms_id or self.pk)
