"""Trades as lists and pages show them; each read starts from the books of who is asking."""

from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet

from energyopti.accounts.actors import Actor
from trading.models import PositionDelta, TradeVersion

from .books import chosen_books


class UnknownTrade(LookupError):
    """There is no such trade for this actor."""


def trade_rows(actor: Actor, *, book: UUID | str | None = None) -> QuerySet[Any]:
    """
    Return the latest version of each trade in the actor's books, with what a row shows.

    book    one of them, with those below it; None for all
    """
    return TradeVersion.objects.filter(
        trade__book_id__in=chosen_books(actor, book), version=F("trade__latest_version")
    ).select_related("trade__book", "trade__counterparty", "market")


def trade_by_ref(actor: Actor, ref: str) -> Any:
    """
    Return the latest version of a trade.

    :raises UnknownTrade: if the actor's books hold no trade of that reference.
    """
    version = trade_rows(actor).filter(trade__ref=ref).first()
    if version is None:
        raise UnknownTrade("trade: there is no such trade for you.")
    return version


def versions_of(trade_id: int) -> list[Any]:
    """Return all versions of a trade, newest first."""
    return list(TradeVersion.objects.filter(trade_id=trade_id).order_by("-version"))


def deltas_of(trade_version_id: int) -> list[PositionDelta]:
    """Return what a version added to positions, by month."""
    return list(
        PositionDelta.objects.filter(trade_version_id=trade_version_id).order_by("start", "id")
    )
