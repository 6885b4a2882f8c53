"""The panel of a trade's page: the trade's own events, newest first."""

from typing import Any

from compliance.audit.queries.trail import events_of
from energyopti.accounts.actors import Actor

from .lists import in_words, printable

SHOWN = 20


def trade_panel(actor: Actor, version: Any) -> dict[str, Any]:
    """Return the trade's latest events as far as the actor may see them."""
    events = events_of(actor, "trade", version.trade.ref)[: SHOWN + 1]
    return {
        "events": [
            {
                "event": event,
                "type": printable(event.type),
                "by": printable(event.actor_name),
                "changes": in_words(
                    {name: change for name, change in event.changes.items() if name != "legs"}
                ),
            }
            for event in events[:SHOWN]
        ],
        "has_more": len(events) > SHOWN,
        "shown": SHOWN,
    }
