"""What interest, currencies and volatility were quoted at, with every correction."""

from django.db import models
from django.db.models.functions import Now

from ..enums import Compounding, VolKind
from .commodities import CURRENCY_CODE, check_currency


class InterestQuote(models.Model):
    """
    A zero rate of a currency to a date, valid from an instant; never changed, only superseded.

    rate    0.025 is 2.5 %; any sign.
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    currency = models.CharField(max_length=3, validators=[check_currency])
    matures_on = models.DateField()
    rate = models.DecimalField(max_digits=14, decimal_places=10)
    compounding = models.CharField(
        max_length=10, choices=Compounding, default=Compounding.CONTINUOUS
    )
    valid_from = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=80)
    actor_id = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "currency", "matures_on", "source", "valid_from", "recorded_at",
                name="interest_quote_version_once",
            ),
            models.CheckConstraint(
                condition=models.Q(currency__regex=CURRENCY_CODE), name="interest_quote_currency"
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.currency} {self.matures_on} {self.rate}"


class FxForwardQuote(models.Model):
    """What one unit of `base` costs in `quote` on a settlement date; the first one is spot."""

    append_only = True

    id = models.BigAutoField(primary_key=True)
    base = models.CharField(max_length=3, validators=[check_currency])
    quote = models.CharField(max_length=3, validators=[check_currency])
    settles_on = models.DateField()
    rate = models.DecimalField(max_digits=20, decimal_places=10)
    valid_from = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=80)
    actor_id = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "base", "quote", "settles_on", "source", "valid_from", "recorded_at",
                name="fx_forward_version_once",
            ),
            models.CheckConstraint(
                condition=models.Q(base__regex=CURRENCY_CODE, quote__regex=CURRENCY_CODE)
                & ~models.Q(base=models.F("quote")),
                name="fx_forward_two_currencies",
            ),
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="fx_forward_positive"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.base}/{self.quote} {self.settles_on} {self.rate}"


class VolQuote(models.Model):
    """
    The implied volatility of one delivery contract, expiry and moneyness (strike / forward).

    vol    0.35 is 35 % a year if lognormal; in currency per unit if normal.
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="vol_quotes")
    contract = models.CharField(max_length=16)
    expires_on = models.DateField()
    moneyness = models.DecimalField(max_digits=9, decimal_places=6)
    vol = models.DecimalField(max_digits=14, decimal_places=8)
    kind = models.CharField(max_length=10, choices=VolKind)
    valid_from = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=80)
    actor_id = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "market", "contract", "expires_on", "moneyness", "kind", "source", "valid_from",
                "recorded_at", name="vol_quote_version_once",
            ),
            models.CheckConstraint(
                condition=models.Q(moneyness__gt=0), name="vol_quote_moneyness_positive"
            ),
            models.CheckConstraint(condition=models.Q(vol__gte=0), name="vol_quote_not_negative"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.contract} {self.expires_on} {self.moneyness}: {self.vol}"
