"""Plan every battery against the forecast, check each plan independently, send what passes."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction

from devices import wire
from devices.queries.devices import devices_in_zone, measured_socs
from devices.schedules.services import publish_schedules
from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from fleet.models import DevicePlan, DispatchRun
from trading.optimization import BatteryFleet, DispatchPlan, dispatch_batteries, replay
from trading.queries.forecasts import IssuedForecast, latest_forecast

if TYPE_CHECKING:
    from devices.models import Device
    from trading.models import Market

# Ageing per kWh delivered, in the market's currency: below it, moving energy is not worth it.
WEAR_COST_PER_KWH = 0.02
# Where a day ends, so that the next one starts with something to sell and room to buy.
FINAL_SOC = 0.5
_NAMESPACE = uuid.UUID("a4d5b3c2-3f5e-5d7a-9a51-6c0a0e3f7b11")
_HALF_HOUR = timedelta(minutes=30)
_LEAST_KW = 1e-6


class DispatchRefused(ValueError):
    """A fleet cannot be dispatched; names the field and what is missing."""


@dataclass(frozen=True, eq=False)
class Horizon:
    """The periods that are still to be planned: UTC starts, prices in currency/MWh, length."""

    starts: tuple[datetime, ...]
    prices: npt.NDArray[np.float64]
    period: timedelta

    @property
    def start(self) -> datetime:
        return self.starts[0]

    @property
    def end(self) -> datetime:
        return self.starts[-1] + self.period


def dispatch_fleet(
    *, actor: Actor, market: "Market", delivery_date: date, planned_at: datetime
) -> DispatchRun:
    """
    Plan the actor's devices in a market's zone for a delivery day and publish their schedules.

    Uses the latest forecast issued by `planned_at`; of a day that has begun, the periods that
    start after it. Each plan is replayed by a checker that shares no code with the planner: a plan
    that fails is refused and its device idles, which the run and its event report.

    :raises DispatchRefused: without devices, without a forecast, or when the day is over.
    """
    actor.require("fleet.dispatch_fleet")
    issued = latest_forecast(market, delivery_date, issued_by=planned_at)
    if issued is None:
        raise DispatchRefused(f"forecast: none of {market.code} for {delivery_date} is issued yet.")
    horizon = _horizon(issued, planned_at)
    devices = [device for device in devices_in_zone(actor, market.code) if device.is_active]
    if not devices:
        raise DispatchRefused(f"devices: none of yours is active in {market.code}.")
    fleet = _fleet_of(devices, horizon.start)
    hours = horizon.period / timedelta(hours=1)
    plan = dispatch_batteries(horizon.prices, fleet, hours)
    refusals = _refusals(plan, horizon, fleet, hours)
    with transaction.atomic():
        run = _record_run(market, delivery_date, planned_at, issued, horizon, plan, refusals)
        drafts = []
        rows = []
        for index, device in enumerate(devices):
            schedule_id = uuid.uuid5(_NAMESPACE, f"{device.pk}/{market.code}/{delivery_date}")
            refusal = refusals.get(index, "")
            entries = () if refusal else _entries(plan, index, horizon, fleet)
            drafts.append(
                wire.Schedule(
                    schedule_id=schedule_id,
                    device_id=device.pk,
                    version=run.number,
                    valid_from=horizon.start,
                    valid_to=horizon.end,
                    entries=entries,
                    source=f"dispatch {market.code} {delivery_date} #{run.number}",
                )
            )
            capacity = float(fleet.energy_kwh[index])
            initial = float(fleet.initial_soc[index])
            rows.append(
                DevicePlan(
                    run=run,
                    device=device,
                    schedule_id=schedule_id,
                    end=horizon.end,
                    initial_soc=initial,
                    final_soc=initial if refusal else float(plan.stored_kwh[index, -1]) / capacity,
                    expected_value=0.0 if refusal else float(plan.value[index]),
                    refusal=refusal,
                )
            )
        DevicePlan.objects.bulk_create(rows, batch_size=1000)
        publish_schedules(actor=actor, drafts=drafts, published_at=planned_at)
        _record_events(actor, run, market, devices, refusals)
    return run


def _horizon(issued: IssuedForecast, planned_at: datetime) -> Horizon:
    starts = [datetime.fromtimestamp(int(second), UTC) for second in issued.starts.astype(np.int64)]
    first = next((i for i, start in enumerate(starts) if start >= planned_at), None)
    if first is None:
        raise DispatchRefused(f"delivery_date: {issued.forecast.delivery_date} is over.")
    return Horizon(tuple(starts[first:]), issued.values[first:], timedelta(minutes=issued.minutes))


def _fleet_of(devices: "Sequence[Device]", start: datetime) -> BatteryFleet:
    """Describe the devices to the planner; a site's connection is shared equally."""
    at_site = Counter(device.site_id for device in devices)

    def column(name: str) -> npt.NDArray[np.float64]:
        return np.array([float(getattr(device, name)) for device in devices])

    return BatteryFleet(
        energy_kwh=column("capacity_kwh"),
        min_soc=column("min_soc"),
        max_soc=column("max_soc"),
        initial_soc=_initial_socs(devices, start),
        charge_limit_kw=column("max_charge_kw"),
        discharge_limit_kw=column("max_discharge_kw"),
        charge_efficiency=column("charge_efficiency"),
        discharge_efficiency=column("discharge_efficiency"),
        cycle_cost_per_kwh=np.full(len(devices), WEAR_COST_PER_KWH),
        grid_limit_kw=np.array(
            [float(d.site.grid_connection_kw) / at_site[d.site_id] for d in devices]
        ),
        terminal_soc=np.clip(FINAL_SOC, column("min_soc"), column("max_soc")),
    )


