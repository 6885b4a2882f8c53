"""The page of one trade, and the page of what waits for somebody."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from trading.deals import Deal
from trading.panels import panels_of
from trading.queries.deals import deal_of, proposed_deal_of
from trading.queries.floating_cash import floating_cash
from trading.queries.metering import metered_totals, shown_months
from trading.queries.option_values import VIEW, OptionView, option_of_trade
from trading.queries.options import outcomes_of, paid_months
from trading.queries.payments import payment_due
from trading.queries.positions import positions_of_trade
from trading.queries.summaries import WITH_STRIKE
from trading.queries.trade_page import (
    WAITING_SHOWN,
    cash_flows,
    chosen_versions,
    compare,
    compare_terms,
    leg_rows,
    siblings,
    structure_rows,
    waiting,
)
from trading.queries.trades import UnknownTrade, trade_by_ref, versions_of
from trading.services.locks import server_time

from .verbs import offered

LEVELS = {
    "LIVE": "good", "PENDING": "warn", "DRAFT": "info", "CANCELLED": "bad", "TERMINATED": "warn",
}  # fmt: skip


@require_permission("trading.view_trade")
def trade(request: HttpRequest, ref: str) -> HttpResponse:
    """Show one trade: its terms by leg, checks, months, cash, versions and what may be done."""
    actor = actor_of(request)
    try:
        version = trade_by_ref(actor, ref)
    except UnknownTrade as error:
        raise Http404(str(error)) from error
    deal, versions = deal_of(version), versions_of(version.trade_id)
    for row in versions:
        row.trade = version.trade
    compared = chosen_versions(versions, request.GET)
    months, unread = shown_months(version, deal)
    outcomes = outcomes_of(version.trade_id) if deal.choices else []
    return render(
        request,
        "trades/detail.html",
        {
            "version": version,
            "trade": version.trade,
            "level": LEVELS.get(version.trade.status, ""),
            "deal": deal,
            "has_strike": version.product_kind in WITH_STRIKE,
            "legs": leg_rows(deal),
            "choices": [structure_rows(leg) for leg in deal.structures],
            "cash": cash_flows(version, deal, months),
            "floating": floating_cash(deal, months, as_of=clock.now(), known_at=server_time()),
            "metered": months,
            "metering_unread": unread,
            "metered_totals": metered_totals(months),
            "option": _option(actor, version, deal),
            "outcomes": outcomes,
            "paid": paid_months(outcomes, version.market.calendar),
            "deltas": positions_of_trade(
                version.trade_id, stage="PENDING" if version.trade.status == "PENDING" else "LIVE"
            ),
            "versions": versions,
            "compared": compared,
            "differences": [d for d in compare(*compared) if d.is_change] if compared else [],
            "verbs": offered(actor, version, deal),
            "proposed": (
                compare_terms(deal, proposed_deal_of(version)) if version.event == "PROPOSE" else []
            ),
            "due": payment_due(version),
            "siblings": siblings(actor, version.trade),
            "panels": [
                render_to_string(panel.template, panel.context(actor, version), request=request)
                for panel in panels_of(actor)
            ],
        },
    )


def _option(actor: Actor, version: Any, deal: Deal) -> OptionView | None:
    """Return the value and Greeks of options, for those who may see values."""
    if not deal.options or not actor.may(VIEW):
        return None
    return option_of_trade(version, now=clock.now(), known_at=server_time())


@require_permission("trading.view_trade")
def waiting_trades(request: HttpRequest) -> HttpResponse:
    """Show the trades that wait for release and the drafts of the actor's books."""
    actor = actor_of(request)
    pending, proposed, drafts = waiting(actor)
    tables: list[dict[str, Any]] = [
        {"title": "For release", "id": "pending", "rows": pending,
         "empty": "No trade waits for a second person."},
        {"title": "Amendments", "id": "amendments", "rows": proposed,
         "empty": "No amendment waits for a second person."},
        {"title": "Drafts", "id": "drafts", "rows": drafts, "empty": "There are no drafts."},
    ]  # fmt: skip
    return render(request, "trades/waiting.html", {"tables": tables, "most": WAITING_SHOWN})
