"""What vectors are keyed by: a set of scenarios, and the curves and instant of a valuation."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from trading.enums import VolKind

from .definitions import MoveRule, ScenarioDefinition


class ScenarioSet(models.Model):
    """
    Scenarios by the same days for every market, so that vectors of two markets add.

    definition      that it was made by; None of sets that are older than definitions
    days            the later day of each scenario, ascending
    method          in words, as shown beside every number
    content_hash    SHA-256 over definition, method, days and the moves of all markets
    """

    append_only = True

    definition = models.ForeignKey(
        ScenarioDefinition, models.PROTECT, null=True, related_name="sets"
    )
    as_of = models.DateTimeField()
    days = ArrayField(models.DateField())
    tenors = models.PositiveSmallIntegerField()
    horizon_days = models.PositiveSmallIntegerField()
    method = models.CharField(max_length=400)
    content_hash = models.CharField(max_length=64, unique=True)
    recorded_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{len(self.days)} scenarios to {self.days[-1]}"


class ScenarioShocks(models.Model):
    """
    The moves of one market and load: float64, little-endian, C order, shape (scenario, tenor).

    load        a node of the curve's basis: BASE, and each load quoted beside it
    values      by the rule: currency/MWh where ABSOLUTE, else shares or logarithms
    """

    append_only = True

    scenario_set = models.ForeignKey(ScenarioSet, models.PROTECT, related_name="shocks")
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    load = models.CharField(max_length=16, default="BASE")
    rule = models.CharField(max_length=11, choices=MoveRule, default=MoveRule.ABSOLUTE)
    displacement = models.FloatField(default=0.0)
    values = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint("scenario_set", "market", "load", name="scenario_shocks_once"),
        ]

    def __str__(self) -> str:
        return f"shocks of {self.market_id} in {self.scenario_set_id}"


class ScenarioVols(models.Model):
    """
    What the scenarios add to a market's implied volatilities: as `ScenarioShocks.values`.

    kind    of the volatilities: per √year if LOGNORMAL, currency per unit and √year if NORMAL
    held    in how many scenarios no history spoke of them, so that they stay
    """

    append_only = True

    scenario_set = models.ForeignKey(ScenarioSet, models.PROTECT, related_name="vols")
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=VolKind)
    values = models.BinaryField()
    held = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint("scenario_set", "market", name="scenario_vols_once"),
        ]

    def __str__(self) -> str:
        return f"volatilities of {self.market_id} in {self.scenario_set_id}"


class ProxyKind(models.TextChoices):
    """What had no history of its own."""

    MARKET = "MARKET", "Market"
    TENOR = "TENOR", "Delivery months"
    LOAD = "LOAD", "Load"
    VOLATILITY = "VOLATILITY", "Implied volatility"


class ScenarioProxy(models.Model):
    """
    One entry of a set's register of proxies: what stood in for a history that is not there.

    first_tenor, last_tenor     months ahead that it is of, both included; None for all
    stands_in       what was taken instead
    why             what is missing
    scenarios       in how many of the set's it stood in
    correlation     of the two moves where both are known; None where that is nowhere
    ratio           of their deviations there, what is missing over what stands in
    compared        on how many moves the two figures rest
    """

    append_only = True

    scenario_set = models.ForeignKey(ScenarioSet, models.PROTECT, related_name="proxies")
    kind = models.CharField(max_length=10, choices=ProxyKind)
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    load = models.CharField(max_length=16, default="BASE")
    first_tenor = models.PositiveSmallIntegerField(null=True)
    last_tenor = models.PositiveSmallIntegerField(null=True)
    stands_in = models.CharField(max_length=200)
    why = models.CharField(max_length=200)
    scenarios = models.PositiveSmallIntegerField()
    correlation = models.FloatField(null=True)
    ratio = models.FloatField(null=True)
    compared = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first_tenor__isnull=True, last_tenor__isnull=True)
                | models.Q(first_tenor__lte=models.F("last_tenor")),
                name="scenario_proxy_tenors_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.market_id} {self.load} in {self.scenario_set_id}"


class MarketSnapshot(models.Model):
    """
    The curves and the instant that positions are valued at, with the scenarios that shock them.

    Vectors add only where their snapshot is the same row.

    is_live     False of one that a run was made on, as of a past close: books stay where they are
    """

    append_only = True

    scenario_set = models.ForeignKey(ScenarioSet, models.PROTECT, related_name="snapshots")
    valued_at = models.DateTimeField()
    content_hash = models.CharField(max_length=64, unique=True)
    is_live = models.BooleanField(default=True)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [("rebase_risk", "Can value the books on new curves")]

    def __str__(self) -> str:
        return f"snapshot {self.pk} of {self.valued_at:%Y-%m-%d %H:%M}"


class SnapshotCurve(models.Model):
    """
    One market's curve in a snapshot: float64, little-endian, by month from the valuation month.

    load        code of a shape, BASE for all hours
    prices      NaN where the curve says nothing of the load
    hours       that the load delivers in each month; NaN where it has no price
    """

    append_only = True

    snapshot = models.ForeignKey(MarketSnapshot, models.PROTECT, related_name="curves")
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    curve_snapshot = models.ForeignKey("trading.CurveSnapshot", models.PROTECT, related_name="+")
    load = models.CharField(max_length=16, default="BASE")
    prices = models.BinaryField()
    hours = models.BinaryField(default=bytes)

    class Meta:
        constraints = [
            models.UniqueConstraint("snapshot", "market", "load", name="snapshot_curve_once"),
        ]

    def __str__(self) -> str:
        return f"curve of {self.market_id} in {self.snapshot_id}"


class SnapshotRate(models.Model):
    """
    A pair in a snapshot: its spot, and how it moves in each scenario.

    changes     float64, little-endian, shape (scenario,): rate in the scenario / rate − 1
    held        in how many scenarios no history spoke of the pair, so that the rate is held
    """

    append_only = True

    snapshot = models.ForeignKey(MarketSnapshot, models.PROTECT, related_name="rates")
    base = models.CharField(max_length=3)
    quote = models.CharField(max_length=3)
    rate = models.FloatField()
    changes = models.BinaryField()
    held = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint("snapshot", "base", "quote", name="snapshot_rate_once"),
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="snapshot_rate_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.base}/{self.quote} {self.rate} in {self.snapshot_id}"
