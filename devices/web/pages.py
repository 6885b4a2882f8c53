"""One battery's page."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from devices.models import Device
from devices.queries.life import DeviceLife, device_life, visible_device
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.calendars import Calendar
from energyopti.foundation.scope import DATE, scope_of

_LEVELS = {"SUCCEEDED": "good", "ABORTED": "bad", "REJECTED": "bad", "REVOKED": "warn"}


@require_permission("devices.view_device")
def device(request: HttpRequest, device_id: UUID) -> HttpResponse:
    """Show schedule against reality, the acknowledgements, and what comes next."""
    actor, now = actor_of(request), clock.now()
    found = visible_device(actor, device_id)
    if found is None:
        raise Http404("There is no such battery.")
    calendar = Calendar(found.site.time_zone)
    scope = scope_of(request, actor=actor, today=calendar.date_of(now), reads={DATE})
    chosen = None if scope.is_today else scope.date
    life = device_life(found, now=now, day=calendar.day(chosen) if chosen else None)
    return render(request, "devices/device.html", {**_context(found, life), "chosen_day": chosen})


def _context(found: Device, life: DeviceLife) -> dict[str, Any]:
    status = getattr(found, "status_row", None)
    return {
        "device": found,
        "status": status,
        "charge_percent": status.soc * 100 if status and status.soc is not None else None,
        "delivery": life.delivery,
        "next_orders": life.next_orders,
        "power_rows": [(p.start, (p.scheduled_kw, p.actual_kw)) for p in life.points],
        "soc_rows": [(p.start, (p.soc_percent,)) for p in life.points],
        "facts": [
            ("Site", str(found.site)),
            ("Capacity", f"{found.capacity_kwh.normalize():f} kWh"),
            ("Charges with", f"{found.max_charge_kw.normalize():f} kW"),
            ("Discharges with", f"{found.max_discharge_kw.normalize():f} kW"),
            (
                "Efficiency",
                f"{found.charge_efficiency:.0%} in, {found.discharge_efficiency:.0%} out",
            ),
            ("Charge kept within", f"{found.min_soc:.0%} to {found.max_soc:.0%}"),
            ("Speaks", found.get_transport_display()),
            ("Identity", str(found.pk)),
        ],
        "timeline": [
            {
                "title": said.status.capitalize(),
                "detail": _detail(said.energy_kwh, said.reason),
                "at": said.reported_at,
                "level": _LEVELS.get(said.status, ""),
            }
            for said in life.acknowledgements
        ],
    }


def _detail(energy_kwh: Any, reason: str) -> str:
    moved = f"{energy_kwh.normalize():f} kWh" if energy_kwh is not None else ""
    return ", ".join(part for part in (moved, reason) if part)
