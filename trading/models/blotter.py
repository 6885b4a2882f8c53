"""What lists show of a trade: one narrow row each, kept by the database beside its versions."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F

from .approved_products import ProductKind
from .trades import CAPTURE_BASIS_CHOICES, SIDES, TRADE_STATUS_CHOICES, Trade, TradeVersion

# What a list sorts by; the primary key comes last in each sort.
SORTED = (
    "traded_at", "book_code", "counterparty_code", "side", "quantity", "market_code",
    "product_kind", "shape", "delivery_start", "first_date", "after_date", "price_unit",
    "currency", "volume", "basis", "mic", "clearing_account", "broker", "captured_by_name",
    "number", "recorded_at", "status", "quantity_mw", "price", "energy_mwh", "notional",
)  # fmt: skip
# Missing values stand last in both directions, so one index does not serve both.
SORTED_WITH_GAPS = ("quantity_mw", "price", "energy_mwh", "notional")


class BlotterRow(models.Model):
    """
    The latest version of a trade, with what its header adds, for lists that sort by anything.

    A copy and never a source: triggers write it, in the transaction of whoever adds a version,
    changes tags or renames what it names, so it cannot be forgotten by a way in. Nothing else
    writes it. Fields mean what they mean in `TradeVersion`. The database's function
    `trading_blotter_and_replaced` adds the versions that held at a past moment and do no more.

    number          which version it shows, for `expected_version`
    captured_at     when the first version was recorded, `recorded_at` when this one was
    """

    trade = models.OneToOneField(Trade, models.CASCADE, primary_key=True, related_name="+")
    held = models.ForeignKey(TradeVersion, models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    ref = models.CharField(max_length=16)
    book = models.ForeignKey("trading.Book", models.PROTECT, related_name="+", db_index=False)
    counterparty = models.ForeignKey("trading.Counterparty", models.PROTECT, related_name="+")
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    status = models.CharField(max_length=12, choices=TRADE_STATUS_CHOICES)
    basis = models.CharField(max_length=6, choices=CAPTURE_BASIS_CHOICES)
    product_kind = models.CharField(max_length=20, choices=ProductKind)
    side = models.CharField(max_length=4, choices=SIDES)
    shape = models.CharField(max_length=16)
    quantity = models.DecimalField(max_digits=18, decimal_places=6)
    quantity_unit = models.CharField(max_length=12)
    quantity_mw = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    price = models.DecimalField(max_digits=16, decimal_places=6, null=True)
    price_unit = models.CharField(max_length=12)
    currency = models.CharField(max_length=3)
    period_name = models.CharField(max_length=24)
    first_date = models.DateField()
    after_date = models.DateField()
    delivery_start = models.DateTimeField()
    delivery_end = models.DateTimeField()
    volume = models.DecimalField(max_digits=24, decimal_places=6)
    volume_unit = models.CharField(max_length=12)
    energy_mwh = models.DecimalField(max_digits=24, decimal_places=6, null=True)
    notional = models.DecimalField(max_digits=24, decimal_places=4, null=True)
    mic = models.CharField(max_length=4, blank=True)
    clearing_account = models.CharField(max_length=40, blank=True)
    broker = models.CharField(max_length=40, blank=True)
    captured_by_name = models.CharField(max_length=120, blank=True)
    tags = ArrayField(models.CharField(max_length=40), default=list)
    traded_at = models.DateTimeField()
    captured_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    book_code = models.CharField(max_length=16)
    counterparty_code = models.CharField(max_length=16)
    market_code = models.CharField(max_length=16)

    class Meta:
        indexes = [
            models.Index(fields=["book", "-trade"], name="blotter_of_book"),
            models.Index(fields=["book", "-recorded_at"], name="blotter_of_book_at"),
            GinIndex(fields=["tags"], name="blotter_tags"),
            # What has been replaced since a moment.
            models.Index(
                fields=["recorded_at", "captured_at"],
                name="blotter_replaced",
                condition=models.Q(number__gt=1),
            ),
            *(models.Index(fields=[name, "trade"], name=f"blotter_by_{name}") for name in SORTED),
            *(
                models.Index(
                    F(name).desc(nulls_last=True), F("trade").desc(), name=f"blotter_down_{name}"
                )
                for name in SORTED_WITH_GAPS
            ),
        ]

    def __str__(self) -> str:
        return self.ref
