"""
Checks before a trade: trading declares the question, higher apps register their answers.

A check that does not apply passes; one that cannot tell says so with a hard result. Capture
refuses to work while a required check is missing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from energyopti.foundation.registry import Registry
from trading.deals import Deal, PositionDelta


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
    A deal that is not booked yet, or new terms for one that is, as checks see it.

    book_path       ids of the book and its ancestors, the book first: the limit scopes
    market_id       of the deal's first leg
    market_ids      by code, all that the deal adds positions in
    deltas          what the deal adds to positions
    currency        of the deal and of the book
    trade_id        of the trade whose terms these are to be, None for a new one
    """

    organization_id: UUID
    book_id: UUID
    book_path: tuple[UUID, ...]
    counterparty_id: UUID
    market_id: int
    market_ids: Mapping[str, int]
    deal: Deal
    deltas: tuple[PositionDelta, ...]
    currency: str
    traded_at: datetime
    client_reference: str = ""
    trade_id: int | None = None


@dataclass(frozen=True)
class VersionStage:
    """A version of a trade and the status that it led to."""

    version_id: int
    status: str


@dataclass(frozen=True)
class Change:
    """
    A version that has just been written in the open transaction, as change steps see it.

    book_path   as of a proposal
    before      the version that held until now, None for a new trade
    is_fact     True if it tells of what has happened, so that no check could stop it
    """

    organization_id: UUID
    book_path: tuple[UUID, ...]
    currency: str
    trade_id: int
    trade_ref: str
    before: VersionStage | None
    after: VersionStage
    is_fact: bool
    results: tuple[CheckResult, ...]
    actor: Any


Check = Callable[[Proposal], CheckResult]
ChangeStep = Callable[[Change], None]

# Sight of the same deal twice, of prices and of what a book may deal in is trading's own; value
# at risk is risk's.
CHECKS: Registry[Check] = Registry(
    "trade checks",
    required=frozenset({"approved_product", "duplicate", "price_sanity", "var_limit"}),
)
# Run inside the transaction of each version, under the locks of the limit scopes.
CHANGE_STEPS: Registry[ChangeStep] = Registry("change steps", required=frozenset({"risk_vectors"}))


def run_checks(proposal: Proposal) -> tuple[CheckResult, ...]:
    """
    Ask every registered check, in the order of registration.

    :raises MissingEntry: while a required check is missing; no trade passes unchecked.
    """
    CHECKS.verify()
    return tuple(check(proposal) for check in CHECKS.values())
