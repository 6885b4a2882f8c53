"""The state of a limit scope (a book with the books below it) as pages and sockets show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from energyopti.accounts.actors import Actor
from risk.models import Limit, LimitBreach, RiskNumber, ScopeVector
from trading.queries.books import BookRow, book_for, books_for, reporting_currency, subtree

from .bases import Basis, basis, from_bytes, latest_basis
from .choices import ChoiceValue
from .history import latest_changes
from .holdings import holdings_of, value_holdings

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


def book_state(book_id: UUID) -> dict[str, Any]:
    """
    Return everything that the risk page shows of a book: JSON values, as frames carry them.

    `revision` rises with every change of the scope; `as_of` is the valuation time.
    """
    scope = scopes([book_id]).get(book_id)
    on = scope.basis if scope else latest_basis()
    if on is None:
        return {
            "book": str(book_id), "revision": 0, "as_of": None, "var": None, "es": None,
            "value": None, "currency": "", "convention": "", "positions": [], "choices": [],
            "choice_count": 0,
            "limits": [], "unvalued": 0, "findings": [], "changes": [],
            "problem": "There is no curve with a quote history to value on yet.",
        }  # fmt: skip
    currency = scope.currency if scope else reporting_currency(book_id)
    valuation = value_holdings(holdings_of(subtree(book_id)), on, currency=currency)
    tail = scope_tail(scope) if scope else None
    return {
        "book": str(book_id),
        "revision": scope.sequence if scope else 0,
        "as_of": on.valued_at.isoformat(),
        "var": tail.var if tail else 0.0,
        "es": tail.es if tail else 0.0,
        "value": valuation.base_value,
        "currency": currency,
        "convention": convention(on).sentence(),
        "positions": [{**asdict(r), "month": f"{r.month:%Y-%m}"} for r in valuation.rows],
        "limits": _limit_uses(book_id, scope),
        "changes": latest_changes(book_id),
        "choices": [
            {**asdict(r), "first": f"{r.first:%Y-%m-%d}", "last": f"{r.last:%Y-%m-%d}"}
            for r in sorted(valuation.choices, key=_first_to_see)[:SHOWN_CHOICES]
        ],
        "choice_count": len(valuation.choices),
        "unvalued": len(valuation.unvalued),
        "findings": list(valuation.held),
        "problem": "",
    }


def _first_to_see(row: ChoiceValue) -> tuple[bool, float, str]:
    """Put what has no value first, then the largest."""
    return row.value is not None, -abs(row.value or 0.0), row.trade


def _limit_uses(book_id: UUID, scope: Scope | None) -> list[dict[str, Any]]:
    found = []
    for limit in Limit.objects.filter(book_id=book_id, is_active=True).order_by("confidence"):
        used = scope_tail(scope, limit.confidence).var if scope else 0.0
        amount = float(limit.amount)
        found.append(
            {
                "id": limit.pk,
                "measure": f"VaR {(limit.confidence * 100).normalize():f} %",
                "used": used,
                "amount": amount,
                "share": max(0.0, used / amount),
                "currency": limit.currency,
                "is_breached": used > amount,
            }
        )
    return found


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


def breaches_of(book_id: UUID, *, count: int = 20) -> list[dict[str, Any]]:
    """Return the latest breaches of a book's limits, newest first."""
    rows = (
        LimitBreach.objects.filter(limit__book_id=book_id)
        .select_related("limit")
        .order_by("-id")[:count]
    )
    return [
        {
            "id": row.pk,
            "detected_at": row.detected_at,
            "measure": f"VaR {(row.limit.confidence * 100).normalize():f} %",
            "before": row.before,
            "after": row.after,
            "amount": row.amount,
            "currency": row.limit.currency,
            "cause": row.cause,
        }
        for row in rows
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
