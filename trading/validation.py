"""Adapters of model validation: deals as traders write them, through the product's own parser."""

from datetime import UTC, datetime
from typing import Any

from energyopti.foundation.money import MoneyError
from energyopti.foundation.validation.registry import Question, Unsupported, adapters
from trading.deals import REFERENCE_AREAS, QuickTextError, parse_quick_text, totals

# A case's deal names its dates; only "DA" would depend on the day it is traded.
_TRADED_AT = datetime(2026, 1, 5, 12, tzinfo=UTC)


def deal(question: Question) -> dict[str, Any]:
    """Answer hours, energy and notional of a deal given as quick text."""
    question.require("deal")
    try:
        quick = parse_quick_text(
            question.inputs["deal"], areas=REFERENCE_AREAS, traded_at=_TRADED_AT
        )
    except (QuickTextError, MoneyError) as error:
        raise Unsupported(str(error)) from error
    sums = totals(quick.terms)
    return {
        "hours": sums.hours,
        "mwh": sums.energy_mwh,
        f"notional_{sums.notional.currency.lower()}": sums.notional.amount,
    }


def register_adapters() -> None:
    """Register trading's adapters; doing it twice changes nothing."""
    adapters.register("delivery_periods", deal)
    adapters.register("pnl_explain", "trading.pricing_cases:pnl_explain")
