"""Our cash of fees by line: those of the terms that hold, and all for ending early."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import connection

from trading import deals
from trading.models import FeePurpose, TradeVersion

from ..deals import deals_of
from .contracts import Universe

_CENT = Decimal("0.01")
_FEES = """
SELECT fee.version_id, version.trade_id, fee.direction, fee.purpose, fee.amount, fee.currency,
       fee.basis
FROM trading_fee fee JOIN trading_tradeversion version ON version.id = fee.version_id
WHERE version.book_id = ANY(%(books)s) AND version.recorded_at <= %(cut)s
  AND version.trade_id <> ALL(%(later)s::bigint[])
ORDER BY fee.id
"""


def fees_by_line(
    universe: Universe, terms: Mapping[int, int], parameters: Mapping[str, Any]
) -> dict[int, Decimal]:
    """
    Return our cash by line, paid −, each fee rounded to the cent. One query; where some
    fees are per unit or lot, those of `deals_of` too.

    terms       trade by the version whose terms hold, of the trades that count
    """
    with connection.cursor() as cursor:
        cursor.execute(_FEES, parameters)
        rows = cursor.fetchall()
    trades = set(terms.values())
    found: dict[int, Decimal] = defaultdict(Decimal)
    slow: set[int] = set()
    for version_id, trade_id, direction, purpose, amount, currency, basis in rows:
        if trade_id not in trades:
            continue
        if purpose != FeePurpose.TERMINATION:
            if version_id not in terms:
                continue
            if basis != deals.FeeBasis.FLAT:
                slow.add(version_id)
                continue
        cash = amount.quantize(_CENT, ROUND_HALF_UP)
        found[universe.line(trade_id, currency)] += -cash if direction == "PAY" else cash
    if slow:
        held = TradeVersion.objects.filter(pk__in=slow).select_related("trade")
        versions = list(held.order_by("pk"))
        for version, deal in zip(versions, deals_of(versions), strict=True):
            for fee in deal.fees:
                if fee.basis is not deals.FeeBasis.FLAT:
                    money = deals.fee_cash(deal, fee)
                    found[universe.line(terms[version.pk], money.currency)] += money.amount
    return dict(found)
