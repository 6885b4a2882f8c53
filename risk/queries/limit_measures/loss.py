"""Losses of a day, month or year: official P&L by the last close, and what came since."""

from __future__ import annotations

from risk.enums import LossPeriod
from risk.models import Limit

from .standing import Part, Standing


def loss(limit: Limit, standing: Standing) -> float:
    """Return the loss since the period began, positive; negative is a gain."""
    standing.require(Part.MADE)
    standing.require(Part.TAIL)
    return -(standing.made.get(LossPeriod(limit.period), 0.0) + standing.value) + 0.0
