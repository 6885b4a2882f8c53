"""A market with prices, a metered customer and its contract: what an invoice needs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np

from billing.models import Contract
from billing.rating import PriceRule
from billing.services.contracts import Terms, agree_contract
from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization, Site
from energyopti.accounts.roles import Role
from energyopti.foundation.intervals import Interval
from tests.factories.accounts import make_actor, make_organization, make_site
from tests.factories.trades import make_power
from trading.markets.price_files import Clock, PriceBatch
from trading.models import Flow, Market, MeteringPointKind
from trading.services.actuals import ActualRow, book_actuals
from trading.services.prices import book_prices

BEFORE = datetime(2027, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def make_market(code: str = "DE-LU") -> Market:
    return Market.objects.get_or_create(
        code=code,
        defaults={
            "name": f"Market {code}",
            "commodity": make_power(),
            "time_zone": "Europe/Berlin",
            "currency": "EUR",
            "period_minutes": 60,
        },
    )[0]


def book_hourly_prices(market: Market, start: datetime, values: Sequence[str]) -> None:
    """Book consecutive hourly spot prices, given as text."""
    hours = [(start + i * HOUR).replace(tzinfo=None) for i in range(len(values))]
    starts = np.array(hours, dtype="datetime64[s]")
    book_prices(
        actor=Actor.system("test"),
        market=market,
        batch=PriceBatch(starts=starts, minutes=60, series={"spot": [Decimal(v) for v in values]}),
        source="test",
        sha256=hashlib.sha256(repr((start, values)).encode()).hexdigest(),
        clock=Clock.UTC,
        received_at=BEFORE,
    )


def book_readings(
    site: Site,
    market: Market,
    start: datetime,
    values: Sequence[str],
    *,
    asset: str = "BAT-1",
    minutes: int = 60,
    flow: Flow = Flow.IMPORT,
    kind: MeteringPointKind = MeteringPointKind.CONNECTION_POINT,
) -> None:
    """Book consecutive metered volumes of one asset, in kWh as text."""
    book_actuals(
        actor=Actor.system("test"),
        rows=[
            ActualRow(
                organization_id=site.organization_id,
                market=market,
                asset_id=asset,
                flow=flow,
                metering_point_kind=kind,
                start=start + i * timedelta(minutes=minutes),
                minutes=minutes,
                energy_kwh=Decimal(value),
                site_id=site.pk,
            )
            for i, value in enumerate(values)
        ],
        source="test meter",
    )


@dataclass(frozen=True)
class Supply:
    """A supplied customer: `operator` may bill it, `reader` belongs to it and may read."""

    issuer: Organization
    customer: Organization
    site: Site
    market: Market
    contract: Contract
    operator: Actor
    reader: Actor


def make_supply(*, terms: Terms | None = None, name: str = "Bakery") -> Supply:
    issuer = Organization.objects.filter(name="Voltara").first() or make_organization("Voltara")
    customer = make_organization(name, parent=issuer)
    site = make_site(customer)
    market = make_market()
    operator = make_actor(Role.ADMIN, organization=issuer)
    contract = agree_contract(
        actor=operator,
        issuer=issuer,
        organization=customer,
        market=market,
        reference=f"SUP-{name}",
        terms=terms or make_terms(),
        agreed_at=BEFORE,
    )
    reader = make_actor(Role.ENERGY_MANAGER, organization=customer)
    return Supply(issuer, customer, site, market, contract, operator, reader)


def make_terms(**fields: object) -> Terms:
    return Terms(
        **{  # type: ignore[arg-type]
            "valid_from": date(2027, 1, 1),
            "price_rule": PriceRule.SPOT,
            "tax_rate": Decimal("0.19"),
            "adder_per_kwh": Decimal("0.02"),
            "standing_charge_per_day": Decimal("0.35"),
            **fields,
        }
    )


def meter_day(
    supply: Supply, day: date, *, kwh: str = "1.5", prices: Sequence[str] | None = None
) -> Interval:
    """Book a local day's prices and hourly readings; 23 or 25 of them where clocks change."""
    interval = supply.contract.calendar.day(day)
    hours = int(interval.hours)
    given = list(prices) if prices is not None else [str(40 + i) for i in range(hours)]
    book_hourly_prices(supply.market, interval.start, given)
    book_readings(supply.site, supply.market, interval.start, [kwh] * hours)
    return interval
