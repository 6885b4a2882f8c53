"""Verbs on several trades at once: all of them, or none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from energyopti.accounts.actors import Actor
from trading.models import Trade
from trading.queries.books import book_path
from trading.queries.trades import UnknownTrade

from .capture import Receipt
from .lifecycle import cancel_trade, release_trade
from .trade_versions import lock_books


@dataclass(frozen=True, slots=True)
class Seen:
    """A trade and the version of it that the caller has seen."""

    ref: str
    version: int


def cancel_trades(
    *, actor: Actor, trades: Sequence[Seen], received_at: datetime, reason: str
) -> list[Receipt]:
    """
    Cancel several trades; the first that cannot be leaves all as they were.

    The other side of an internal deal is cancelled with its mirror, also if both are named.

    :raises PermissionMissing, TradeInvalid, UnknownTrade, StaleVersion, TransitionForbidden: as
        `cancel_trade`.
    """
    return _each(
        trades,
        lambda seen: cancel_trade(
            actor=actor, ref=seen.ref, expected_version=seen.version, received_at=received_at,
            reason=reason,
        ),
    )  # fmt: skip


def release_trades(
    *, actor: Actor, trades: Sequence[Seen], received_at: datetime, reason: str = ""
) -> list[Receipt]:
    """
    Let several pending trades go live; the first that cannot leaves all as they were.

    :raises PermissionMissing, UnknownTrade, StaleVersion, TransitionForbidden, SecondPersonNeeded,
        TradeStopped, ReasonNeeded: as `release_trade`.
    """
    return _each(
        trades,
        lambda seen: release_trade(
            actor=actor, ref=seen.ref, expected_version=seen.version, received_at=received_at,
            reason=reason,
        ),
    )  # fmt: skip


@transaction.atomic
def _each(trades: Sequence[Seen], verb: Callable[[Seen], Receipt]) -> list[Receipt]:
    refs = [seen.ref for seen in trades]
    found = {trade.ref: trade for trade in Trade.objects.filter(ref__in=refs)}
    if len(found) != len(set(refs)):
        raise UnknownTrade("trade: there is no such trade for you.")
    mirrors = Trade.objects.filter(pk__in=[t.mirror_id for t in found.values() if t.mirror_id])
    books = {trade.book_id for trade in (*found.values(), *mirrors)}
    # All locks at once: taken trade by trade, two callers could wait for each other in a circle.
    lock_books([book_path(book_id) for book_id in books])
    done: set[int] = set()
    receipts = []
    for seen in trades:
        if found[seen.ref].pk in done:
            continue
        receipts.append(verb(seen))
        done |= {found[seen.ref].pk, found[seen.ref].mirror_id or 0}
    return receipts
