"""Panels of the home page: alerts that are not resolved, and tickets that wait."""

from typing import Any

from energyopti.accounts.actors import Actor
from energyopti.foundation import clock
from support.queries.desk import alert_counts, ticket_counts, unresolved_alerts

SHOWN = 3


def alert_panel(actor: Actor) -> dict[str, Any]:
    """Return counts of unresolved alerts and the newest of them."""
    counts = alert_counts(actor)
    return {
        "firing": counts.get("FIRING", 0),
        "acknowledged": counts.get("ACKNOWLEDGED", 0),
        "alerts": unresolved_alerts(actor, count=SHOWN),
        "now": clock.now(),
    }


def ticket_panel(actor: Actor) -> dict[str, Any]:
    """Return how many tickets wait for whom, and which answer is due next."""
    now = clock.now()
    return {"tickets": ticket_counts(actor, at=now), "now": now}
