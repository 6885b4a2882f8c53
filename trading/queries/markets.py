"""Markets, as pages, commands and other apps ask for them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery

from energyopti.accounts.actors import Actor

from ..models import SPOT, Commodity, Market, Price


class NoSuchMarket(LookupError):
    """No market, or commodity, has the code."""


def priced_markets() -> QuerySet[Market]:
    """Return the markets that have spot prices, by code; not every market has an auction."""
    # A limited subquery walks one end of an index; an EXISTS might be joined with all prices.
    earliest = Price.objects.filter(market_id=OuterRef("pk"), series=SPOT).order_by("period_start")
    rows = Market.objects.annotate(priced_from=Subquery(earliest.values("period_start")[:1]))
    return rows.filter(priced_from__isnull=False).order_by("code")


def market_by_code(code: str) -> Market:
    """
    Return the market of a code.

    :raises NoSuchMarket: naming it.
    """
    try:
        return Market.objects.get(code=code)
    except Market.DoesNotExist:
        raise NoSuchMarket(f"market: no market has the code “{code}”.") from None


def markets_by_id(market_ids: Iterable[int] | None) -> dict[int, Market]:
    """Return markets by their id; None for all."""
    rows = Market.objects.all() if market_ids is None else Market.objects.filter(pk__in=market_ids)
    return {row.pk: row for row in rows}


def market_names() -> list[tuple[str, str]]:
    """Return code and name of every market, by code."""
    return list(Market.objects.order_by("code").values_list("code", "name"))


def market_codes(market_ids: Iterable[int]) -> dict[int, str]:
    """Return the codes of some markets."""
    return dict(Market.objects.filter(pk__in=list(market_ids)).values_list("pk", "code"))


@dataclass(frozen=True, slots=True)
class MarketSummary:
    """A market with the first and last delivery of its spot prices, None where it has none."""

    market: Market
    first_start: datetime | None
    latest_start: datetime | None


def market_summaries(*, actor: Actor) -> list[MarketSummary]:
    """Return all markets by code with the span of their spot prices; two queries."""
    actor.require("trading.view_price")
    markets = list(Market.objects.order_by("code"))
    # min and max by market each walk one end of an index, not the rows between.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id,"
            " (SELECT min(period_start) FROM trading_price"
            "   WHERE market_id = market.id AND series = 'spot'),"
            " (SELECT max(period_start) FROM trading_price"
            "   WHERE market_id = market.id AND series = 'spot')"
            " FROM trading_market market"
        )
        spans = {key: (first, latest) for key, first, latest in cursor.fetchall()}
    return [MarketSummary(market, *spans[market.pk]) for market in markets]


def commodity_by_code(code: str) -> Commodity:
    """
    Return the commodity of a code.

    :raises NoSuchMarket: naming it.
    """
    try:
        return Commodity.objects.get(code=code)
    except Commodity.DoesNotExist:
        raise NoSuchMarket(f"commodity: no commodity has the code “{code}”.") from None


def market_choices() -> list[tuple[str, str]]:
    """Return codes and names of markets by code, for forms."""
    return [(code, f"{code}, {name}") for code, name in _coded(Market)]


def commodity_choices() -> list[tuple[str, str]]:
    """Return codes and names of commodities by code, for forms."""
    return [(code, f"{code}, {name}") for code, name in _coded(Commodity)]


def _coded(model: type[Market] | type[Commodity]) -> list[tuple[str, str]]:
    return list(model._default_manager.order_by("code").values_list("code", "name"))


def commodities_by_market() -> dict[str, str]:
    """Return the code of each market's commodity by the market's code."""
    return dict(Market.objects.values_list("code", "commodity__code"))
