"""What every verb on a captured trade begins and ends with: locked sides, one more version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from energyopti.accounts.actors import Actor
from trading.checks import CHANGE_STEPS, CheckResult, Proposal
from trading.deals import Deal, mirrored
from trading.models import (
    CaptureBasis,
    Trade,
    TradeEvent,
    TradeStatus,
    TradeVersion,
)
from trading.queries.books import UnknownBook, book_for
from trading.queries.proposals import TradeInvalid, propose
from trading.queries.trades import UnknownTrade

from .capture import Receipt
from .life import (
    TRANSITIONS,
    StaleVersion,
    TransitionForbidden,
    check_transition,
    check_words,
    may_follow,
)
from .trade_versions import add_version, lock_trades


@dataclass(frozen=True, slots=True)
class Side:
    """
    One trade that a verb changes, locked, with the version that holds.

    path, paths     of its book, and of the books of all sides that change with it
    """

    trade: Trade
    held: TradeVersion
    path: tuple[UUID, ...]
    paths: tuple[tuple[UUID, ...], ...]


def change(
    actor: Actor,
    ref: str,
    expected_version: int,
    event: str,
    verb: Callable[[Side, int], Receipt],
    *,
    level: str = "trade",
    keys: Sequence[str] = (),
) -> Receipt:
    """
    Lock a trade, with its mirror, see that the verb may follow, and do it to each side.

    keys    of more that has to be locked with the trade
    """
    CHANGE_STEPS.verify()
    with transaction.atomic():
        sides = _locked(actor, ref, level, keys)
        first = sides[0]
        if first.trade.latest_version != expected_version:
            seen = TradeVersion.objects.filter(trade=first.trade, version=expected_version).first()
            raise StaleVersion(first.trade, seen, first.held)
        if not may_follow(first.trade.status, first.held.event, event):
            known = (first.trade.status, event) in TRANSITIONS
            raise TransitionForbidden(first.trade, event, first.held.event if known else "")
        receipts = [verb(side, number) for number, side in enumerate(sides)]
    return receipts[0]


def _locked(actor: Actor, ref: str, level: str, keys: Sequence[str]) -> list[Side]:
    found = Trade.objects.filter(ref=ref).values_list("id", "book_id", "mirror_id").first()
    unknown = UnknownTrade("trade: there is no such trade for you.")
    if found is None:
        raise unknown
    trade_id, book_id, mirror_id = found
    try:
        book_for(actor, book_id, level=level)
    except UnknownBook as error:
        raise unknown from error
    ids = [trade_id, *([mirror_id] if mirror_id is not None else [])]
    paths = lock_trades(ids, keys)
    rows = {row.pk: row for row in Trade.objects.select_for_update().filter(pk__in=sorted(ids))}
    held = {
        version.trade_id: version
        for pk in ids
        for version in TradeVersion.objects.filter(trade_id=pk, version=rows[pk].latest_version)
    }
    sides = []
    for pk in ids:
        held[pk].trade = rows[pk]
        sides.append(Side(rows[pk], held[pk], paths[pk], tuple(paths.values())))
    return sides


def add(
    side: Side,
    event: TradeEvent,
    status: TradeStatus,
    actor: Actor,
    effective_at: datetime,
    *,
    results: tuple[CheckResult, ...] = (),
    **more: Any,
) -> Receipt:
    """Add a side's next version, if the table lets it follow; `more` as `add_version` takes it."""
    check_transition(side.trade, event, status)
    version = add_version(
        trade=side.trade, before=side.held, event=event, status=status, actor=actor,
        book_path=side.path, effective_at=effective_at, results=results, **more,
    )  # fmt: skip
    return Receipt(
        side.trade.ref, side.trade.pk, True, results, version.version, status.value,
        is_proposed=event is TradeEvent.PROPOSE,
    )  # fmt: skip


def proposal_of(
    actor: Actor,
    side: Side,
    deal: Deal,
    received_at: datetime,
    *,
    level: str = "trade",
    is_fact: bool = False,
) -> Proposal:
    """
    Return a deal as the checks see it in place of what the side holds.

    is_fact     of what has happened, as the terms of an executed trade always are
    """
    return propose(
        actor=actor, deal=deal, book_id=side.trade.book_id,
        counterparty_id=side.trade.counterparty_id, traded_at=side.held.traded_at,
        received_at=received_at, trade_id=side.trade.pk, level=level,
        is_fact=is_fact or side.trade.basis == CaptureBasis.FILL,
    )  # fmt: skip


def side_of(deal: Deal, side: Side, number: int) -> Deal:
    """Return new terms as one side has them, under the package that the trade is in."""
    seen = deal if number == 0 else mirrored(deal)
    if side.trade.mirror_id is not None and deal.fees:
        raise TradeInvalid("fee", "an internal deal pays no broker, exchange or clearing house.")
    return replace(seen, package_id=side.trade.package_id)


def need_reason(reason: str) -> None:
    """
    Refuse a change that nobody explains.

    :raises TradeInvalid: naming the reason.
    """
    if not reason.strip():
        raise TradeInvalid("reason", "say why.")
    check_words(reason=reason)
