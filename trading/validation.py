"""Adapters of model validation: deals as traders write them, through the product's own parser."""

from datetime import UTC, datetime
from typing import Any

from energyopti.foundation.money import MoneyError
from energyopti.foundation.validation.registry import Question, Unsupported, adapters
from trading.deals import (
    REFERENCE_INDICES,
    REFERENCE_MARKETS,
    QuickTextError,
    deal_totals,
    parse_deal_text,
)

# A case's deal names its dates; only "DA" would depend on the day it is traded.
_TRADED_AT = datetime(2026, 1, 5, 12, tzinfo=UTC)


def deal(question: Question) -> dict[str, Any]:
    """Answer hours, volume and notional of a deal given as quick text, as far as it has them."""
    question.require("deal")
    try:
        said = parse_deal_text(
            question.inputs["deal"], areas=REFERENCE_MARKETS, indices=REFERENCE_INDICES,
            traded_at=_TRADED_AT,
        )  # fmt: skip
    except (QuickTextError, MoneyError) as error:
        raise Unsupported(str(error)) from error
    sums = deal_totals(said.deal)
    found: dict[str, Any] = {"hours": sums.hours, sums.unit.lower(): sums.volume}
    if sums.energy_mwh is not None:
        found["mwh"] = sums.energy_mwh
    if sums.notional is not None:
        found[f"notional_{sums.notional.currency.lower()}"] = sums.notional.amount
    return {name: value for name, value in found.items() if value is not None}


def register_adapters() -> None:
    """Register trading's adapters; doing it twice changes nothing."""
    adapters.register("delivery_periods", deal)
    adapters.register("pnl_explain", "trading.pricing_cases.options:pnl_explain")
    for topic in ("asian_turnbull_wakeman", "apo_turnbull_wakeman"):
        adapters.register(topic, "trading.pricing_cases.averages:fixings_average")
    adapters.register("asian_levy", "trading.pricing_cases.averages:continuous_average")
