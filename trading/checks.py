"""
Checks before a trade: trading declares the question, higher apps register their answers.

A check that does not apply passes; one that cannot tell says so with a hard result. Capture
refuses to work while a required check is missing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from energyopti.foundation.registry import Registry
from trading.deals import MonthDelivery, PowerForward


class Outcome(StrEnum):
    """What a check says: go on, go on with a reason given by a person, or stop an order."""

    PASS = "PASS"  # noqa: S105 - a word, no password
    SOFT = "SOFT"
    HARD = "HARD"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """
    What one check found.

    reason          for people; what was measured and against what
    before, after   of the measured number, in `unit`, without and with the trade; None if there
                    is no number
    limit           that the number is held against, in `unit`
    """

    check: str
    outcome: Outcome
    reason: str
    before: float | None = None
    after: float | None = None
    limit: float | None = None
    unit: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "check": self.check,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "before": self.before,
            "after": self.after,
            "limit": self.limit,
            "unit": self.unit,
        }


@dataclass(frozen=True)
class Proposal:
    """
    A trade that is not booked yet, as checks see it.

    book_path       ids of the book and its ancestors, the book first: the limit scopes
    deliveries      of the terms, by month
    market_id       of the terms' area
    """

    organization_id: UUID
    book_id: UUID
    book_path: tuple[UUID, ...]
    counterparty_id: UUID
    market_id: int
    terms: PowerForward
    deliveries: tuple[MonthDelivery, ...]
    traded_at: datetime
    client_reference: str = ""


@dataclass(frozen=True)
class Captured:
    """A trade that has just been written in the open transaction, as capture steps see it."""

    proposal: Proposal
    trade_id: int
    trade_ref: str
    trade_version_id: int
    is_fill: bool
    results: tuple[CheckResult, ...]
    actor: Any


Check = Callable[[Proposal], CheckResult]
CaptureStep = Callable[[Captured], None]

# Sight of the same deal twice, of prices and of what a book may deal in is trading's own; value
# at risk is risk's.
CHECKS: Registry[Check] = Registry(
    "trade checks",
    required=frozenset({"approved_product", "duplicate", "price_sanity", "var_limit"}),
)
# Run inside the transaction of the capture, under the locks of the limit scopes.
CAPTURE_STEPS: Registry[CaptureStep] = Registry(
    "capture steps", required=frozenset({"risk_vectors"})
)


def run_checks(proposal: Proposal) -> tuple[CheckResult, ...]:
    """
    Ask every registered check, in the order of registration.

    :raises MissingEntry: while a required check is missing; no trade passes unchecked.
    """
    CHECKS.verify()
    return tuple(check(proposal) for check in CHECKS.values())
