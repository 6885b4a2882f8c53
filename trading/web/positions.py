"""Positions by delivery month, with their value on the latest curves."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.scope import scope_of
from trading.queries.books import chosen_books
from trading.queries.valued import valued_positions


@require_permission("trading.view_positiontotal")
def positions(request: HttpRequest) -> HttpResponse:
    """Show what the reader's books, or the chosen one with those below it, hold by month."""
    actor, now = actor_of(request), clock.now()
    scope = scope_of(request, actor=actor, today=now.date(), reads={"book"})
    found = valued_positions(chosen_books(actor, scope.value("book")), valued_at=now)
    return render(
        request,
        "trades/positions.html",
        {
            "rows": found.rows,
            "sums": found.values,
            "valued_at": now,
            "curves_at": found.curves_at,
            "unvalued": found.unvalued,
        },
    )
