"""A wind farm in the demo: a share of its output is bought, and its meter is read day by day."""

import math
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from energyopti.accounts.actors import Actor
    from energyopti.accounts.models import Organization

PLANT, METER = "NORD-1", "meter:nord-1"
INSTALLED_MW, SHARE_MW = Decimal(24), Decimal(6)
# Flat, so that the check of the day can say what was expected of an hour without a reading.
EXPECTED_SHARE = "0.25"
PRICE = Decimal("61.50")
_HOUR = timedelta(hours=1)


def seed_plant(*, actor: "Actor", company: "Organization", now: datetime) -> None:
    """A quarter of a wind farm, bought as generated from last month to this one, read until now."""
    from energyopti.foundation.calendars import DatePeriod
    from energyopti.foundation.money import Side
    from trading.deals import asset_share
    from trading.queries.areas import delivery_areas, generating_assets
    from trading.queries.books import books_for, counterparties_for
    from trading.queries.markets import market_by_code
    from trading.reference import PlantTerms
    from trading.services.capture import book_fill
    from trading.services.plants import add_plant

    from .seed import BOOK, MARKET, month_before

    market = market_by_code(MARKET)
    areas = delivery_areas({MARKET})
    if PLANT not in generating_assets(areas):
        add_plant(
            actor=actor,
            terms=PlantTerms(
                code=PLANT,
                name="Windpark Nord",
                market=MARKET,
                technology="WIND_ONSHORE",
                installed_mwp=INSTALLED_MW,
                capacity_factors=EXPECTED_SHARE,
                metering_asset_id=METER,
            ),
        )
    first = month_before(now.date())
    period = DatePeriod.months(first.year, first.month, 2)
    asset = generating_assets(areas)[PLANT]
    (book,) = [book for book in books_for(actor) if book.code == BOOK]
    (party,) = [
        party
        for party in counterparties_for(actor)
        if party.code == "BRISE" and party.organization_id == company.pk
    ]
    book_fill(
        actor=actor,
        deal=asset_share(
            side=Side.BUY,
            area=areas[MARKET],
            period=period,
            asset=asset.share(SHARE_MW),
            expected=asset.expected(period, SHARE_MW),
            price=PRICE,
        ),
        book_id=book.id,
        counterparty_id=party.id,
        traded_at=market.calendar.day(first).start - timedelta(days=20),
        received_at=now,
        client_reference=f"demo-{PLANT}-{first:%Y-%m}",
        reason="Share of the wind farm next to the battery yard.",
    )
    start = market.calendar.day(first).start
    read_plant(actor=actor, company=company, market=market, start=start, end=now)


def read_plant(
    *, actor: "Actor", company: "Organization", market: Any, start: datetime, end: datetime
) -> None:
    """Book what the wind farm fed in, hour by hour; an hour that is known is not booked again."""
    from trading.services.actuals import ActualRow, Flow, MeteringPointKind, book_actuals

    rows, hour = [], start
    while hour + _HOUR <= end:
        rows.append(
            ActualRow(
                organization_id=company.pk,
                market=market,
                asset_id=METER,
                flow=Flow(Flow.EXPORT),
                metering_point_kind=MeteringPointKind(MeteringPointKind.CONNECTION_POINT),
                start=hour,
                minutes=60,
                energy_kwh=_wind_kwh(hour),
            )
        )
        hour += _HOUR
    book_actuals(actor=actor, rows=rows, source="wind farm of the demo")


def _wind_kwh(hour: datetime) -> Decimal:
    """Weather fronts of some days, less wind by day; whole kWh, the same for an hour always."""
    hours = hour.timestamp() / 3600
    front = 0.5 + 0.35 * math.sin(hours / 17.3) + 0.25 * math.sin(hours / 41.9)
    breeze = 0.08 * math.cos(2 * math.pi * hours / 24)
    share = min(max(0.62 * front + breeze, 0.0), 0.97)
    return Decimal(round(float(INSTALLED_MW) * 1000 * share))
