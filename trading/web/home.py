"""Panels of the home page: the desk's books, and the prices of today and tomorrow."""

from typing import Any

from django.utils import timezone

from energyopti.accounts.actors import Actor
from energyopti.accounts.queries.sites import zone_of_site
from energyopti.foundation import clock
from trading.queries.desk import desk_summary, first_market_today


def desk_panel(actor: Actor, book: str | None = None) -> dict[str, Any]:
    """Return what the actor's books, or the chosen one, hold and are worth now."""
    now = clock.now()
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    found = desk_summary(actor, valued_at=now, since=midnight, book=book)
    return {"desk": found, "now": now, "may_capture": actor.may("trading.capture_trade")}


def market_panel(actor: Actor, site: str | None = None) -> dict[str, Any]:
    """
    Return prices and forecast by period, today and tomorrow, of the first market by code, or of
    that in whose bidding zone the chosen site stands.
    """
    now = clock.now()
    zone = zone_of_site(actor, site) if site else None
    found = first_market_today(actor, known_at=now, zone=zone)
    if found is None:
        return {"market": None, "zone": zone}
    rows = [*found.today.rows, *found.tomorrow.rows]
    return {
        "found": found,
        "market": found.today.market,
        "unit": f"{found.today.market.currency}/MWh",
        "columns": ["Price", "Forecast"],
        "rows": [(start, [price, expected]) for start, price, expected in rows],
        "expected": _mean([expected for _, _, expected in found.tomorrow.rows]),
    }


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
