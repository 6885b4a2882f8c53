"""The panel of the home page: how much was recorded, and how far the chain reaches."""

from datetime import timedelta
from typing import Any

from compliance.audit.queries.trail import trail_summary
from energyopti.accounts.actors import Actor
from energyopti.foundation import clock


def audit_panel(actor: Actor) -> dict[str, Any]:
    """Return counts of the last 24 hours by the database's time, as events are recorded."""
    return {"summary": trail_summary(actor, window=timedelta(hours=24)), "now": clock.now()}
