"""Put words on trades to find them by, and take them off: no terms, so no version."""

from collections.abc import Collection
from typing import Any

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from trading.models import Trade
from trading.queries.books import book_ids
from trading.queries.proposals import TradeInvalid
from trading.queries.trades import UnknownTrade

from .life import check_words

MOST_TAGS = 10


def add_tag(*, actor: Actor, trade_ids: Collection[int], tag: str) -> list[int]:
    """
    Put a tag on trades, and return those that did not have it: what `remove_tag` takes back.

    :raises PermissionMissing: without `trading.amend_trade`.
    :raises UnknownTrade: if one of them is in no book that the actor trades in.
    :raises TradeInvalid: for a tag that is none, or an eleventh one.
    """
    return _change(actor, trade_ids, tag, adds=True)


def remove_tag(*, actor: Actor, trade_ids: Collection[int], tag: str) -> list[int]:
    """
    Take a tag off trades, and return those that had it.

    :raises PermissionMissing, UnknownTrade, TradeInvalid: as `add_tag`.
    """
    return _change(actor, trade_ids, tag, adds=False)


@transaction.atomic
def _change(actor: Actor, trade_ids: Collection[int], tag: str, *, adds: bool) -> list[int]:
    trades = list(
        Trade.objects.select_for_update()
        .filter(pk__in=list(trade_ids), book_id__in=book_ids(actor, level="trade"))
        .order_by("pk")
    )
    actor.require("trading.amend_trade")
    if len(trades) != len(set(trade_ids)):
        raise UnknownTrade("trade: one of them is in no book that you trade in.")
    word = tag.strip()
    check_words(tags=[word])
    if "," in word:
        raise TradeInvalid("tag", "one word or several without a comma; give each by itself.")
    changed = [trade for trade in trades if (word in trade.tags) is not adds]
    for trade in changed:
        if adds and len(trade.tags) >= MOST_TAGS:
            raise TradeInvalid("tag", f"{trade.ref} has {MOST_TAGS} already.")
        _write(actor, trade, [*trade.tags, word] if adds else _without(trade.tags, word))
    return [trade.pk for trade in changed]


def _without(tags: list[str], word: str) -> list[str]:
    return [tag for tag in tags if tag != word]


def _write(actor: Actor, trade: Any, tags: list[str]) -> None:
    before, trade.tags = trade.tags, tags
    trade.save(update_fields=["tags"])
    record_event(
        type="trade.tagged",
        actor=actor,
        aggregate_type="trade",
        aggregate_id=trade.ref,
        organization_id=trade.organization_id,
        key=f"book:{trade.book_id}",
        payload={"ref": trade.ref, "tags": tags},
        changes={"tags": (before, tags)},
    )
