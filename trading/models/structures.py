"""What holders of contracts with choices said they do, and what such a contract was worth."""

from django.db import models
from django.db.models.functions import Now


class StructureNomination(models.Model):
    """
    What the holder of a contract with choices does on a delivery day. Added, never changed.

    The one recorded last for a day holds; once the day has begun there is no other.

    leg             number of the leg in the version's terms
    day             local delivery day
    quantities      decimals as text: one of the day, or the MW of each of its hours; taken,
                    withdrawn, made or discharged +, injected or charged −; empty where the
                    day's nomination was taken back
    nominated_at    when it was said; before the day began
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    trade = models.ForeignKey(
        "trading.Trade", models.PROTECT, related_name="nominations", db_index=False
    )
    version = models.ForeignKey(
        "trading.TradeVersion", models.PROTECT, related_name="+", db_index=False
    )
    leg = models.PositiveSmallIntegerField()
    day = models.DateField()
    quantities = models.JSONField()
    nominated_at = models.DateTimeField()
    actor_id = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [
            ("nominate_structure", "Can nominate days of contracts with choices"),
        ]
        indexes = [
            models.Index(fields=["trade", "leg", "day", "-id"], name="structure_nominated_day"),
        ]

    def __str__(self) -> str:
        return f"trade {self.trade_id} leg {self.leg} on {self.day}"


class StructureValue(models.Model):
    """
    What one contract with choices was worth, and the plan behind it; money is our side.

    run             the valuation that it is part of; None of one that was asked for by itself
    known_at        real time: nothing recorded later counts
    realised, unrealised    of what is delivered and what is to come, discounted where rates are
    time_value      of the latter, above what it would be if all forwards came true
    simulation      of a simulated time value (`trading.valuation.TimeValue`): estimate, intrinsic,
                    in_sample, paths, seed, processes by market and version, and deltas with their
                    errors; None where nothing is simulated
    method          of the plan; gap is how much more another plan could be worth
    standard_error  of simulated values; None of a plan on today's curve
    model           of the volatilities, None where none is used
    chosen          intervals that are no longer open, of those from the first
    starts, quantity, level, price, cash    columns by interval, little-endian: int64 seconds and
                    float64; level is before each interval, empty of what stores nothing; price of
                    the first role
    hedge           role, market, month, delta in units, gamma, vega of each delivery month
    reason          why it has no value
    findings        sentences on what it was valued on
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(
        "trading.ValuationRun", models.PROTECT, null=True, related_name="structures"
    )
    trade = models.ForeignKey("trading.Trade", models.PROTECT, related_name="+", db_index=False)
    version = models.ForeignKey(
        "trading.TradeVersion", models.PROTECT, related_name="+", db_index=False
    )
    leg = models.PositiveSmallIntegerField()
    as_of = models.DateTimeField()
    known_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    realised = models.DecimalField(max_digits=20, decimal_places=2)
    unrealised = models.DecimalField(max_digits=20, decimal_places=2)
    time_value = models.DecimalField(max_digits=20, decimal_places=2)
    method = models.CharField(max_length=32, blank=True)
    gap = models.FloatField()
    standard_error = models.FloatField(null=True)
    simulation = models.JSONField(null=True)
    model = models.ForeignKey(
        "trading.PricingModel", models.PROTECT, null=True, related_name="+", db_index=False
    )
    chosen = models.PositiveIntegerField()
    starts = models.BinaryField()
    quantity = models.BinaryField()
    level = models.BinaryField()
    price = models.BinaryField()
    cash = models.BinaryField()
    hedge = models.JSONField(default=list)
    reason = models.CharField(max_length=400, blank=True)
    findings = models.JSONField(default=list)
    content_hash = models.CharField(max_length=64)
    actor_id = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [
            ("value_structure", "Can value a contract with choices by itself"),
        ]
        constraints = [
            models.UniqueConstraint("run", "trade", "leg", name="structure_value_once"),
        ]
        indexes = [
            models.Index(fields=["trade", "-as_of", "-id"], name="structure_value_latest"),
        ]

    def __str__(self) -> str:
        return f"trade {self.trade_id} {self.realised + self.unrealised} {self.currency}"


class StructureHedgeCheck(models.Model):
    """
    The hedge of a stored value beside full revaluation on the facts of its cut. Added once.

    price_step  currency/unit by which each role's price of a month was moved up and down
    vol_step    of volatility; None where the value has no vega
    rows        role, market, unit, month, delta, down and up (one-sided differences), revalued
                (their mean), tolerance, agreement, gamma and vega with their revaluation (None
                where a plan has none) of each role and month
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    value = models.OneToOneField(StructureValue, models.PROTECT, related_name="hedge_check")
    price_step = models.FloatField()
    vol_step = models.FloatField(null=True)
    rows = models.JSONField()
    actor_id = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"hedge of {self.value}"
