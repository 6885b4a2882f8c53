"""Credit until exposure is simulated: what is open with a counterparty, and for how long."""

from __future__ import annotations

from datetime import timedelta

from risk.models import Limit

from .standing import Part, Standing

MONTH = timedelta(days=365.25 / 12)


def open_notional(_: Limit, standing: Standing) -> float:
    """Return what is still to be paid at fixed prices, bought and sold added, without netting."""
    standing.require(Part.NOTIONAL)
    return sum(gross.notional for gross in standing.gross.values())


def tenor(_: Limit, standing: Standing) -> float:
    """Return the months until the last delivery ends."""
    standing.require(Part.UNTIL)
    if standing.until is None:
        return 0.0
    return max(0.0, (standing.until - standing.at) / MONTH)
