"""How scenarios are made: definitions that one proposes and another approves, kept by version."""

from django.db import models

from energyopti.foundation.proposals.models import ProposedVersion, two_persons


class Weighting(models.TextChoices):
    """What the moves of long ago count for."""

    NONE = "NONE", "As they were"
    EWMA = "EWMA", "Filtered: at today's exponentially weighted volatility"
    GARCH = "GARCH", "Filtered: at today's GARCH(1,1) volatility"


class MoveRule(models.TextChoices):
    """What a move is a multiple of; words of `risk.engine.ShockRule`."""

    ABSOLUTE = "ABSOLUTE", "Amount, at any price"
    RELATIVE = "RELATIVE", "Share of the price"
    LOGARITHMIC = "LOGARITHMIC", "Logarithm of the price"
    DISPLACED = "DISPLACED", "Logarithm above a displacement"


class MoveMapping(models.TextChoices):
    """Which past delivery month speaks for one of today's; words of `risk.engine.ShockMapping`."""

    TIME_TO_DELIVERY = "TIME_TO_DELIVERY", "The one as far ahead"
    CONTRACT = "CONTRACT", "The same contract"


class ProxyRule(models.TextChoices):
    """How another market's move stands in for one that a market has no history of."""

    AS_IS = "AS_IS", "The other's move as it is"
    SCALED = "SCALED", "The other's move by the ratio of volatilities on common days"


class ScenarioDefinition(ProposedVersion):
    """
    One version of how a set of scenarios is made; of a code, the one approved last holds.

    Shared by all organizations, as curves are.

    code            DESK is what books are valued on; others are for comparison
    owner           who answers for it: a person or a function, in words
    scenarios       how many daily moves at most
    horizon_days    trading days that a move spans; moves of several overlap
    window_from, window_until   trading days that moves are of, both included; None: the latest
    decay           λ of EWMA, 0 < λ < 1
    garch_alpha, garch_beta     of the filter; the long-run variance is that of the moves
    """

    code = models.CharField(max_length=16)
    owner = models.CharField(max_length=80)
    scenarios = models.PositiveSmallIntegerField()
    horizon_days = models.PositiveSmallIntegerField(default=1)
    window_from = models.DateField(null=True, blank=True)
    window_until = models.DateField(null=True, blank=True)
    weighting = models.CharField(max_length=5, choices=Weighting, default=Weighting.NONE)
    decay = models.FloatField(null=True, blank=True)
    garch_alpha = models.FloatField(null=True, blank=True)
    garch_beta = models.FloatField(null=True, blank=True)

    class Meta:
        permissions = [
            ("propose_scenarios", "Can propose how scenarios and stresses are made"),
            ("approve_scenarios", "Can decide on scenarios and stresses that others proposed"),
        ]
        constraints = [
            models.UniqueConstraint("code", "number", name="scenario_definition_once"),
            models.CheckConstraint(
                condition=models.Q(scenarios__range=(100, 2000), horizon_days__range=(1, 20)),
                name="scenario_definition_size",
            ),
            models.CheckConstraint(
                condition=models.Q(code="DESK", horizon_days=1) | ~models.Q(code="DESK"),
                name="scenario_definition_desk_is_daily",
            ),
            models.CheckConstraint(
                condition=models.Q(weighting="NONE", decay__isnull=True, garch_alpha__isnull=True,
                                   garch_beta__isnull=True)
                | models.Q(weighting="EWMA", decay__gt=0, decay__lt=1, garch_alpha__isnull=True,
                           garch_beta__isnull=True)
                | models.Q(weighting="GARCH", decay__isnull=True, garch_alpha__gt=0,
                           garch_beta__gte=0),
                name="scenario_definition_weighting",
            ),
            models.CheckConstraint(
                condition=~models.Q(owner=""), name="scenario_definition_has_an_owner"
            ),
            *two_persons("scenario_definition"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.code} v{self.number}"


class ScenarioRule(models.Model):
    """
    How one market moves under a definition; the row without a market is for all others.

    displacement    of DISPLACED, > 0, in the market's currency per unit; else 0
    proxy_market    whose moves stand in where the market was not quoted
    """

    append_only = True

    definition = models.ForeignKey(ScenarioDefinition, models.PROTECT, related_name="rules")
    market = models.ForeignKey(
        "trading.Market", models.PROTECT, null=True, blank=True, related_name="+"
    )
    rule = models.CharField(max_length=11, choices=MoveRule, default=MoveRule.ABSOLUTE)
    displacement = models.FloatField(default=0.0)
    mapping = models.CharField(
        max_length=16, choices=MoveMapping, default=MoveMapping.TIME_TO_DELIVERY
    )
    proxy_market = models.ForeignKey(
        "trading.Market", models.PROTECT, null=True, blank=True, related_name="+"
    )
    proxy_rule = models.CharField(max_length=6, choices=ProxyRule, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "definition", "market", name="scenario_rule_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=models.Q(rule="DISPLACED", displacement__gt=0)
                | (~models.Q(rule="DISPLACED") & models.Q(displacement=0)),
                name="scenario_rule_displacement",
            ),
            models.CheckConstraint(
                condition=models.Q(proxy_market__isnull=True, proxy_rule="")
                | (models.Q(market__isnull=False, proxy_market__isnull=False)
                   & ~models.Q(proxy_rule="") & ~models.Q(proxy_market=models.F("market"))),
                name="scenario_rule_proxy_is_another",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.definition_id} {self.market_id or 'default'} {self.rule}"
