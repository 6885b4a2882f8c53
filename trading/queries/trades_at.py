"""Who dealt what with whom: trades as their latest version by a cut of knowledge has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from trading.models import TradeVersion

from .books import book_codes


@dataclass(frozen=True, slots=True)
class TradeAt:
    """
    A trade as known at a cut.

    trader      who captured its first version, by name
    """

    id: int
    ref: str
    version: int
    book: str
    counterparty: str
    trader: str


def trades_at(trade_ids: Iterable[int], *, cut: datetime) -> dict[int, TradeAt]:
    """Return trades by id, those that were recorded by the cut; three queries."""
    known = TradeVersion.objects.filter(trade_id__in=list(trade_ids), recorded_at__lte=cut)
    traders = dict(known.filter(version=1).values_list("trade_id", "captured_by_name"))
    rows = list(
        known.order_by("trade_id", "-version")
        .distinct("trade_id")
        .values_list("trade_id", "trade__ref", "version", "book_id", "counterparty__code")
    )
    codes = book_codes({row[3] for row in rows})
    return {
        trade_id: TradeAt(
            trade_id, ref, version, codes[book_id], counterparty, traders.get(trade_id, "") or "–"
        )
        for trade_id, ref, version, book_id, counterparty in rows
    }
