"""
The steps of the end of day: trading declares the registry, higher apps register theirs.

Preparations bring facts up to the close, by verbs with transactions of their own; then the books
are valued; then steps run, each in one transaction. Both go in the order of registration.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from energyopti.accounts.actors import Actor
from energyopti.foundation.registry import Registry
from trading.models import ValuationRun


class About(StrEnum):
    """What a finding is about, and so where it is mended; `Finding.key` says which one."""

    QUOTES = "QUOTES"
    """Quotes of a market; the key is its code."""
    CURVE = "CURVE"
    """The mark of a market; the key is its code."""
    CURVES = "CURVES"
    """Curves that wait for approval."""
    TRADES = "TRADES"
    """Trades that wait for release."""
    TRADE = "TRADE"
    """One trade; the key is its reference."""
    ADJUSTMENTS = "ADJUSTMENTS"
    """Adjustments of P&L that wait for approval."""
    VALUES = "VALUES"
    """What was valued, or could not be."""


@dataclass(frozen=True)
class ToClose:
    """A day that is about to be valued, as preparations see it."""

    organization_id: UUID
    day: date
    as_of: datetime
    actor: Actor


@dataclass(frozen=True)
class Closing:
    """
    A day that is being closed, as steps see it.

    opening     of the day before, None for the first one
    run         what all books were worth at the close; later steps read from it
    """

    organization_id: UUID
    day: date
    as_of: datetime
    known_at: datetime
    opening: ValuationRun | None
    run: ValuationRun
    is_restatement: bool
    actor: Actor


@dataclass(frozen=True)
class Finding:
    """
    What a person should look at before signing.

    figures     numbers behind it as text, by name; of a price check contract, source, theirs,
                ours, difference, tolerance and currency
    """

    text: str
    about: About = About.VALUES
    key: str = ""
    figures: dict[str, str] = field(default_factory=dict)

    def stored(self, step: str) -> dict[str, Any]:
        """Return it as a closing keeps it, with the step that found it."""
        return {"step": step, **asdict(self)}


@dataclass(frozen=True)
class StepResult:
    """What a step did, in a sentence, and what a person should look at before signing."""

    said: str
    findings: tuple[Finding, ...] = ()


Preparation = Callable[[ToClose], StepResult]
ClosingStep = Callable[[Closing], StepResult]

BEFORE_VALUES: Registry[Preparation] = Registry(
    "preparations of the end of day", required=frozenset({"metering"})
)

END_OF_DAY: Registry[ClosingStep] = Registry(
    "end-of-day steps", required=frozenset({"checks", "price_check", "pnl", "risk_run"})
)