def _initial_socs(devices: "Sequence[Device]", start: datetime) -> npt.NDArray[np.float64]:
    """Expect the end of the plan that leads up to the start, else the newest measured state."""
    ids = [device.pk for device in devices]
    planned = dict(
        DevicePlan.objects.filter(device__in=ids, end=start, refusal="")
        .order_by("device_id", "-run_id")
        .distinct("device_id")
        .values_list("device_id", "final_soc")
    )
    measured = measured_socs(ids)
    socs = [planned.get(pk, measured.get(pk, FINAL_SOC)) for pk in ids]
    return np.clip(np.array(socs, dtype=np.float64), 0.0, 1.0)


def _refusals(
    plan: DispatchPlan, horizon: Horizon, fleet: BatteryFleet, hours: float
) -> dict[int, str]:
    """Replay the plans and return the first broken rule of each that fails."""
    report = replay(plan, horizon.prices, fleet, hours)
    broken: dict[int, str] = {}
    for violation in report.violations:
        if not report.accepted[violation.battery]:
            broken.setdefault(violation.battery, str(violation)[:200])
    for index in np.flatnonzero(~report.accepted).tolist():
        broken.setdefault(index, "the replay did not accept the plan")
    return broken


def _entries(
    plan: DispatchPlan, index: int, horizon: Horizon, fleet: BatteryFleet
) -> tuple[wire.ScheduleEntry, ...]:
    """Turn one plan into orders of a half-hour at most, with the state that each leads to."""
    capacity = float(fleet.energy_kwh[index])
    pieces = max(1, horizon.period // _HALF_HOUR)
    length = horizon.period / pieces
    entries = []
    for number, start in enumerate(horizon.starts):
        net = float(plan.discharge_kw[index, number] - plan.charge_kw[index, number])
        if abs(net) < _LEAST_KW:
            continue
        before, after = plan.stored_kwh[index, number : number + 2] / capacity
        for piece in range(pieces):
            target = float(before + (after - before) * (piece + 1) / pieces)
            entries.append(
                wire.ScheduleEntry(
                    start_time=start + piece * length,
                    end_time=start + (piece + 1) * length,
                    mode=wire.Mode.DISCHARGE if net > 0 else wire.Mode.CHARGE,
                    rate_kw=round(abs(net), 9),
                    target_soc=min(1.0, max(0.0, target)),
                )
            )
    return tuple(entries)


def _record_run(
    market: "Market",
    delivery_date: date,
    planned_at: datetime,
    issued: IssuedForecast,
    horizon: Horizon,
    plan: DispatchPlan,
    refusals: dict[int, str],
) -> DispatchRun:
    with connection.cursor() as cursor:
        # Two planners of one day take numbers one after the other.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"fleet dispatch {market.pk} {delivery_date}"],
        )
    newest = (
        DispatchRun.objects.filter(market=market, delivery_date=delivery_date)
        .order_by("-number")
        .values_list("number", flat=True)
        .first()
    )
    accepted = [value for i, value in enumerate(plan.value.tolist()) if i not in refusals]
    return DispatchRun.objects.create(
        market=market,
        delivery_date=delivery_date,
        number=(newest or 0) + 1,
        planned_at=planned_at,
        forecast=issued.forecast,
        start=horizon.start,
        end=horizon.end,
        device_count=len(plan.value),
        refused_count=len(refusals),
        expected_value=sum(accepted),
        currency=market.currency,
        solver=plan.solver[:80],
    )


def _record_events(
    actor: Actor,
    run: DispatchRun,
    market: "Market",
    devices: "Sequence[Device]",
    refusals: dict[int, str],
) -> None:
    for organization_id in sorted({device.organization_id for device in devices}):
        own = [i for i, device in enumerate(devices) if device.organization_id == organization_id]
        record_event(
            type="fleet.dispatched",
            actor=actor,
            aggregate_type="dispatch_run",
            aggregate_id=run.pk,
            organization_id=organization_id,
            payload={
                "market": market.code,
                "delivery_date": run.delivery_date.isoformat(),
                "number": run.number,
                "devices": len(own),
                "refused": {str(devices[i].pk): refusals[i] for i in own if i in refusals},
            },
        )
