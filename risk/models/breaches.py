"""The times that limits were exceeded, and what people did about each."""

from django.db import models
from django.db.models.functions import Now

from risk.enums import BreachState, BreachStepKind

from .limits import Limit


class LimitBreach(models.Model):
    """
    That a scope stood over a limit after a fill or a move of the market, with the numbers.

    before      None where nobody dealt
    amount      that held at that time, temporary increases included
    cause       a trade's reference, or what else moved the number
    caused_by   the actor whose deal it was; empty where nobody dealt. It does not resolve it.
    state, owner    repeat what the latest steps say, for lists
    """

    limit = models.ForeignKey(Limit, models.PROTECT, related_name="breaches")
    trade_version = models.ForeignKey(
        "trading.TradeVersion", models.PROTECT, null=True, related_name="+"
    )
    before = models.FloatField(null=True)
    after = models.FloatField()
    amount = models.DecimalField(max_digits=20, decimal_places=2)
    cause = models.CharField(max_length=40)
    caused_by = models.CharField(max_length=120, blank=True)
    detected_at = models.DateTimeField(db_default=Now())
    state = models.CharField(
        max_length=12, choices=BreachState.choices(), default=BreachState.DETECTED
    )
    owner = models.CharField(max_length=120, blank=True)
    is_escalated = models.BooleanField(default=False)

    class Meta:
        permissions = [("acknowledge_breach", "Can acknowledge and resolve limit breaches")]
        indexes = [
            models.Index(fields=["limit", "state"], name="limit_breach_of_limit"),
            models.Index(
                fields=["detected_at"],
                condition=models.Q(state="DETECTED", is_escalated=False),
                name="limit_breach_unseen",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.after:.2f} over {self.amount} by {self.cause}"


class BreachStep(models.Model):
    """One step in the life of a breach: who did what when, and what they said."""

    append_only = True

    id = models.BigAutoField(primary_key=True)
    breach = models.ForeignKey(LimitBreach, models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=12, choices=BreachStepKind.choices())
    actor_id = models.CharField(max_length=120)
    owner = models.CharField(max_length=120, blank=True)
    note = models.CharField(max_length=1000, blank=True)
    recorded_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of breach {self.breach_id}"
