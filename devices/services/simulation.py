"""Register the devices that `simulate_devices` brings to life, and keep their tokens."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from devices.models import Device, Transport
from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Site

from .registration import issue_credentials, register_devices

# Capacity (kWh) and power (kW) of batteries as they are sold: three homes, one shop, one hall.
SIZES = ((10, 5), (13.5, 5), (7.5, 3.6), (40, 20), (215, 100))


@dataclass(frozen=True)
class SimulatedDevice:
    device: Device
    token: str


def prepare_simulated_devices(
    *,
    actor: Actor,
    sites: Sequence[Site],
    count: int,
    transports: Sequence[Transport],
    token_file: Path,
    prepared_at: datetime,
) -> list[SimulatedDevice]:
    """
    Return `count` devices "SIM-0001" … spread over the sites, with their tokens.

    Missing ones are registered. Tokens live in `token_file` (owner only), as they would on the
    devices; a device whose token is not there gets a new one.
    """
    codes = [f"SIM-{number:04d}" for number in range(1, count + 1)]
    known = {
        device.code: device
        for device in Device.objects.filter(
            organization__in={site.organization_id for site in sites}, code__in=codes
        ).select_related("site")
    }
    missing = []
    for number, code in enumerate(codes):
        if code in known:
            continue
        site, size = sites[number % len(sites)], SIZES[number % len(SIZES)]
        missing.append(
            Device(
                organization_id=site.organization_id,
                site=site,
                code=code,
                transport=transports[number % len(transports)],
                capacity_kwh=Decimal(str(size[0])),
                max_charge_kw=Decimal(str(size[1])),
                max_discharge_kw=Decimal(str(size[1])),
            )
        )
    if missing:
        created = register_devices(actor=actor, devices=missing)
        known.update((device.code, device) for device in created)
    tokens = _read(token_file)
    without = [device for device in known.values() if str(device.pk) not in tokens]
    if without:
        issued = issue_credentials(actor=actor, devices=without, issued_at=prepared_at)
        tokens.update((str(device.pk), token) for device, token in issued.items())
        _write(token_file, tokens)
    return [SimulatedDevice(known[code], tokens[str(known[code].pk)]) for code in codes]


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    held: dict[str, str] = json.loads(path.read_text())
    return held


def _write(path: Path, tokens: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(tokens, file)
    fresh.replace(path)
