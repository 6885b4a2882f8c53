"""Stresses: stated moves of the market, proposed and approved by version, and what they did."""

from django.db import models
from django.db.models.functions import Now

from energyopti.foundation.proposals.models import ProposedVersion, two_persons

from .definitions import MoveRule


class StressTarget(models.TextChoices):
    """What a shock moves."""

    PRICE = "PRICE", "Prices"
    EVENT = "EVENT", "Prices, as between two past days"
    VOLATILITY = "VOLATILITY", "Implied volatilities"
    RATE = "RATE", "Exchange rate"
    VOLUME = "VOLUME", "Volumes"


class StressScenario(ProposedVersion):
    """
    One version of a stress; of a code, the one approved last holds.

    source      where the sizes come from, in words
    owner       who answers for it: a person or a function
    """

    code = models.CharField(max_length=24)
    name = models.CharField(max_length=80)
    source = models.CharField(max_length=200)
    owner = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint("code", "number", name="stress_scenario_once"),
            models.CheckConstraint(
                condition=~models.Q(name="") & ~models.Q(source="") & ~models.Q(owner=""),
                name="stress_scenario_has_its_words",
            ),
            *two_persons("stress_scenario"),
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.number}"


class StressShock(models.Model):
    """
    One move of a stress; they work one after the other, each on what those before it left.

    market          None for every market
    currency        of RATE: its value in all others moves
    rule, displacement      of prices, as `ScenarioRule`; a volume or rate moves by a share
    size            by the rule: 0.5 is +50 % if RELATIVE; of VOLATILITY what is added to lognormal
                    ones, 0.1 is ten points; 0 of EVENT
    event_from, event_until     local trading days of EVENT
    first_tenor, last_tenor     months ahead that move, both included; None for no bound
    """

    append_only = True

    scenario = models.ForeignKey(StressScenario, models.PROTECT, related_name="shocks")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=80)
    target = models.CharField(max_length=10, choices=StressTarget)
    market = models.ForeignKey(
        "trading.Market", models.PROTECT, null=True, blank=True, related_name="+"
    )
    currency = models.CharField(max_length=3, blank=True)
    rule = models.CharField(max_length=11, choices=MoveRule, default=MoveRule.RELATIVE)
    displacement = models.FloatField(default=0.0)
    size = models.FloatField(default=0.0)
    event_from = models.DateField(null=True, blank=True)
    event_until = models.DateField(null=True, blank=True)
    first_tenor = models.PositiveSmallIntegerField(null=True, blank=True)
    last_tenor = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("scenario", "position", name="stress_shock_once"),
            models.CheckConstraint(
                condition=models.Q(rule="DISPLACED", displacement__gt=0)
                | (~models.Q(rule="DISPLACED") & models.Q(displacement=0)),
                name="stress_shock_displacement",
            ),
            models.CheckConstraint(
                condition=models.Q(target="EVENT", event_from__lt=models.F("event_until"), size=0)
                | (~models.Q(target="EVENT") & ~models.Q(size=0)
                   & models.Q(event_from__isnull=True, event_until__isnull=True)),
                name="stress_shock_size_or_event",
            ),
            models.CheckConstraint(
                condition=models.Q(target="RATE", market__isnull=True) & ~models.Q(currency="")
                | ~models.Q(target="RATE") & models.Q(currency=""),
                name="stress_shock_rate_is_of_a_currency",
            ),
            models.CheckConstraint(
                condition=models.Q(first_tenor__isnull=True) | models.Q(last_tenor__isnull=True)
                | models.Q(first_tenor__lte=models.F("last_tenor")),
                name="stress_shock_tenors_in_order",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.position} {self.name}"


class StressRun(models.Model):
    """
    What the stresses in force did to a book with those below it. Added, never changed.

    value       on the snapshot's curves, currency of the book
    results     by stress: code, version, name, pnl, steps as [name, P&L that it adds], findings;
                P&L None where nothing could follow the stress, as an event without quotes
    findings    sentences about what cannot be valued
    """

    append_only = True

    book = models.ForeignKey("trading.Book", models.PROTECT, related_name="+")
    snapshot = models.ForeignKey("risk.MarketSnapshot", models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    value = models.FloatField()
    results = models.JSONField()
    findings = models.JSONField(default=list)
    asked_by = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"stresses of {self.book_id} on {self.snapshot_id}"
