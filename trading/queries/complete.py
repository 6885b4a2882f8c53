"""What trading has for an actor's complete view, in one query."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

from django.db import connection

from energyopti.accounts.actors import Actor

from .books import book_ids

PARTS = {
    "agreements": "trading.view_agreement",
    "trades": "trading.view_trade",
    "positions": "trading.view_positiontotal",
}
SHOWN_TRADES = 25
SHOWN = 500

# Decimals leave as text, as they travel; dates and times are JSON's own ISO 8601.
_BOOKS = """
SELECT coalesce(json_object_agg(id::text, code), '{}') FROM trading_book WHERE id = ANY(%(books)s)
"""
_PART = {
    "agreements": """
SELECT coalesce(json_agg(shown), '[]') FROM (
    SELECT party.code AS counterparty, agreement.kind, agreement.reference,
           agreement.effective_date, agreement.ended_date, agreement.governing_law
    FROM trading_agreement agreement
    JOIN trading_counterparty party ON party.id = agreement.counterparty_id
    WHERE party.organization_id = ANY(%(organizations)s)
      AND (agreement.ended_date IS NULL OR agreement.ended_date > %(today)s)
    ORDER BY party.code, agreement.reference, agreement.id LIMIT %(shown)s
) shown""",
    "trades": """
SELECT json_build_object(
    'count', (SELECT count(*) FROM trading_trade WHERE book_id = ANY(%(books)s)),
    'by_status', (SELECT coalesce(json_object_agg(status, number), '{}') FROM (
        SELECT status, count(*) AS number FROM trading_trade
        WHERE book_id = ANY(%(books)s) GROUP BY status) counted),
    'newest', (SELECT coalesce(json_agg(shown), '[]') FROM (
        SELECT trade.ref, version.version, version.status, book.code AS book,
               party.code AS counterparty, version.product_kind AS product, version.side,
               market.code AS market, version.period_name AS period,
               trim_scale(version.quantity)::text AS quantity, version.quantity_unit,
               trim_scale(version.price)::text AS price, version.currency, version.traded_at
        FROM trading_trade trade
        JOIN trading_tradeversion version
             ON version.trade_id = trade.id AND version.version = trade.latest_version
        JOIN trading_book book ON book.id = trade.book_id
        JOIN trading_counterparty party ON party.id = trade.counterparty_id
        JOIN trading_market market ON market.id = version.market_id
        WHERE trade.book_id = ANY(%(books)s)
        ORDER BY trade.id DESC LIMIT %(shown_trades)s) shown))""",
    "positions": """
SELECT coalesce(json_agg(shown), '[]') FROM (
    SELECT market.code AS delivery_point, total.month, total.shape AS product, total.basis AS per,
           total.unit, total.currency, trim_scale(sum(total.exposure))::text AS exposure,
           trim_scale(sum(total.physical))::text AS physical,
           trim_scale(round(sum(total.fixed) / nullif(sum(total.exposure), 0), 6))::text
               AS average_price
    FROM trading_positiontotal total JOIN trading_market market ON market.id = total.market_id
    WHERE total.book_id = ANY(%(books)s) AND total.stage = 'LIVE'
      AND total.month >= date_trunc('month', %(today)s::date)
    GROUP BY market.code, total.month, total.shape, total.shape_version, total.basis, total.unit,
             total.currency
    HAVING sum(total.exposure) <> 0 OR sum(total.physical) <> 0
    ORDER BY total.month, market.code, total.shape, total.unit, total.currency LIMIT %(shown)s
) shown""",
}


def trading_at_a_glance(actor: Actor, *, parts: Collection[str], today: date) -> dict[str, Any]:
    """
    Return some of `PARTS`, and `books` (code by id) that the rest of the view names; one query.

    positions   `exposure` and `physical` per hour of the product (MW), per delivery day, or of
                the whole month, as `per` says; bought +, sold −; from this month on

    :raises PermissionMissing: for a part that the actor's roles do not show.
    """
    chosen = [part for part in PARTS if part in parts]
    for part in chosen:
        actor.require(PARTS[part])
    columns = ", ".join(f"({text})" for text in (_BOOKS, *(_PART[part] for part in chosen)))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns}",
            {
                "books": list(book_ids(actor)),
                "organizations": list(actor.organization_ids),
                "today": today,
                "shown": SHOWN,
                "shown_trades": SHOWN_TRADES,
            },
        )
        row = cursor.fetchone()
    assert row is not None
    return dict(zip(("books", *chosen), row, strict=True))
