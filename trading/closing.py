"""
The steps of the end of day: trading declares the registry, higher apps register theirs.

Steps run in the order of registration, each in its own transaction, after the books were valued.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from energyopti.accounts.actors import Actor
from energyopti.foundation.registry import Registry
from trading.models import ValuationRun


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


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step did, in a sentence, and what a person should look at before signing."""

    said: str
    findings: tuple[str, ...] = ()


ClosingStep = Callable[[Closing], StepResult]

END_OF_DAY: Registry[ClosingStep] = Registry(
    "end-of-day steps", required=frozenset({"checks", "price_check", "pnl"})
)
