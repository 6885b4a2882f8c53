"""Panels of the home page: the desk's books, and the prices of today and tomorrow."""

from typing import Any

from django.utils import timezone

from energyopti.accounts.actors import Actor
from energyopti.foundation import clock
from trading.queries.desk import desk_summary, first_market_today


def desk_panel(actor: Actor) -> dict[str, Any]:
    """Return what the actor's books hold and are worth now."""
    now = clock.now()
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    found = desk_summary(actor, valued_at=now, since=midnight)
    return {"desk": found, "now": now, "may_capture": actor.may("trading.capture_trade")}


def market_panel(actor: Actor) -> dict[str, Any]:
    """Return the first market's prices and forecast by period, today and tomorrow."""
    now = clock.now()
    found = first_market_today(actor, known_at=now)
    if found is None:
        return {"market": None}
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
