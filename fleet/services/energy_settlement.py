"""From counters to booked kWh: what each battery and site took and gave in each market period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db import transaction

from devices.queries.devices import devices_in_zone
from devices.schedules.queries.energy import acknowledged_energy
from devices.telemetry.queries.readings import Readings, counter_readings
from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod, periods
from energyopti.foundation.events.services import record_event
from fleet.models import EnergySettlement
from trading.enums import Flow, MeteringPointKind
from trading.services.actuals import ActualRow, book_actuals

if TYPE_CHECKING:
    from devices.models import Device
    from trading.models import Market

SOURCE = "device telemetry"
TOLERANCE = Decimal("0.01")
# A reading up to this long before the day can still be the one at its start.
LOOK_BACK = timedelta(hours=6)
# Between readings further apart than this the course of the counter is a guess.
LONGEST_STEP = timedelta(minutes=30)
_WH_PER_KWH = 1000


class SettlementRefused(ValueError):
    """Energy cannot be settled; names the field and the rule."""


@dataclass(frozen=True, eq=False)
class Metered:
    """
    Watt-hours of one device by period; arrays of shape (periods,), −1 where not known.

    is_estimated    whether an edge of the period lay in a gap of the readings
    """

    import_wh: npt.NDArray[np.int64]
    export_wh: npt.NDArray[np.int64]
    consumption_wh: npt.NDArray[np.int64]
    is_estimated: npt.NDArray[np.bool_]

    @property
    def is_known(self) -> npt.NDArray[np.bool_]:
        return self.import_wh >= 0


def settle_energy(
    *, actor: Actor, market: "Market", delivery_date: date, settled_at: datetime
) -> EnergySettlement:
    """
    Book the metered energy of a delivery day and compare it with what devices acknowledged.

    Three registers a device: the battery's import and export (`device:<id>`, storage) and the
    consumption of the site's loads, which the device counts without the battery
    (`consumption:<id>`, load). What crosses the site's connection is the grid meter's to tell, not
    the battery's. A period is booked when there are readings at or around both
    its edges; late telemetry is booked by settling again, corrections as new versions.

    :raises SettlementRefused: if the day is not over, or no device is in the market's zone.
    """
    actor.require("fleet.settle_energy")
    day = market.calendar.day(delivery_date)
    if settled_at < day.end:
        raise SettlementRefused(f"settled_at: {delivery_date} ends {day.end.isoformat()}.")
    devices = devices_in_zone(actor, market.code)
    if not devices:
        raise SettlementRefused(f"devices: none of yours is in {market.code}.")
    minutes = market.period_minutes
    spans = periods(market.calendar, DatePeriod.day(delivery_date), minutes=minutes)
    edges = np.array([int(s.start.timestamp()) for s in spans] + [int(day.end.timestamp())])
    ids = [device.pk for device in devices]
    readings = counter_readings(ids, start=day.start - LOOK_BACK, end=day.end)
    metered = {pk: meter(readings[pk], edges) for pk in ids if pk in readings}
    rows = _rows(devices, metered, market, [span.start for span in spans], minutes)
    acknowledged = acknowledged_energy(ids, start=day.start, end=day.end)
    with transaction.atomic():
        book_actuals(actor=actor, rows=rows, source=SOURCE)
        settlement = _summarize(
            market, delivery_date, settled_at, ids, metered, acknowledged, len(spans), len(rows)
        )
        for organization_id in sorted({device.organization_id for device in devices}):
            record_event(
                type="fleet.energy_settled",
                actor=actor,
                aggregate_type="energy_settlement",
                aggregate_id=settlement.pk,
                organization_id=organization_id,
                payload={
                    "market": market.code,
                    "delivery_date": delivery_date.isoformat(),
                    "is_reconciled": settlement.is_reconciled,
                    "moved_kwh": str(settlement.moved_kwh),
                    "acknowledged_kwh": str(settlement.acknowledged_kwh),
                    "missing_periods": settlement.missing_periods,
                },
            )
    return settlement


def meter(readings: Readings, edges: npt.NDArray[np.int64]) -> Metered:
    """
    Return what each register counted between consecutive edges (seconds since 1970).

    A register read exactly at an edge gives its exact count; between readings it is taken to run
    evenly, rounded to whole watt-hours once per edge, so that periods add up to the whole.
    """
    seconds = readings.seconds
    inside = (edges >= seconds[0]) & (edges <= seconds[-1])
    known = inside[:-1] & inside[1:]
    after = np.clip(np.searchsorted(seconds, edges), 1, max(1, seconds.size - 1))
    on_reading = np.isin(edges, seconds)
    if seconds.size > 1:
        step = seconds[after] - seconds[after - 1]
    else:
        step = np.zeros(edges.size, dtype=np.int64)
    guessed = ~on_reading & (step > LONGEST_STEP.total_seconds())

    def counted(counter: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        # Relative to the first reading, so that float64 holds it exactly.
        run = np.interp(edges, seconds, (counter - counter[0]).astype(np.float64))
        return np.where(known, np.diff(np.rint(run).astype(np.int64)), -1)

    return Metered(
        counted(readings.import_wh),
        counted(readings.export_wh),
        counted(readings.consumption_wh),
        known & (guessed[:-1] | guessed[1:]),
    )


def _rows(
    devices: "Sequence[Device]",
    metered: dict[UUID, Metered],
    market: "Market",
    starts: Sequence[datetime],
    minutes: int,
) -> list[ActualRow]:
    rows = []
    for device in devices:
        counted = metered.get(device.pk)
        if counted is None:
            continue
        storage, load = f"device:{device.pk}", f"consumption:{device.pk}"
        registers = (
            (storage, Flow.IMPORT, MeteringPointKind.STORAGE, counted.import_wh),
            (storage, Flow.EXPORT, MeteringPointKind.STORAGE, counted.export_wh),
            (load, Flow.IMPORT, MeteringPointKind.LOAD, counted.consumption_wh),
        )
        for asset_id, flow, kind, amounts in registers:
            for start, watt_hours in zip(starts, amounts.tolist(), strict=True):
                if watt_hours < 0:
                    continue
                rows.append(
                    ActualRow(
                        organization_id=device.organization_id,
                        market=market,
                        asset_id=asset_id,
                        flow=Flow(flow),
                        metering_point_kind=MeteringPointKind(kind),
                        start=start.astimezone(UTC),
                        minutes=minutes,
                        energy_kwh=_kwh(watt_hours),
                        site_id=device.site_id,
                    )
                )
    return rows


def _kwh(watt_hours: int) -> Decimal:
    return Decimal(watt_hours) / _WH_PER_KWH


def _summarize(
    market: "Market",
    delivery_date: date,
    settled_at: datetime,
    ids: Sequence[UUID],
    metered: dict[UUID, Metered],
    acknowledged: dict[UUID, Decimal],
    period_count: int,
    row_count: int,
) -> EnergySettlement:
    def total(name: str) -> Decimal:
        return sum(
            (_kwh(int(getattr(m, name)[m.is_known].sum())) for m in metered.values()), Decimal(0)
        )

    imported, exported = total("import_wh"), total("export_wh")
    known = sum(int(m.is_known.sum()) for m in metered.values())
    return EnergySettlement.objects.create(
        market=market,
        delivery_date=delivery_date,
        settled_at=settled_at,
        device_count=len(ids),
        import_kwh=imported,
        export_kwh=exported,
        consumption_kwh=total("consumption_wh"),
        moved_kwh=imported + exported,
        acknowledged_kwh=sum(acknowledged.values(), Decimal(0)),
        tolerance=TOLERANCE,
        booked_rows=row_count,
        missing_periods=len(ids) * period_count - known,
        estimated_periods=sum(int(m.is_estimated.sum()) for m in metered.values()),
    )
