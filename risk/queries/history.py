"""What moved a scope's risk, change by change, and how its risk held against what was made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from energyopti.accounts.actors import Actor
from risk.models import RiskNumber
from trading.queries.daily_pnl import book_days

SHOWN_CHANGES = 10
_CAUSES = {"curves": "New curves", "recomputed": "Computed anew"}


def latest_changes(book_id: UUID, *, count: int = SHOWN_CHANGES) -> list[dict[str, Any]]:
    """
    Return the latest changes of a scope, the newest first, each with VaR before and after it.

    JSON values, as frames carry them. `trade` is the reference of the deal that made the change,
    empty where new curves or a file of many deals did.
    """
    rows = list(RiskNumber.objects.filter(book_id=book_id).order_by("-sequence")[: count + 1])
    earlier: list[RiskNumber | None] = [*rows[1:], None]
    return [
        {
            "sequence": row.sequence,
            "cause": _CAUSES.get(row.cause, row.cause),
            "trade": "" if row.cause in _CAUSES or ".." in row.cause else row.cause,
            "at": row.recorded_at.isoformat(),
            "var_before": before.var if before else 0.0,
            "var_after": row.var,
            "var_change": row.var - (before.var if before else 0.0),
            "es_change": row.es - (before.es if before else 0.0),
            "value_change": row.value - (before.value if before else 0.0),
        }
        for row, before in zip(rows[:count], earlier, strict=False)
    ]


@dataclass(frozen=True, slots=True)
class DayAgainstVar:
    """
    What a book made in a day beside the VaR that it began the day with.

    pnl             official, of everything; `clean` of the positions that the day began with,
                    from markets and time alone: that is what VaR speaks of
    var             positive loss, None where nothing was known of it when the day began
    """

    day: date
    pnl: float
    clean: float
    var: float | None

    @property
    def is_exceedance(self) -> bool:
        """Say whether the positions lost more than VaR."""
        return self.var is not None and self.clean < -self.var


def days_against_var(actor: Actor, book_id: UUID, *, count: int = 60) -> list[DayAgainstVar]:
    """
    Return the latest days with an official P&L of a book with those below it, the earliest first.

    The VaR of a day is the last one valued by the time that the day opened on, at the confidence
    of the history.

    :raises PermissionMissing: without `trading.view_pnlreport`.
    """
    days = book_days(actor, book_id, count=count)
    known = _var_at(book_id, [one.opened_at for one in days])
    return [
        DayAgainstVar(one.day, float(one.total), float(one.clean), var)
        for one, var in zip(days, known, strict=True)
    ]


def _var_at(book_id: UUID, instants: Iterable[datetime | None]) -> list[float | None]:
    wanted = list(instants)
    ends = [at for at in wanted if at is not None]
    if not ends:
        return [None] * len(wanted)
    numbers = list(
        RiskNumber.objects.filter(book_id=book_id, valued_at__lte=max(ends))
        .order_by("valued_at", "sequence")
        .values_list("valued_at", "var")
    )
    found: list[float | None] = []
    for at in wanted:
        before = [var for valued_at, var in numbers if at is not None and valued_at <= at]
        found.append(before[-1] if before else None)
    return found
