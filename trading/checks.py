"""
Checks before a trade: trading declares the question, higher apps register their answers.

A check that does not apply passes; one that cannot tell says so with a hard result. Capture
refuses to work while a required check is missing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID

from energyopti.foundation.registry import Registry
from trading.deals import Deal, PositionDelta, Totals, deal_totals


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
    lines           what a check of several numbers found of each; it speaks for the worst
    """

    check: str
    outcome: Outcome
    reason: str
    before: float | None = None
    after: float | None = None
    limit: float | None = None
    unit: str = ""
    lines: tuple["CheckResult", ...] = ()

    @property
    def told(self) -> tuple["CheckResult", ...]:
        """Return what is shown of it: its lines, or itself where it has none."""
        return self.lines or (self,)

    def as_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "check": self.check,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "before": self.before,
            "after": self.after,
            "limit": self.limit,
            "unit": self.unit,
        }
        if self.lines:
            shown["lines"] = [line.as_json() for line in self.lines]
        return shown


@dataclass(frozen=True)
class Proposal:
    """
    A deal that is not booked yet, or new terms for one that is, as checks see it.

    book_path       ids of the book and its ancestors, the book first: the limit scopes
    trader          id of the actor who dealt, empty where nobody is known
    received_at     when the deal or the change came; what is checked is checked as of then
    market_id       of the deal's first leg
    market_ids      by code, all that the deal adds positions in
    deltas          what the deal adds to positions
    currency        of the deal: what its legs are paid in
    trade_id        of the trade whose terms these are to be, None for a new one
    reporting_currency  of the book; that of the deal if left out
    rate            reporting currency per unit of `currency` when the deal came, 1 for the same
                    one; None where none was known, which only an executed fact may be
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
    trader: str
    received_at: datetime
    client_reference: str = ""
    trade_id: int | None = None
    reporting_currency: str = ""
    rate: Decimal | None = Decimal(1)

    def __post_init__(self) -> None:
        if not self.reporting_currency:
            object.__setattr__(self, "reporting_currency", self.currency)

    @property
    def is_foreign(self) -> bool:
        """Say whether the deal is in another currency than its book."""
        return self.currency != self.reporting_currency

    @property
    def reported_notional(self) -> Decimal | None:
        """Return the notional in the book's currency, as thresholds compare it; None without."""
        notional = self.totals.notional
        if notional is None or self.rate is None:
            return None
        return notional.amount * self.rate

    @cached_property
    def totals(self) -> Totals:
        """Return what the deal delivers and costs, worked out once."""
        return deal_totals(self.deal)


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
    trader      as of a proposal
    before      the version that held until now, None for a new trade
    is_fact     True if it tells of what has happened, so that no check could stop it
    """

    organization_id: UUID
    book_path: tuple[UUID, ...]
    currency: str
    trade_id: int
    trade_ref: str
    trader: str
    counterparty_id: UUID
    before: VersionStage | None
    after: VersionStage
    is_fact: bool
    results: tuple[CheckResult, ...]
    actor: Any


@dataclass(frozen=True)
class NewTrade:
    """One of many new trades written together: its first version, and what it was made of."""

    change: Change
    proposal: Proposal

    @property
    def is_live(self) -> bool:
        """Tell a trade that is held from one that waits for release."""
        return self.change.after.status == "LIVE"


Check = Callable[[Proposal], CheckResult]
ChangeStep = Callable[[Change], None]
ChecksOfMany = Callable[[Sequence[Proposal]], Sequence[CheckResult]]
StepOfMany = Callable[[Sequence[NewTrade]], None]

# Sight of the same deal twice, of prices and of what a book may deal in is trading's own; limits
# are risk's.
CHECKS: Registry[Check] = Registry(
    "trade checks",
    required=frozenset({"approved_product", "duplicate", "limits", "price_sanity"}),
)
# Run inside the transaction of each version, under the locks of the limit scopes.
CHANGE_STEPS: Registry[ChangeStep] = Registry("change steps", required=frozenset({"risk_vectors"}))

# The same questions asked of many new deals at once, by the names that they have above. An answer
# is what the check itself would say of each deal if those before it were booked. What depends on
# nothing that they change needs no entry: it is asked deal by deal.
CHECKS_OF_MANY: Registry[ChecksOfMany] = Registry(
    "trade checks of many", required=frozenset({"duplicate", "limits"})
)
STEPS_OF_MANY: Registry[StepOfMany] = Registry(
    "change steps of many", required=frozenset({"risk_vectors"})
)


def run_checks(proposal: Proposal) -> tuple[CheckResult, ...]:
    """
    Ask every registered check, in the order of registration.

    :raises MissingEntry: while a required check is missing; no trade passes unchecked.
    """
    CHECKS.verify()
    return (*(check(proposal) for check in CHECKS.values()), *_exchange(proposal))


def run_checks_of_many(proposals: Sequence[Proposal]) -> list[tuple[CheckResult, ...]]:
    """
    Ask every registered check of many new deals, each as if those before it were booked.

    :raises MissingEntry: while a required check is missing; no trade passes unchecked.
    """
    CHECKS.verify()
    CHECKS_OF_MANY.verify()
    answers: list[Sequence[CheckResult]] = []
    for name, check in CHECKS.items():
        if name in CHECKS_OF_MANY:
            answers.append(CHECKS_OF_MANY[name](proposals))
        else:
            answers.append([check(proposal) for proposal in proposals])
    return [
        (*said, *_exchange(proposal))
        for proposal, said in zip(proposals, zip(*answers, strict=True), strict=True)
    ]


def _exchange(proposal: Proposal) -> tuple[CheckResult, ...]:
    """State at which rate a deal in another currency than its book's was compared."""
    if not proposal.is_foreign:
        return ()
    pair = f"{proposal.currency}/{proposal.reporting_currency}"
    if proposal.rate is None:
        return (
            CheckResult(
                "exchange_rate", Outcome.SOFT,
                f"{pair} is not known: the book cannot be valued until it is entered under"
                " exchange rates.",
            ),
        )  # fmt: skip
    return (
        CheckResult(
            "exchange_rate", Outcome.PASS,
            f"Amounts are compared in {proposal.reporting_currency} at the spot of"
            f" {proposal.rate.normalize():f}.",
            after=float(proposal.rate), unit=pair,
        ),
    )  # fmt: skip


def run_steps_of_many(trades: Sequence[NewTrade]) -> None:
    """
    Run every change step for many new trades, in the transaction that wrote them.

    :raises MissingEntry: while a required step is missing.
    """
    CHANGE_STEPS.verify()
    STEPS_OF_MANY.verify()
    for name, step in CHANGE_STEPS.items():
        if name in STEPS_OF_MANY:
            STEPS_OF_MANY[name](trades)
            continue
        for trade in trades:
            step(trade.change)
