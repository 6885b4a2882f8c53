"""Positions of the trades of a limit scope: books, a trader or a counterparty; net and gross."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import F, Max, Q

from energyopti.foundation.calendars import Calendar
from trading.enums import TradeStatus
from trading.models import PositionDelta, TradeVersion

from .positions import Position, plain, positions_in, shape_loads

# What is open: held, or waiting for a second person.
_OPEN = (TradeStatus.LIVE, TradeStatus.PENDING)


@dataclass(frozen=True, slots=True)
class TradesOf:
    """
    Some trades: of books, or of one trader or counterparty in any book of an organization.

    without     ids of trades to leave out
    """

    organization_id: UUID
    book_ids: frozenset[UUID] = frozenset()
    trader: str = ""
    counterparty_id: UUID | None = None
    without: frozenset[int] = frozenset()

    def rows(self, path: str) -> Q:
        """Return them as a condition; `path` leads to the trade ("trade_version__trade__")."""
        found = Q(**{f"{path}organization_id": self.organization_id})
        if self.book_ids:
            found &= Q(**{f"{path}book_id__in": list(self.book_ids)})
        if self.trader:
            found &= Q(**{f"{path}trader": self.trader})
        if self.counterparty_id is not None:
            found &= Q(**{f"{path}counterparty_id": self.counterparty_id})
        if self.without:
            found &= ~Q(**{f"{path}id__in": list(self.without)})
        return found


@dataclass(frozen=True, slots=True)
class GrossPosition:
    """
    What trades with a counterparty hold of one market, shape and interval, bought and sold added.

    position    of several trades its `exposure` and `fixed` are sums of what each holds, without
                sign
    """

    counterparty_id: UUID
    position: Position


def net_positions(of: TradesOf) -> list[Position]:
    """Return what trades add up to together, with what waits for release. One query."""
    return positions_in(PositionDelta.objects.filter(of.rows("trade_version__trade__")))


def gross_of(positions: Iterable[Position], counterparty_id: UUID) -> list[GrossPosition]:
    """Return the positions of one trade as its counterparty's; their signs are for the reader."""
    return [GrossPosition(counterparty_id, position) for position in positions]


def last_delivery(of: TradesOf) -> datetime | None:
    """Return when the last delivery of open trades ends, None without one."""
    rows = TradeVersion.objects.filter(
        of.rows("trade__"), trade__status__in=_OPEN, version=F("trade__latest_version")
    )
    found: datetime | None = rows.aggregate(end=Max("delivery_end"))["end"]
    return found


_GROSS = """
SELECT counterparty_id, market.id, market.code, market.time_zone, market.day_start,
       market.price_unit, each.currency, basis, unit, shape, shape_version, month, "start", "end",
       minutes, sum(abs(physical)), sum(abs(exposure)), sum(abs(fixed))
FROM (
    SELECT trade.counterparty_id, delta.market_id, delta.currency, delta.basis, delta.unit,
           delta.shape, delta.shape_version, delta.month, delta."start", delta."end",
           delta.minutes, sum(delta.physical) AS physical, sum(delta.exposure) AS exposure,
           sum(delta.fixed) AS fixed
    FROM trading_positiondelta delta
    JOIN trading_tradeversion version ON version.id = delta.trade_version_id
    JOIN trading_trade trade ON trade.id = version.trade_id
    WHERE trade.organization_id = %(organization)s AND delta."end" > %(after)s
      AND (%(books)s::uuid[] IS NULL OR trade.book_id = ANY(%(books)s::uuid[]))
      AND (%(trader)s = '' OR trade.trader = %(trader)s)
      AND (%(counterparty)s::uuid IS NULL OR trade.counterparty_id = %(counterparty)s::uuid)
      AND trade.id <> ALL(%(without)s::bigint[])
    GROUP BY trade.id, delta.market_id, delta.currency, delta.basis, delta.unit, delta.shape,
             delta.shape_version, delta.month, delta."start", delta."end", delta.minutes
) each JOIN trading_market market ON market.id = each.market_id
GROUP BY counterparty_id, market.id, each.currency, basis, unit, shape, shape_version, month,
         "start", "end", minutes
"""


def gross_positions(of: TradesOf, *, after: datetime) -> list[GrossPosition]:
    """
    Return what trades hold with each counterparty without netting one trade with another.

    after   deliveries that ended by then are left out

    The database adds up, so a row is a market, shape and month, however many the trades; profiles
    count with their amounts, not by interval. Two queries, three with shapes beside base.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _GROSS,
            {
                "organization": of.organization_id, "after": after, "trader": of.trader,
                "books": list(of.book_ids) or None, "counterparty": of.counterparty_id,
                "without": list(of.without),
            },
        )  # fmt: skip
        rows = cursor.fetchall()
    shapes = shape_loads({(row[2], row[9], row[10]) for row in rows})
    return [
        GrossPosition(
            counterparty,
            Position(
                market_id=market_id, market_code=code, currency=currency, basis=basis, unit=unit,
                shape=shape, shape_version=version, month=month, start=start, end=end,
                calendar=Calendar(zone, day_start), load=shapes.get((code, shape, version)),
                physical=plain(physical), exposure=plain(exposure), fixed=plain(fixed),
                minutes=minutes, market_unit=market_unit,
            ),
        )
        for counterparty, market_id, code, zone, day_start, market_unit, currency, basis, unit,
            shape, version, month, start, end, minutes, physical, exposure, fixed in rows
    ]  # fmt: skip
