"""Adapters of model validation: deals as traders write them, through the product's own parser."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from energyopti.foundation.money import MoneyError
from energyopti.foundation.validation.registry import Question, Unsupported, adapters
from energyopti.foundation.validation.shipped import ship_cases
from trading.deals import (
    REFERENCE_INDICES,
    REFERENCE_MARKETS,
    QuickTextError,
    deal_totals,
    parse_deal_text,
)

# A case's deal names its dates; only "DA" would depend on the day it is traded.
_TRADED_AT = datetime(2026, 1, 5, 12, tzinfo=UTC)

# By name, because these import NumPy: topic → module and function of `trading.pricing_cases`.
_PRICING_CASES = {
    "american_forward": "early_exercise:american_forward",
    "apo_turnbull_wakeman": "averages:fixings_average",
    "asian_levy": "averages:continuous_average",
    "asian_turnbull_wakeman": "averages:fixings_average",
    "bachelier": "options:bachelier_case",
    "bermudan_forward": "early_exercise:bermudan_forward",
    "black76": "options:black76_case",
    "black76_implied_vol": "options:black76_implied_case",
    "kirk_spread": "spreads:kirk_case",
    "margrabe": "spreads:margrabe_case",
    "pnl_explain": "options:pnl_explain",
    "storage_intrinsic": "structures:storage",
    "swing_option": "structures:swing",
    "vpp_intrinsic": "structures:plant",
    "spread_exact": "spreads:spread_case",
}


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
    """Register trading's adapters and shipped cases; doing it twice changes nothing."""
    ship_cases("trading", Path(__file__).with_name("shipped_cases.json"))
    adapters.register("delivery_periods", deal)
    for topic, adapter in _PRICING_CASES.items():
        adapters.register(topic, f"trading.pricing_cases.{adapter}")
