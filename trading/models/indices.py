"""Published prices that deals float on, and exchange rates with every correction."""

from django.db import models
from django.db.models.functions import Now

from .commodities import CODE_IS_ONE_WORD, CURRENCY_CODE, check_currency, check_unit


class IndexFrequency(models.TextChoices):
    """How often an index says a price: each market period, each delivery day, each month."""

    PERIOD = "PERIOD", "Each period"
    DAY = "DAY", "Each day"
    MONTH = "MONTH", "Each month"


class PriceIndex(models.Model):
    """
    A price that somebody publishes and deals settle on. Shared by all organizations.

    code                "EPEX-DE-DA", "TTF-DA", "ICE-BRENT-M1"; unique whatever its case.
    load_shape          code of a shape of the market's calendar; empty is all hours.
    publication_days, publication_time   when it is known: market's local time, on the day so
                        many days from the (first) day of delivery that it speaks of, −1 before.
    """

    code = models.CharField(max_length=32)
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="indices")
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3, validators=[check_currency])
    price_unit = models.CharField(max_length=12, validators=[check_unit])
    frequency = models.CharField(max_length=6, choices=IndexFrequency)
    load_shape = models.CharField(max_length=16, blank=True)
    publication_days = models.SmallIntegerField(default=-1)
    publication_time = models.TimeField()
    source = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(models.functions.Upper("code"), name="price_index_code_once"),
            models.CheckConstraint(
                condition=models.Q(code__regex=CODE_IS_ONE_WORD),
                name="price_index_code_is_one_word",
            ),
            models.CheckConstraint(
                condition=models.Q(currency__regex=CURRENCY_CODE), name="price_index_currency_code"
            ),
            models.CheckConstraint(
                condition=models.Q(publication_days__gte=-31, publication_days__lte=62),
                name="price_index_publication_days",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} – {self.name}"


class FxRate(models.Model):
    """
    What one unit of `base` cost in `quote`, valid from an instant, known from `recorded_at` on.

    Never changed: a correction is a new row with a later `recorded_at`. Shared by all.
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    base = models.CharField(max_length=3, validators=[check_currency])
    quote = models.CharField(max_length=3, validators=[check_currency])
    rate = models.DecimalField(max_digits=20, decimal_places=10)
    valid_from = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "base", "quote", "source", "valid_from", "recorded_at", name="fx_rate_version_once"
            ),
            models.CheckConstraint(
                condition=models.Q(base__regex=CURRENCY_CODE, quote__regex=CURRENCY_CODE),
                name="fx_rate_currency_codes",
            ),
            models.CheckConstraint(
                condition=~models.Q(base=models.F("quote")),
                name="fx_rate_two_currencies",
                violation_error_message="A rate is between two different currencies.",
            ),
            models.CheckConstraint(
                condition=models.Q(rate__gt=0),
                name="fx_rate_positive",
                violation_error_message="A rate is more than zero.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.base}/{self.quote} {self.rate} at {self.valid_from:%Y-%m-%d %H:%M}"
