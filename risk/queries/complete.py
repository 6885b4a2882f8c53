"""What risk has for an actor's complete view: VaR, its limits, breaches; one query."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from energyopti.accounts.actors import Actor

from .bases import from_bytes
from .scopes import DEFAULT_CONFIDENCE, rule_of

PERMISSION = "risk.view_risk"
SHOWN_BREACHES = 20

_SCOPES = """
SELECT asked.book_id, scope."values", scope.currency, scope.base_value, scope.sequence,
       snapshot.valued_at, scenarios.method, scenarios.horizon_days, limits.found, breaches.found
FROM unnest(%(books)s::uuid[]) AS asked (book_id)
LEFT JOIN risk_scopevector scope ON scope.book_id = asked.book_id
LEFT JOIN risk_marketsnapshot snapshot ON snapshot.id = scope.snapshot_id
LEFT JOIN risk_scenarioset scenarios ON scenarios.id = snapshot.scenario_set_id
CROSS JOIN LATERAL (
    SELECT json_agg(json_build_object('id', held.id, 'confidence', held.confidence::text,
                                      'amount', held.amount::text, 'currency', held.unit)
                    ORDER BY held.confidence, held.id) AS found
    FROM risk_limit held
    WHERE held.book_id = asked.book_id AND held.is_active AND held.measure = 'VAR'
) limits
CROSS JOIN LATERAL (
    SELECT json_agg(shown ORDER BY shown.id DESC) AS found FROM (
        SELECT breach.id, breach.detected_at, breach.before, breach.after, breach.amount::text,
               held.unit AS currency, breach.cause
        FROM risk_limitbreach breach JOIN risk_limit held ON held.id = breach.limit_id
        WHERE held.book_id = asked.book_id AND breach.detected_at >= %(since)s
        ORDER BY breach.id DESC LIMIT %(shown)s
    ) shown
) breaches
WHERE scope.book_id IS NOT NULL OR limits.found IS NOT NULL
"""


def risk_at_a_glance(
    actor: Actor, books: Iterable[UUID], *, since: datetime
) -> dict[UUID, dict[str, Any]]:
    """
    Return of each book with risk or a limit, with those below it, VaR and ES as positive losses.

    A book that nothing was valued of yet has none: `valued_at` is None and `convention` empty.

    books   that the actor reaches
    since   from when breaches are told, the latest 20 of a book

    :raises PermissionMissing: without `risk.view_risk`.
    """
    from risk.engine import tail_risk

    actor.require(PERMISSION)
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(_SCOPES, {"books": list(books), "since": since, "shown": SHOWN_BREACHES})
        rows = cursor.fetchall()
    for book_id, values, currency, value, sequence, valued_at, method, days, held, crossed in rows:
        vars_, es, said = {DEFAULT_CONFIDENCE: 0.0}, 0.0, ""
        if values is not None:
            pnl = from_bytes(values)
            for confidence in {
                DEFAULT_CONFIDENCE,
                *(Decimal(row["confidence"]) for row in held or ()),
            }:
                rule = rule_of(confidence, scenarios=pnl.size, method=method, horizon_days=days)
                tail = tail_risk(pnl, rule)
                vars_[confidence] = tail.var + 0.0
                if confidence == DEFAULT_CONFIDENCE:
                    es, said = tail.es + 0.0, rule.sentence()
        found[book_id] = {
            "revision": sequence or 0,
            "valued_at": valued_at,
            "currency": currency or "",
            "value": value or 0.0,
            "var": vars_[DEFAULT_CONFIDENCE],
            "es": es,
            "convention": said,
            "limits": [_use(row, vars_.get(Decimal(row["confidence"]), 0.0)) for row in held or ()],
            "breaches": crossed or [],
        }
    return found


def _use(limit: dict[str, Any], used: float) -> dict[str, Any]:
    amount = float(limit["amount"])
    return {
        "id": limit["id"],
        "measure": f"VaR {(Decimal(limit['confidence']) * 100).normalize():f} %",
        "amount": limit["amount"],
        "currency": limit["currency"],
        "used": used,
        "share": max(0.0, used / amount),
        "is_breached": used > amount,
    }
