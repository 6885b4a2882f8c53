"""What the clock does to trades: they mature when delivery ends and settle when payment is due."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from energyopti.accounts.actors import Actor, PermissionMissing
from trading.deals import STRUCTURES
from trading.models import Trade, TradeEvent, TradeStatus, TradeVersion
from trading.queries.payments import Agreed, payment_due

from .exercise import undecided_options
from .life import check_transition
from .structure_settlement import unsettled_structures
from .trade_versions import add_version, lock_trades

_BATCH = 200
# What ended early of a contract with choices pays no more days.
_PAYING = (TradeStatus.LIVE, TradeStatus.MATURED)


@dataclass(frozen=True, slots=True)
class Matured:
    """How many trades the clock moved."""

    matured: int
    settled: int


def mature_trades(*, actor: Actor, as_of: datetime) -> Matured:
    """
    Mature what has been delivered and settle what is due by an instant.

    An option with a period that is not decided yet does not settle, nor a contract with choices
    that has a day or a year to pay. The same again changes nothing. Each trade has a transaction of
    its own.

    :raises PermissionMissing: for anybody but the system; the clock alone does this.
    """
    if not actor.is_system:
        raise PermissionMissing("trading.mature_trade")
    versions = TradeVersion.objects.filter(version=F("trade__latest_version"))
    over = versions.filter(trade__status=TradeStatus.LIVE, delivery_end__lte=as_of)
    matured = _move(actor, over.values_list("trade_id", flat=True), as_of, TradeEvent.MATURE)
    ended = versions.filter(
        trade__status__in=(TradeStatus.MATURED, TradeStatus.NOVATED, TradeStatus.TERMINATED),
        delivery_end__lte=as_of,
    ).select_related("market", "trade")
    agreed = Agreed(set(ended.order_by().values_list("counterparty_id", flat=True)))
    undecided = set(undecided_options(as_of))
    due = {
        v.trade_id: v
        for v in ended.iterator(_BATCH)
        if agreed.due(v).at <= as_of and v.trade_id not in undecided
    }
    choices = [v for v in due.values() if v.product_kind in STRUCTURES and v.status in _PAYING]
    for trade_id in unsettled_structures(choices, as_of):
        del due[trade_id]
    return Matured(matured, _move(actor, list(due), as_of, TradeEvent.SETTLE))


def _move(actor: Actor, trade_ids: Sequence[int], as_of: datetime, event: TradeEvent) -> int:
    moved = 0
    for trade_id in list(trade_ids):
        with transaction.atomic():
            moved += _move_one(actor, trade_id, as_of, event)
    return moved


def _move_one(actor: Actor, trade_id: int, as_of: datetime, event: TradeEvent) -> bool:
    path = lock_trades([trade_id])[trade_id]
    trade = Trade.objects.select_for_update().get(pk=trade_id)
    held = TradeVersion.objects.select_related("market").get(
        trade=trade, version=trade.latest_version
    )
    status = TradeStatus.MATURED if event is TradeEvent.MATURE else TradeStatus.SETTLED
    wanted = {TradeStatus.LIVE} if event is TradeEvent.MATURE else {
        TradeStatus.MATURED, TradeStatus.NOVATED, TradeStatus.TERMINATED,
    }  # fmt: skip
    if trade.status not in wanted or held.delivery_end > as_of:
        return False  # somebody was here in the meantime
    check_transition(trade, event, status)
    at = held.delivery_end if event is TradeEvent.MATURE else payment_due(held).at
    add_version(
        trade=trade, before=held, event=event, status=status, actor=actor, book_path=path,
        effective_at=at,
    )  # fmt: skip
    return True
