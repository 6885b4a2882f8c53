"""Trades as lists and pages show them; each read starts from the books of who is asking."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, QuerySet

from energyopti.accounts.actors import Actor
from trading.models import Trade, TradeVersion

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


def trade_ids_of(book_ids: Iterable[UUID]) -> list[int]:
    """Return the trades that are in some books now, whatever became of them, the oldest first."""
    rows = Trade.objects.filter(book_id__in=list(book_ids)).order_by("pk")
    return list(rows.values_list("pk", flat=True))


def versions_of(trade_id: int) -> list[Any]:
    """Return all versions of a trade, newest first."""
    return list(TradeVersion.objects.filter(trade_id=trade_id).order_by("-version"))


def trades_as_of(actor: Actor, *, cut: datetime, book: UUID | str | None = None) -> QuerySet[Any]:
    """
    Return of each trade in the actor's books the version that held at an instant, as recorded.

    Of a past instant the answer never changes. One that is not past is read under
    the shared locks of the books (`services.as_of`), so that nothing before it is still written.
    """
    # Asked of each version and not of all trades first, so that a page stops when it is full.
    later = TradeVersion.objects.filter(
        trade_id=OuterRef("trade_id"), version__gt=OuterRef("version"), recorded_at__lte=cut
    )
    return TradeVersion.objects.filter(
        ~Exists(later), trade__book_id__in=chosen_books(actor, book), recorded_at__lte=cut
    ).select_related("trade__book", "trade__counterparty", "market", "book", "counterparty")


def trade_versions(actor: Actor, ref: str) -> list[Any]:
    """
    Return all versions of a trade, oldest first.

    :raises UnknownTrade: if the actor's books hold no trade of that reference.
    """
    latest = trade_by_ref(actor, ref)
    return list(
        TradeVersion.objects.filter(trade_id=latest.trade_id)
        .select_related("trade__book", "counterparty", "market")
        .order_by("version")
    )
