"""What became of the options that books hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from energyopti.foundation.calendars import Calendar
from trading.models import OptionOutcome


@dataclass(frozen=True, slots=True)
class PaidMonth:
    """What decisions on deliveries that end in a month have paid; our cash, received +."""

    month: date
    decisions: int
    amount: Decimal
    currency: str


def outcomes_of(trade_id: int) -> list[OptionOutcome]:
    """Return what was decided of a trade's option periods, by delivery; one query."""
    return list(
        OptionOutcome.objects.filter(trade_id=trade_id)
        .select_related("result")
        .order_by("start", "leg")
    )


def paid_months(outcomes: Sequence[OptionOutcome], calendar: Calendar) -> list[PaidMonth]:
    """Return what was paid by the month in which the delivery ends, on a market's calendar."""
    sums: dict[tuple[date, str], tuple[int, Decimal]] = {}
    for row in outcomes:
        if row.cash:
            last = calendar.date_of(row.end - timedelta(microseconds=1))
            key = (last.replace(day=1), row.currency)
            count, amount = sums.get(key, (0, Decimal(0)))
            sums[key] = (count + 1, amount + row.cash)
    return [PaidMonth(month, *found, currency) for (month, currency), found in sorted(sums.items())]
