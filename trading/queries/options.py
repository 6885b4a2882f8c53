"""What became of the options that books hold."""

from __future__ import annotations

from trading.models import OptionOutcome


def outcomes_of(trade_id: int) -> list[OptionOutcome]:
    """Return what was decided of a trade's option periods, by delivery; one query."""
    return list(
        OptionOutcome.objects.filter(trade_id=trade_id)
        .select_related("result")
        .order_by("start", "leg")
    )
