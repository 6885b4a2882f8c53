"""Which formula values the options of a market: proposed, approved, never overwritten."""

from decimal import Decimal

from django.db import models

from energyopti.foundation.proposals.models import ProposedVersion, two_persons

from ..enums import OptionFamily, PricingFormula


class Discounting(models.TextChoices):
    """What a payment to come is worth today."""

    CURVE = "CURVE", "The currency's discount curve to the payment date"
    NONE = "NONE", "None, as of options with daily margin"


class PricingModel(ProposedVersion):
    """
    One version of the model of a market and family; the one approved last holds.

    Shared by all organizations, as curves and volatilities are. Decided once, by another person
    than who proposed; nothing else of a row changes.

    second_market   of a spread what is subtracted; None for others.
    number          counted from 1 for the markets and family.
    displacement    of DISPLACED_BLACK, > 0, in the market's currency per unit; else 0.
    correlation     of a spread's two forwards, −1 to 1; else None.
    contract_correlation    between two contracts of a market, 0 to 1: composes the volatility of a
                delivery that no quoted contract covers from those of its parts; 1 is the highest.
                It is also that of the two deliveries of a calendar spread.
    correlation_days    trading days of quotes that it was estimated from; None where it is stated.
    vol_source      whose volatility quotes count; empty for the latest of whichever source.
    decided_at      real time; from then on a cut of knowledge knows the decision.
    """

    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="pricing_models")
    second_market = models.ForeignKey(
        "trading.Market", models.PROTECT, null=True, blank=True, related_name="+"
    )
    family = models.CharField(max_length=8, choices=OptionFamily)
    formula = models.CharField(max_length=16, choices=PricingFormula)
    displacement = models.DecimalField(max_digits=12, decimal_places=6, default=Decimal(0))
    correlation = models.DecimalField(max_digits=7, decimal_places=6, null=True, blank=True)
    correlation_days = models.PositiveSmallIntegerField(null=True, blank=True)
    contract_correlation = models.DecimalField(max_digits=7, decimal_places=6, default=Decimal(1))
    discounting = models.CharField(max_length=5, choices=Discounting, default=Discounting.CURVE)
    vol_source = models.CharField(max_length=80, blank=True)

    class Meta:
        permissions = [
            ("propose_pricing_model", "Can propose which formula values the options of a market"),
            ("approve_pricing_model", "Can decide on pricing models that others proposed"),
        ]
        constraints = [
            models.UniqueConstraint(
                "market", "second_market", "family", "number", name="pricing_model_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(family="SPREAD", second_market__isnull=False,
                                   correlation__range=(-1, 1))
                | (~models.Q(family="SPREAD")
                   & models.Q(second_market__isnull=True, correlation__isnull=True)),
                name="pricing_model_spread_is_of_two",
            ),
            models.CheckConstraint(
                condition=models.Q(correlation_days__isnull=True)
                | models.Q(correlation__isnull=False, correlation_days__range=(20, 1000)),
                name="pricing_model_correlation_days",
            ),
            models.CheckConstraint(
                condition=models.Q(contract_correlation__range=(0, 1)),
                name="pricing_model_contract_correlation",
            ),
            models.CheckConstraint(
                condition=~models.Q(second_market=models.F("market")),
                name="pricing_model_two_markets",
            ),
            models.CheckConstraint(
                condition=models.Q(formula="DISPLACED_BLACK", displacement__gt=0)
                | (~models.Q(formula="DISPLACED_BLACK") & models.Q(displacement=0)),
                name="pricing_model_displacement",
            ),
            *two_persons("pricing_model"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"

    @property
    def name(self) -> str:
        """Return the markets and family that it is of; reads the markets' rows."""
        on = self.market.code
        if self.second_market is not None:
            on += f" − {self.second_market.code}"
        return f"{on} {self.get_family_display().lower()}"
