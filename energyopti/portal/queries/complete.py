"""Everything that an actor may see of its desk in one answer: each app is asked once, at most."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from billing.queries.complete import contracts_at_a_glance
from compliance.audit.queries.status import chain_at_a_glance
from compliance.esg.queries.reports import reports_at_a_glance
from energyopti.accounts.actors import Actor
from risk.queries.complete import risk_at_a_glance
from trading.queries.books import book_ids
from trading.queries.complete import PARTS as TRADING
from trading.queries.complete import trading_at_a_glance

BREACHES_SINCE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Part:
    """
    A part of the view: the permission it takes, and of a token the scope as well.

    scope   None: no token shows it
    """

    permission: str
    scope: str | None


PARTS: dict[str, Part] = {
    "contracts.agreements": Part(TRADING["agreements"], "reference:read"),
    "contracts.supply": Part("billing.view_contract", "billing:read"),
    "trades": Part(TRADING["trades"], "trades:read"),
    "positions": Part(TRADING["positions"], "trades:read"),
    "risk": Part("risk.view_risk", "risk:read"),
    "compliance.carbon_reports": Part("esg.view_carbonreport", "carbon:read"),
    "compliance.audit": Part("audit.view_auditrecord", None),
}


def complete_view(
    actor: Actor, *, now: datetime, scopes: Collection[str] | None = None
) -> dict[str, Any]:
    """
    Return contracts, trades, positions, risk and compliance of an actor; at most five queries.

    What the actor may see (organizations, books, permissions) is asked before, once per actor.

    scopes  of the token that asks, None for a person with a session

    A part that the roles or the token do not show is absent and named under `not_permitted`.
    """
    shown = [
        name
        for name, part in PARTS.items()
        if actor.may(part.permission) and (scopes is None or part.scope in scopes)
    ]
    found: dict[str, Any] = {
        "as_of": now,
        "not_permitted": [name for name in PARTS if name not in shown],
    }
    of_trading = [name.removeprefix("contracts.") for name in shown]
    desk: dict[str, Any] = {"books": {}}
    if "risk" in shown or any(part in TRADING for part in of_trading):
        desk = trading_at_a_glance(actor, parts=of_trading, today=now.date())
    contracts: dict[str, Any] = {}
    compliance: dict[str, Any] = {}
    if "contracts.agreements" in shown:
        contracts["agreements"] = desk["agreements"]
    if "contracts.supply" in shown:
        contracts["supply"] = contracts_at_a_glance(actor)
    for name in ("trades", "positions"):
        if name in shown:
            found[name] = desk[name]
    if "risk" in shown:
        found["risk"] = _risk(actor, desk["books"], now)
    if "compliance.carbon_reports" in shown:
        compliance["carbon_reports"] = reports_at_a_glance(actor)
    if "compliance.audit" in shown:
        compliance["audit"] = chain_at_a_glance(actor)
    for name, parts in (("contracts", contracts), ("compliance", compliance)):
        if parts:
            found[name] = parts
    return found


def _risk(actor: Actor, codes: dict[str, str], now: datetime) -> list[dict[str, Any]]:
    found = risk_at_a_glance(actor, book_ids(actor), since=now - BREACHES_SINCE)
    rows = [{"book": codes[str(book_id)], **state} for book_id, state in found.items()]
    return sorted(rows, key=lambda row: str(row["book"]))
