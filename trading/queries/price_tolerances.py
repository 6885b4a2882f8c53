"""How far another source's price may be off a curve, as it held at a cut of knowledge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ..models import PriceTolerance


@dataclass(frozen=True, slots=True)
class Tolerance:
    """
    How far a price may be off; the larger of both counts.

    amount      currency/unit
    percent     of the curve's price
    """

    amount: Decimal = Decimal("0.50")
    percent: Decimal = Decimal(1)

    def allowed(self, price: float) -> float:
        """Return what may be between a price of a curve and another source's, currency/unit."""
        return max(float(self.amount), float(self.percent) / 100 * abs(price))

    @property
    def words(self) -> str:
        """Return both, as people read them."""
        return f"{self.amount.normalize():f} or {self.percent.normalize():f} %"


DEFAULT_TOLERANCE = Tolerance()


def price_tolerances(
    definition_ids: Iterable[int], *, known_at: datetime | None = None
) -> dict[int, Tolerance]:
    """Return the tolerance of each curve, as known at an instant (None: now); one query."""
    wanted = list(definition_ids)
    rows = PriceTolerance.objects.filter(definition_id__in=wanted)
    if known_at is not None:
        rows = rows.filter(recorded_at__lte=known_at)
    rows = rows.order_by("definition_id", "-version").distinct("definition_id")
    set_ones = {row.definition_id: Tolerance(row.amount, row.percent) for row in rows}
    return {pk: set_ones.get(pk, DEFAULT_TOLERANCE) for pk in wanted}
