"""A book's risk as pages and sockets show it: numbers, limits with their use, and breaches."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from energyopti.foundation import clock
from risk.enums import BreachState
from risk.models import LimitBreach
from trading.queries.books import reporting_currency, subtree

from .bases import latest_basis
from .choices import ChoiceValue
from .history import latest_changes
from .holdings import holdings_of, value_holdings
from .limit_measures.kinds import limit_name
from .limit_pages import LimitUse, uses_of_book
from .scopes import SHOWN_CHOICES, convention, scope_tail, scopes


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
            "choice_count": 0, "limits": [],
            "unvalued": 0, "findings": [], "changes": [],
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
        "limits": [shown_use(one) for one in uses_of_book(book_id, at=clock.now())],
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


def breaches_of(book_id: UUID, *, count: int = 20) -> list[dict[str, Any]]:
    """Return the latest breaches of a book's limits, newest first."""
    rows = (
        LimitBreach.objects.filter(limit__book_id=book_id)
        .select_related("limit__market", "limit__commodity")
        .order_by("-id")[:count]
    )
    return [
        {
            "id": row.pk,
            "detected_at": row.detected_at,
            "measure": limit_name(row.limit),
            "before": row.before,
            "after": row.after,
            "amount": row.amount,
            "unit": row.limit.unit,
            "cause": row.cause,
            "state": BreachState(row.state).label,
        }
        for row in rows
    ]


def shown_use(use: LimitUse) -> dict[str, Any]:
    """Return a limit and its use as frames carry it; JSON values."""
    return {
        "id": use.limit.pk,
        "measure": use.name,
        "used": use.used,
        "amount": float(use.allowed),
        "share": use.share,
        "warn_share": float(use.limit.warn_share),
        "unit": use.limit.unit,
        "level": use.level,
        "state": use.state,
        "is_breached": use.is_breached,
        "problem": use.problem,
    }
