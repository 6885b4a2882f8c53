"""Vectors of the books, each with those below it, and how numbers are read from them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from energyopti.accounts.actors import Actor
from risk.models import RiskNumber, ScopeVector
from trading.queries.books import BookRow, book_for, books_for

from .bases import Basis, basis, from_bytes

if TYPE_CHECKING:
    from risk.engine import Convention, TailRisk

    from .bases import Floats

# Options are many where months are few: a frame carries these.
SHOWN_CHOICES = 50
DEFAULT_CONFIDENCE = Decimal("0.99")


@dataclass(frozen=True, slots=True)
class Scope:
    """
    A scope's vector on its basis; `sequence` counts its changes.

    pending     vector of what waits for release: reserved in limits, in no value or P&L
    """

    book_id: UUID
    basis: Basis
    currency: str
    base_value: float
    pnl: Floats
    sequence: int
    pending: Floats | None = None

    @property
    def reserved(self) -> Floats:
        """Return the vector with what waits for release, as limits count it."""
        return self.pnl if self.pending is None else self.pnl + self.pending


def pending_of(row: ScopeVector, on: Basis) -> Floats:
    """Return the vector of what waits for release in a scope."""
    return from_bytes(row.pending_values) if len(row.pending_values) else on.zeros()


def scopes(book_ids: Iterable[UUID]) -> dict[UUID, Scope]:
    """Return the scopes of some books, those that have one."""
    return {
        row.book_id: Scope(
            book_id=row.book_id,
            basis=(on := basis(row.snapshot_id)),
            currency=row.currency,
            base_value=row.base_value,
            pnl=from_bytes(row.values),
            sequence=row.sequence,
            pending=pending_of(row, on),
        )
        for row in ScopeVector.objects.filter(book_id__in=list(book_ids))
    }


def waiting_scopes(book_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Return the books in which something waits for release."""
    return frozenset(
        key
        for key, scope in scopes(book_ids).items()
        if scope.pending is not None and scope.pending.any()
    )


def convention(of: Basis, confidence: Decimal = DEFAULT_CONFIDENCE) -> Convention:
    """Return the convention of numbers that are read from vectors of a basis."""
    return rule_of(
        confidence, scenarios=of.scenario_count, method=of.method, horizon_days=of.horizon_days
    )


def rule_of(confidence: Decimal, *, scenarios: int, method: str, horizon_days: int) -> Convention:
    """Return the convention of historical simulation on as many scenarios, made by a method."""
    from risk.engine import Convention

    return Convention(
        confidence=confidence,
        horizon_days=horizon_days,
        method=f"historical simulation, {scenarios} scenarios, {method}",
    )


def scope_tail(scope: Scope, confidence: Decimal = DEFAULT_CONFIDENCE) -> TailRisk:
    """Return VaR and ES of a scope."""
    from risk.engine import tail_risk

    return tail_risk(scope.pnl, convention(scope.basis, confidence))


@dataclass(frozen=True, slots=True)
class NumberRow:
    """One point of a scope's history."""

    sequence: int
    recorded_at: datetime
    valued_at: datetime
    var: float
    es: float
    value: float
    currency: str
    cause: str


def risk_history(book_id: UUID, *, count: int = 50) -> list[NumberRow]:
    """Return the latest numbers of a scope, newest first."""
    rows = RiskNumber.objects.filter(book_id=book_id).order_by("-sequence")[:count]
    return [
        NumberRow(r.sequence, r.recorded_at, r.valued_at, r.var, r.es, r.value, r.currency, r.cause)
        for r in rows
    ]


def books_with_risk(actor: Actor) -> list[BookRow]:
    """Return the books whose risk the actor may see."""
    return books_for(actor)


def watched_book(actor: Actor, book_id: UUID) -> BookRow:
    """
    Return a book whose risk the actor may see.

    :raises UnknownBook: if it is not among them.
    """
    return book_for(actor, book_id)
