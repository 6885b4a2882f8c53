"""A market with a forecast, and devices in its zone."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from devices.models import Device
from energyopti.accounts.models import Site
from tests.factories.devices import make_device, make_organization
from tests.factories.trading import make_market, make_prices
from trading.models import Market
from trading.services.forecasts import issue_forecast

from .devices import system

# A cheap night, a dear evening: two prices a battery lives on.
DAY_PRICES = ["20"] * 6 + ["60"] * 11 + ["180"] * 4 + ["70"] * 3


def make_priced_market(delivery_date: date, *, zone: str = "UTC", minutes: int = 60) -> Market:
    """Return a market whose last fortnight had the same prices every day, and its forecast."""
    market = make_market("TEST", zone=zone, minutes=minutes)
    first = datetime.combine(delivery_date - timedelta(days=16), datetime.min.time(), UTC)
    per_hour = 60 // minutes
    values = [price for price in DAY_PRICES * 16 for _ in range(per_hour)]
    make_prices(market, first, values, received_at=first)
    return market


def forecast(market: Market, delivery_date: date) -> datetime:
    """Issue the forecast the day before and return when."""
    issued_at = market.calendar.start_of(delivery_date) - timedelta(hours=9)
    issue_forecast(actor=system(), market=market, delivery_date=delivery_date, issued_at=issued_at)
    return issued_at


def make_site_in(market: Market, *, grid_kw: int = 100) -> Site:
    return Site.objects.get_or_create(
        organization=make_organization(),
        name="Hall in the zone",
        defaults={"market_zone": market.code, "grid_connection_kw": Decimal(grid_kw)},
    )[0]


def make_fleet(market: Market, count: int = 3, **fields: object) -> list[Device]:
    site = make_site_in(market)
    return [make_device(f"BAT-{number}", site=site, **fields) for number in range(count)]
