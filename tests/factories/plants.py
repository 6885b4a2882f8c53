"""Plants that are metered, deals on their output, and readings."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Side
from trading.deals import AssetShare, Deal, Profile, asset_share
from trading.models import Flow, Market, MeteringPointKind, Plant
from trading.queries.areas import delivery_areas
from trading.services.actuals import ActualRow, ActualsBooked, book_actuals

METER = "meter-7"


def make_plant(market: Market, code: str = "WIND-1", **fields: Any) -> Plant:
    return Plant.objects.create(
        **{
            "code": code, "name": code, "market": market, "technology": "WIND_ONSHORE",
            "installed_mwp": Decimal(100), "capacity_factors": "0.2", "metering_asset_id": METER,
            **fields,
        }
    )  # fmt: skip


def output_deal(
    period: DatePeriod, *, side: Side = Side.BUY, mw: int = 10, minutes: int = 60,
    plant: str = "WIND-1", contracted: str = "50", **terms: Any,
) -> Deal:  # fmt: skip
    """Half of a plant's output at 52.25, expected flat."""
    area = delivery_areas({"DE"})["DE"]
    count = int(area.calendar.span(period).duration.total_seconds()) // (60 * minutes)
    return asset_share(
        side=side, area=area, period=period,
        asset=AssetShare(plant, Decimal(100), Decimal(contracted)),
        expected=Profile(minutes, np.full(count, mw * 1_000_000, dtype=np.int64)),
        **(terms or {"price": Decimal("52.25")}),
    )  # fmt: skip


def feed_in(
    organization_id: Any, market: Market, start: datetime, megawatts: list[Any], *,
    minutes: int = 60, meter: str = METER, kind: str = "CONNECTION_POINT", flow: str = "EXPORT",
) -> ActualsBooked:  # fmt: skip
    """Book consecutive readings of a whole plant, given as mean MW."""
    rows = [
        ActualRow(
            organization_id=organization_id, market=market, asset_id=meter, flow=Flow(flow),
            metering_point_kind=MeteringPointKind(kind),
            start=start + n * timedelta(minutes=minutes), minutes=minutes,
            energy_kwh=Decimal(str(mw)) * 1000 * minutes / 60,
        )
        for n, mw in enumerate(megawatts)
    ]  # fmt: skip
    return book_actuals(actor=Actor.system("test"), rows=rows, source="test meter")
