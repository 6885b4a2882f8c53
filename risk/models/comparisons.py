"""What a book's risk would be under two definitions of scenarios."""

from django.db import models
from django.db.models.functions import Now

from .definitions import ScenarioDefinition


class ScenarioComparison(models.Model):
    """
    A book with those below it, valued on the same curves under two definitions. Added, not changed.

    sides       of each definition: method, scenarios, value, and by confidence VaR and ES
                (currency of the book, losses positive); the day of the worst scenario and its P&L
    findings    sentences about what could not be valued or is held
    """

    append_only = True

    book = models.ForeignKey("trading.Book", models.PROTECT, related_name="+")
    first = models.ForeignKey(ScenarioDefinition, models.PROTECT, related_name="+")
    second = models.ForeignKey(ScenarioDefinition, models.PROTECT, related_name="+")
    valued_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    sides = models.JSONField()
    findings = models.JSONField(default=list)
    asked_by = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(first=models.F("second")), name="scenario_comparison_of_two"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} and {self.second_id} on {self.book_id}"
