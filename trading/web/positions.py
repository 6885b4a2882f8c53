"""Positions by delivery month, with their value on the latest curves."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.scope import scope_of
from energyopti.foundation.units import energy_mwh
from trading.deals import LoadType
from trading.queries.books import book_ids, subtree
from trading.queries.marks import month_marks
from trading.queries.positions import positions_of


@dataclass(frozen=True, slots=True)
class PositionRow:
    """One line of the page; price and value are None where no curve speaks of the month."""

    market: str
    month: date
    product: str
    mw: float
    hours: float
    energy_mwh: float
    average_price: float | None
    price: float | None
    value: float | None
    currency: str


@require_permission("trading.view_positiontotal")
def positions(request: HttpRequest) -> HttpResponse:
    """Show what the reader's books, or the chosen one with those below it, hold by month."""
    actor, now = actor_of(request), clock.now()
    scope = scope_of(request, actor=actor, today=now.date())
    book = scope.value("book")
    ids = subtree(UUID(book)) & book_ids(actor) if book else book_ids(actor)
    held = positions_of(ids)
    marks = month_marks(as_of=now, market_ids={p.market_id for p in held}) if held else {}
    rows: list[PositionRow] = []
    sums: dict[str, float] = defaultdict(float)
    for p in held:
        hours, mw = p.hours_from(now), float(p.mw)
        mark = marks.get(p.market_id)
        price = mark.prices.get(p.month) if mark and p.load_type is LoadType.BASE else None
        value = None if price is None else hours * (price * mw - float(p.mw_price))
        if value is not None:
            sums[p.currency] += value
        rows.append(
            PositionRow(
                p.market_code,
                p.month,
                p.load_type.value.title(),
                mw,
                hours,
                float(energy_mwh(1.0, hours)) * mw,
                float(p.mw_price / p.mw) if p.mw else None,
                price,
                value,
                p.currency,
            )
        )
    return render(
        request,
        "trades/positions.html",
        {
            "rows": rows,
            "sums": sorted(sums.items()),
            "valued_at": now,
            "unvalued": sum(row.value is None and row.hours > 0 for row in rows),
        },
    )
