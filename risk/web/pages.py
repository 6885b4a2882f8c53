"""The risk page: a book's VaR, ES and value, live; its limits, positions and history."""

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.scope import scope_of
from risk.queries.book_state import book_state, breaches_of
from risk.queries.history import days_against_var
from risk.queries.scenario_definitions import VIEW as VIEW_STRESSES
from risk.queries.scopes import books_with_risk, risk_history, watched_book
from risk.queries.stresses import latest_run
from trading.queries.books import UnknownBook


@require_permission("risk.view_risk")
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show the chosen book, or the first that the reader may see."""
    actor = actor_of(request)
    books = books_with_risk(actor)
    scope = scope_of(
        request, actor=actor, today=clock.now().date(), reads={"book"}, one_of={"book"}
    )
    chosen = scope.value("book")
    book = next((b for b in books if str(b.id) == chosen), books[0] if books else None)
    if book is None:
        return render(request, "risk/home.html", {"book": None})
    return render(request, "risk/home.html", _context(request, book))


@require_permission("risk.view_risk")
@require_GET
def state(request: HttpRequest, book_id: UUID) -> JsonResponse:
    """Return a book's state as frames carry it, for pages whose feed is lost."""
    return JsonResponse({**book_state(_book(request, book_id).id), "topic": f"book:{book_id}"})


def _book(request: HttpRequest, book_id: UUID) -> Any:
    try:
        return watched_book(actor_of(request), book_id)
    except UnknownBook as error:
        raise Http404(str(error)) from error


def _context(request: HttpRequest, book: Any) -> dict[str, Any]:
    actor = actor_of(request)
    history, state = risk_history(book.id), book_state(book.id)
    return {
        "book": book,
        "state": state,
        "valued_at": datetime.fromisoformat(state["as_of"]) if state["as_of"] else None,
        "history": history,
        "points": [(n.recorded_at, [n.var, n.es, n.value]) for n in reversed(history)],
        "breaches": breaches_of(book.id),
        **_against_var(actor, book.id),
        **_worst_stress(actor, book.id),
        "may_set_limit": actor.may("risk.set_limit"),
    }


def _worst_stress(actor: Actor, book_id: UUID) -> dict[str, Any]:
    """Return the stress that the latest run of the book lost the most by, for who may see it."""
    run = latest_run(actor, book_id) if actor.may(VIEW_STRESSES) else None
    known = [one for one in run.results if one["pnl"] is not None] if run else []
    return {"stress_run": run, "worst_stress": min(known, key=lambda one: one["pnl"], default=None)}


def _against_var(actor: Actor, book_id: UUID) -> dict[str, Any]:
    """Return the days that both P&L and VaR are known of, for who may see P&L."""
    if not actor.may("trading.view_pnlreport"):
        return {"days": []}
    days = [day for day in days_against_var(actor, book_id) if day.var is not None]
    return {
        "days": days,
        "day_points": [
            (datetime.combine(d.day, time(), UTC), [d.clean, d.pnl, -(d.var or 0.0)]) for d in days
        ],
        "exceedances": [day.day for day in days if day.is_exceedance],
    }
