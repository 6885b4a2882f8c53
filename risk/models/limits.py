"""Limits by version, and what raises one for a time."""

from django.db import models

from energyopti.foundation.proposals.models import ProposedVersion, two_persons
from risk.enums import (
    Dimension,
    Excess,
    LimitMeasure,
    LimitScope,
    LossPeriod,
)

# What two versions of one limit share.
LINE = (
    "organization", "scope", "book", "trader", "counterparty", "measure", "confidence",
    "period", "dimension", "market", "commodity",
)  # fmt: skip


class Limit(ProposedVersion):
    """
    A version of the most that a scope may have of a measure.

    scope           a book with all books below it, a trader, or a counterparty
    trader          id of the actor who captured the trades; empty for another scope
    confidence, horizon_days    of VaR and ES, exact
    period          of a loss; dimension of a concentration
    market, commodity   that volumes and delta are of; None counts all of them
    amount, unit    a currency, MW, MWh or another quantity's unit, "%" or "months"
    warn_share      of the amount from which on it is told
    excess          what an order meets over it
    decided_by      "system:limits" where a limit was only lowered, which waits for nobody
    number          counted from 1 for equal scope, measure and parameters
    is_removal      approved, it leaves no limit in force
    is_active       in force: the approved version that holds, until another takes its place
    """

    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="+")
    scope = models.CharField(max_length=12, choices=LimitScope.choices(), default=LimitScope.BOOK)
    book = models.ForeignKey("trading.Book", models.PROTECT, null=True, related_name="+")
    trader = models.CharField(max_length=120, blank=True)
    counterparty = models.ForeignKey(
        "trading.Counterparty", models.PROTECT, null=True, related_name="+"
    )
    measure = models.CharField(
        max_length=16, choices=LimitMeasure.choices(), default=LimitMeasure.VAR
    )
    confidence = models.DecimalField(max_digits=6, decimal_places=5, null=True)
    horizon_days = models.PositiveSmallIntegerField(default=1)
    period = models.CharField(max_length=8, choices=LossPeriod.choices(), blank=True)
    dimension = models.CharField(max_length=12, choices=Dimension.choices(), blank=True)
    market = models.ForeignKey("trading.Market", models.PROTECT, null=True, related_name="+")
    commodity = models.ForeignKey("trading.Commodity", models.PROTECT, null=True, related_name="+")
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    unit = models.CharField(max_length=12)
    warn_share = models.DecimalField(max_digits=4, decimal_places=3, default="0.8")
    excess = models.CharField(max_length=4, choices=Excess.choices(), default=Excess.HARD)
    is_removal = models.BooleanField(default=False)
    is_active = models.BooleanField(default=False)

    class Meta:
        permissions = [
            ("set_limit", "Can propose limits and temporary increases"),
            ("approve_limit", "Can decide on limits that others proposed"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="limit_positive"),
            models.CheckConstraint(
                condition=models.Q(measure__in=["VAR", "ES"], confidence__gt=0, confidence__lt=1)
                | (~models.Q(measure__in=["VAR", "ES"]) & models.Q(confidence=None)),
                name="limit_confidence",
            ),
            models.CheckConstraint(
                condition=models.Q(horizon_days=1), name="limit_horizon_of_the_scenarios"
            ),
            models.CheckConstraint(
                condition=models.Q(scope="BOOK", book__isnull=False, trader="", counterparty=None)
                | (models.Q(scope="TRADER", book=None, counterparty=None) & ~models.Q(trader=""))
                | models.Q(scope="COUNTERPARTY", book=None, trader="", counterparty__isnull=False),
                name="limit_has_one_scope",
            ),
            models.CheckConstraint(
                condition=models.Q(warn_share__gt=0, warn_share__lte=1), name="limit_warn_share"
            ),
            *two_persons("limit"),
            models.CheckConstraint(
                condition=models.Q(is_active=False) | models.Q(status="APPROVED"),
                name="limit_in_force_is_approved",
            ),
            models.UniqueConstraint(
                fields=LINE,
                condition=models.Q(is_active=True),
                nulls_distinct=False,
                name="limit_in_force_once",
            ),
            models.UniqueConstraint(
                fields=LINE,
                condition=models.Q(status="PENDING"),
                nulls_distinct=False,
                name="limit_pending_once",
            ),
        ]
        indexes = [models.Index(fields=["organization", "is_active"], name="limit_of_organization")]

    def __str__(self) -> str:
        return f"{self.get_measure_display()} ≤ {self.amount} {self.unit}"


class LimitIncrease(ProposedVersion):
    """
    What is added to a version's amount for a time; another person approves it.

    start_at, end_at    UTC, the end excluded: it ends by itself
    """

    limit = models.ForeignKey(Limit, models.PROTECT, related_name="increases")
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount__gt=0), name="limit_increase_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(end_at__gt=models.F("start_at")), name="limit_increase_interval"
            ),
            *two_persons("limit_increase"),
        ]

    def __str__(self) -> str:
        return f"+{self.amount} on limit {self.limit_id}"
