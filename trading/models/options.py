"""What became of options and of choices: exercised, lapsed, or fixed and paid; added only."""

from django.db import models
from django.db.models.functions import Now


class OptionOutcomeKind(models.TextChoices):
    """How a period of an option was decided."""

    EXERCISED = "EXERCISED", "Exercised"
    FIXED = "FIXED", "Fixed and paid"
    LAPSED = "LAPSED", "Lapsed"
    SHORTFALL = "SHORTFALL", "Short of the year’s minimum, paid"
    MADE_UP = "MADE_UP", "Made up, paid back"


# How a contract year of a swing contract ended, beside its days.
YEAR_ENDS = (OptionOutcomeKind.SHORTFALL, OptionOutcomeKind.MADE_UP)


class OptionOutcome(models.Model):
    """
    The one decision on a period of an option leg: a month of a cap, floor or collar, else all; on
    a delivered day of a contract with choices, and on a contract year of it.

    leg             number of the leg in the version's terms
    start, end      the delivery that it is about, UTC
    decided_at      when it was exercised, lapsed or was fixed between the parties
    prices          of the underlyings, as text, exact; empty where nothing was fixed
    amount          > 0, in `unit`
    payoff          to the holder, per unit
    cash            ours, received +, rounded once; zero where the exercise delivers
    result          the trade that the exercise made
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    trade = models.ForeignKey("trading.Trade", models.PROTECT, related_name="outcomes")
    version = models.ForeignKey("trading.TradeVersion", models.PROTECT, related_name="+")
    leg = models.PositiveSmallIntegerField()
    start = models.DateTimeField()
    end = models.DateTimeField()
    kind = models.CharField(max_length=9, choices=OptionOutcomeKind)
    decided_at = models.DateTimeField()
    prices = models.JSONField(default=list)
    source = models.CharField(max_length=120, blank=True)
    amount = models.DecimalField(max_digits=24, decimal_places=6)
    unit = models.CharField(max_length=12)
    payoff = models.DecimalField(max_digits=18, decimal_places=6, null=True)
    cash = models.DecimalField(max_digits=24, decimal_places=4)
    currency = models.CharField(max_length=3)
    due_date = models.DateField(null=True)
    result = models.OneToOneField(
        "trading.Trade", models.PROTECT, null=True, blank=True, related_name="exercised_from"
    )
    actor_id = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["trade", "leg", "start"],
                condition=~models.Q(kind__in=["SHORTFALL", "MADE_UP"]),
                name="option_period_decided_once",
            ),
            models.UniqueConstraint(
                fields=["trade", "leg", "start"],
                condition=models.Q(kind__in=["SHORTFALL", "MADE_UP"]),
                name="contract_year_settled_once",
            ),
            models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start")), name="option_outcome_interval"
            ),
            models.CheckConstraint(
                condition=models.Q(result__isnull=True) | models.Q(kind="EXERCISED", cash=0),
                name="option_outcome_delivers_or_pays",
            ),
        ]

    def __str__(self) -> str:
        return f"trade {self.trade_id} leg {self.leg} from {self.start:%Y-%m-%d}: {self.kind}"
