"""Volumes of delivery months, net and gross, and delta: the volume that moves with prices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from risk.models import Limit

from .standing import NotMeasured, Part, Standing

POWER, ENERGY = "MW", "MWh"


def net_volume(limit: Limit, standing: Standing) -> float:
    """Return the largest net volume of a delivery month, bought or sold."""
    standing.require(Part.NET)
    return _largest(limit, standing, standing.net.items())


def gross_volume(limit: Limit, standing: Standing) -> float:
    """Return the largest sum of a delivery month's bought and sold volumes, trade by trade."""
    standing.require(Part.GROSS)
    return _largest(
        limit,
        standing,
        (((market, month), one.volume) for (_, market, month), one in standing.gross.items()),
    )


def delta(limit: Limit, standing: Standing) -> float:
    """
    Return what a move of all prices by one per unit gains or loses, in all months together.

    Positions gain by their volume and legs with choices by their delta.
    """
    standing.require(Part.NET)
    standing.require(Part.DELTA)
    volumes = [(market, energy) for (market, _), energy in standing.net.items()]
    return abs(
        sum(
            volume
            for market, volume in (*volumes, *standing.moved.items())
            if volume and _counts(limit, standing, market)
        )
    )


def _largest(
    limit: Limit, standing: Standing, volumes: Iterable[tuple[tuple[int, date], float]]
) -> float:
    by_month: dict[date, float] = defaultdict(float)
    for (market, month), volume in volumes:
        if not _counts(limit, standing, market):
            continue
        if limit.unit == POWER:
            hours = standing.markets[market].hours_left(month, standing.at)
            volume = volume / hours if hours else 0.0
        by_month[month] += volume
    return max(map(abs, by_month.values()), default=0.0)


def _counts(limit: Limit, standing: Standing, market: int) -> bool:
    """Say whether a market is of the limit; without one, all that are counted in its unit."""
    if limit.market_id is not None:
        if limit.market_id != market:
            return False
    elif limit.commodity is not None and all(
        market != row.pk for row in limit.commodity.markets.all()
    ):
        return False
    counted = ENERGY if limit.unit == POWER else limit.unit
    unit = standing.markets[market].unit
    if unit == counted:
        return True
    if limit.market_id is None and limit.commodity_id is None:
        return False
    raise NotMeasured(f"{standing.markets[market].code} is counted in {unit}, not in {counted}.")
