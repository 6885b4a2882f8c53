"""What the clock asks of the fleet: each market's day dispatched once, and settled once."""

import contextlib
import logging
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction

from devices.queries.devices import zones_with_devices
from energyopti.accounts.actors import Actor
from energyopti.foundation.jobs.schedule import once_per_period
from fleet.models import DispatchRun, EnergySettlement
from trading.queries.forecasts import latest_forecast
from trading.queries.markets import NoSuchMarket, market_by_code

from .dispatch import dispatch_fleet
from .energy_settlement import settle_energy

if TYPE_CHECKING:
    from trading.models import Market

logger = logging.getLogger(__name__)
# A device reports every half-hour; this much later its last batch of a day is in.
TELEMETRY_DELAY = timedelta(minutes=45)


@dataclass(frozen=True)
class MarketDay:
    market: "Market"
    delivery_date: date


def days_to_dispatch(now: datetime) -> list[MarketDay]:
    """Return today and tomorrow of markets with devices that have a forecast and no run yet."""
    return [
        MarketDay(market, day)
        for market in _markets_with_devices()
        for day in _days_around(market, now, (0, 1))
        if not DispatchRun.objects.filter(market=market, delivery_date=day).exists()
        and market.calendar.day(day).end - now > timedelta(hours=1)
        and latest_forecast(market, day, issued_by=now) is not None
    ]


def days_to_settle(now: datetime) -> list[MarketDay]:
    """Return yesterday and the day before of markets with devices, where not settled yet."""
    return [
        MarketDay(market, day)
        for market in _markets_with_devices()
        for day in _days_around(market, now, (-2, -1))
        if market.calendar.day(day).end + TELEMETRY_DELAY <= now
        and DispatchRun.objects.filter(market=market, delivery_date=day).exists()
        and not EnergySettlement.objects.filter(market=market, delivery_date=day).exists()
    ]


def dispatch_due(*, actor: Actor, now: datetime) -> list[DispatchRun]:
    """Dispatch what is due; twice at once does it once."""
    runs = []
    for due in days_to_dispatch(now):
        with transaction.atomic():
            if once_per_period(name="fleet.dispatch", period=_period(due)):
                runs.append(
                    dispatch_fleet(
                        actor=actor,
                        market=due.market,
                        delivery_date=due.delivery_date,
                        planned_at=now,
                    )
                )
    return runs


def settle_due(*, actor: Actor, now: datetime) -> list[EnergySettlement]:
    """Settle what is due; twice at once does it once."""
    settlements = []
    for due in days_to_settle(now):
        with transaction.atomic():
            if once_per_period(name="fleet.settle", period=_period(due)):
                settlement = settle_energy(
                    actor=actor,
                    market=due.market,
                    delivery_date=due.delivery_date,
                    settled_at=now,
                )
                if not settlement.is_reconciled:
                    logger.warning(
                        "%s: acknowledged and metered energy differ by %.2f %%",
                        settlement,
                        settlement.difference_share * 100,
                    )
                settlements.append(settlement)
    return settlements


def _markets_with_devices() -> "list[Market]":
    """Return the markets of the zones in which devices stand; a zone may have none of ours."""
    markets = []
    for zone in zones_with_devices():
        with contextlib.suppress(NoSuchMarket):
            markets.append(market_by_code(zone))
    return markets


def _days_around(market: "Market", now: datetime, offsets: tuple[int, ...]) -> list[date]:
    today = market.calendar.date_of(now)
    return [today + timedelta(days=offset) for offset in offsets]


def _period(due: MarketDay) -> str:
    return f"{due.market.code} {due.delivery_date.isoformat()}"
