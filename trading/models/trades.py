"""Trades: a header that finds them, and versions that are never changed."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from energyopti.accounts.models import OwnedQuerySet
from energyopti.foundation.money import Side
from trading.deals import LoadType

SIDES = [(Side.BUY.value, "Buy"), (Side.SELL.value, "Sell")]
LOAD_TYPES = [(LoadType.BASE.value, "Base"), (LoadType.PEAK.value, "Peak")]


class TradeStatus(models.TextChoices):
    """Where a trade is in its life; the later states come with the verbs that lead there."""

    LIVE = "LIVE", "Live"


class CaptureBasis(models.TextChoices):
    """Whether a capture asks (an order can be stopped) or tells (an executed fill is a fact)."""

    ORDER = "ORDER", "Order"
    FILL = "FILL", "Executed fill"


class Trade(models.Model):
    """
    The identity of a deal: its reference, book and counterparty, and which version holds.

    ref                 "T-00000042", given by the database's sequence of ids, for people.
    client_reference    the caller's own key; the same key again is the same trade.
    request_hash        of the terms that came under that key; other terms are refused.
    """

    id = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    ref = models.CharField(max_length=16, unique=True)
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="trades")
    book = models.ForeignKey("trading.Book", models.PROTECT, related_name="trades")
    counterparty = models.ForeignKey("trading.Counterparty", models.PROTECT, related_name="trades")
    status = models.CharField(max_length=12, choices=TradeStatus, default=TradeStatus.LIVE)
    basis = models.CharField(max_length=6, choices=CaptureBasis)
    client_reference = models.CharField(max_length=80, blank=True)
    request_hash = models.CharField(max_length=64)
    tags = ArrayField(models.CharField(max_length=40), default=list)
    latest_version = models.PositiveIntegerField(default=1)
    recorded_at = models.DateTimeField(db_default=Now())

    objects = OwnedQuerySet.as_manager()

    class Meta:
        permissions = [
            ("capture_trade", "Can capture orders"),
            ("book_fill", "Can book executed fills"),
        ]
        constraints = [
            models.UniqueConstraint(
                "organization",
                "client_reference",
                condition=~models.Q(client_reference=""),
                name="trade_client_reference_once",
            ),
        ]
        indexes = [
            models.Index(fields=["book", "-id"], name="trade_of_book"),
            models.Index(fields=["organization", "-id"], name="trade_of_organization"),
        ]

    def __str__(self) -> str:
        return self.ref


class TradeVersion(models.Model):
    """
    The terms of a trade as they stood from `recorded_at` on.

    delivery_start/end  UTC, half-open; `first_date` and `after_date` are the same run of days in
                        `calendar_zone`, whose rules were those of `tzdata_version`.
    hours, energy_mwh, notional   computed exactly from the terms when they were captured.
    price               currency/MWh, any sign.
    checks              what each check said, with the numbers before and after.
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    trade = models.ForeignKey(Trade, models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    recorded_at = models.DateTimeField(db_default=Now())
    traded_at = models.DateTimeField()
    side = models.CharField(max_length=4, choices=SIDES)
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    load_type = models.CharField(max_length=8, choices=LOAD_TYPES)
    quantity_mw = models.DecimalField(max_digits=12, decimal_places=3)
    price = models.DecimalField(max_digits=16, decimal_places=6)
    currency = models.CharField(max_length=3)
    period_name = models.CharField(max_length=24)
    first_date = models.DateField()
    after_date = models.DateField()
    delivery_start = models.DateTimeField()
    delivery_end = models.DateTimeField()
    calendar_zone = models.CharField(max_length=64)
    tzdata_version = models.CharField(max_length=16)
    hours = models.DecimalField(max_digits=12, decimal_places=4)
    energy_mwh = models.DecimalField(max_digits=20, decimal_places=6)
    notional = models.DecimalField(max_digits=24, decimal_places=4)
    checks = models.JSONField(default=list)
    reason = models.CharField(max_length=400, blank=True)
    text = models.CharField(max_length=300, blank=True)
    captured_by = models.CharField(max_length=120)
    captured_by_name = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("trade", "version", name="trade_version_once"),
            models.CheckConstraint(
                condition=models.Q(quantity_mw__gt=0), name="trade_quantity_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(delivery_end__gt=models.F("delivery_start")),
                name="trade_delivery_interval",
            ),
            models.CheckConstraint(
                condition=models.Q(currency__regex="^[A-Z]{3}$"), name="trade_currency_code"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trade_id} v{self.version}"
