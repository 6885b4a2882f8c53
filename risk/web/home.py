"""The panel of the home page: each book's value at risk against its limit."""

from datetime import timedelta
from typing import Any

from energyopti.accounts.actors import Actor
from energyopti.foundation import clock
from risk.queries.desk import book_risks


def risk_panel(actor: Actor) -> dict[str, Any]:
    """Return the risk of the actor's books, with the breaches of the last 24 hours."""
    return {"risks": book_risks(actor, since=clock.now() - timedelta(days=1))}
