"""Supply contracts of customers, and their terms by version."""

from django.db import models
from django.db.models.functions import Now

from billing.rating import PriceRule, RatingTerms
from energyopti.accounts.models.ownership import OwnedQuerySet
from energyopti.foundation.calendars import Calendar
from energyopti.foundation.money import Rounding, RoundingRule, RoundingScope


class Contract(models.Model):
    """
    That an issuer supplies a customer organization with energy priced in one market.

    What holds at a time is said by `ContractTerms`; the parties, market, currency and sites never
    change. Billing days are local days of the market's zone. An empty `sites` means every site
    of the customer, also one that is added later.
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    reference = models.CharField(max_length=40, unique=True)
    issuer = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="+")
    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, related_name="contracts"
    )
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    sites = models.ManyToManyField("accounts.Site", blank=True, related_name="+")
    currency = models.CharField(max_length=3)
    agreed_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    objects = OwnedQuerySet.as_manager()

    class Meta:
        permissions = [
            ("agree_contract", "Can agree contracts and new terms"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(issuer=models.F("organization")), name="contract_two_parties"
            ),
            models.CheckConstraint(
                condition=models.Q(currency__regex="^[A-Z]{3}$"), name="contract_currency_code"
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def calendar(self) -> Calendar:
        """Return the calendar of the contract's billing days: that of its market."""
        calendar: Calendar = self.market.calendar
        return calendar


class ContractTerms(models.Model):
    """
    One version of what a contract says about price; the latest that has begun holds.

    valid_from      first local day; later terms replace these from their own first day on,
                    never for days before it.
    valid_until     first local day after the end; None while open.
    tax_rate        value added tax as a fraction (0.19 for 19 %).
    """

    append_only = True

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="terms")
    version = models.PositiveSmallIntegerField()
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    price_rule = models.CharField(max_length=5, choices=[(r.value, r.value) for r in PriceRule])
    adder_per_kwh = models.DecimalField(max_digits=14, decimal_places=8, default=0)
    fixed_price_per_kwh = models.DecimalField(max_digits=14, decimal_places=8, null=True)
    standing_charge_per_day = models.DecimalField(max_digits=12, decimal_places=4, default=0)
    tax_rate = models.DecimalField(max_digits=5, decimal_places=4)
    rounding = models.CharField(max_length=9, choices=[(r.value, r.value) for r in Rounding])
    rounding_scope = models.CharField(
        max_length=8, choices=[(s.value, s.value) for s in RoundingScope]
    )
    payment_days = models.PositiveSmallIntegerField(default=14)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint("contract", "version", name="terms_version_once"),
            models.CheckConstraint(
                condition=models.Q(valid_until__isnull=True)
                | models.Q(valid_until__gt=models.F("valid_from")),
                name="terms_valid_interval",
            ),
            models.CheckConstraint(
                condition=models.Q(price_rule="FIXED", fixed_price_per_kwh__isnull=False)
                | models.Q(price_rule="SPOT", fixed_price_per_kwh__isnull=True),
                name="terms_fixed_price_with_rule",
            ),
            models.CheckConstraint(
                condition=models.Q(tax_rate__gte=0, tax_rate__lte=1), name="terms_tax_rate"
            ),
            models.CheckConstraint(
                condition=models.Q(standing_charge_per_day__gte=0), name="terms_standing_charge"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contract_id} v{self.version}"

    def rating_terms(self, currency: str) -> RatingTerms:
        """Return the terms as the rating engine takes them."""
        return RatingTerms(
            rule=PriceRule(self.price_rule),
            currency=currency,
            adder_per_kwh=self.adder_per_kwh,
            fixed_price_per_kwh=self.fixed_price_per_kwh,
            standing_charge_per_day=self.standing_charge_per_day,
        )

    def rounding_rule(self) -> RoundingRule:
        """Return how amounts under these terms are rounded."""
        return RoundingRule(Rounding(self.rounding), RoundingScope(self.rounding_scope))
