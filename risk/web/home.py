"""The panel of the home page: each book's value at risk against its limit."""

from datetime import timedelta
from typing import Any

from energyopti.accounts.actors import Actor
from energyopti.foundation import clock
from risk.queries.desk import book_risks


def risk_panel(actor: Actor, book: str | None = None) -> dict[str, Any]:
    """Return the risk of the actor's books, or the chosen one, and breaches of the last day."""
    return {"risks": book_risks(actor, since=clock.now() - timedelta(days=1), book=book)}
