"""Keep the newest word of each device."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection


@dataclass(frozen=True)
class Sighting:
    """
    That a device was heard at `seen_at`, with its newest sample if it sent one.

    soc is 0 to 1; power_kw > 0 discharging.
    """

    device_id: UUID
    seen_at: datetime
    sampled_at: datetime | None = None
    state: str = ""
    fault: str = ""
    soc: float | None = None
    power_kw: float | None = None


_UPSERT = """
INSERT INTO devices_devicestatus
    (device_id, last_seen_at, sampled_at, state, fault, soc, power_kw)
SELECT * FROM unnest(%s::uuid[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[],
                     %s::float8[], %s::float8[]) ORDER BY 1
ON CONFLICT (device_id) DO UPDATE SET
    last_seen_at = greatest(devices_devicestatus.last_seen_at, excluded.last_seen_at),
    (sampled_at, state, fault, soc, power_kw) = (
        SELECT * FROM (VALUES (excluded.sampled_at, excluded.state, excluded.fault,
                               excluded.soc, excluded.power_kw)) AS fresh
        WHERE excluded.sampled_at IS NOT NULL
          AND excluded.sampled_at >= coalesce(devices_devicestatus.sampled_at, '-infinity')
        UNION ALL
        SELECT devices_devicestatus.sampled_at, devices_devicestatus.state,
               devices_devicestatus.fault, devices_devicestatus.soc,
               devices_devicestatus.power_kw
        WHERE excluded.sampled_at IS NULL
           OR excluded.sampled_at < coalesce(devices_devicestatus.sampled_at, '-infinity')
    )
"""


def record_sightings(sightings: Sequence[Sighting]) -> None:
    """Write the newest sighting of each device; an older sample never replaces a newer one."""
    newest: dict[UUID, Sighting] = {}
    for sighting in sightings:
        held = newest.get(sighting.device_id)
        if held is None or _rank(sighting) >= _rank(held):
            newest[sighting.device_id] = sighting
    if not newest:
        return
    rows = list(newest.values())
    with connection.cursor() as cursor:
        cursor.execute(
            _UPSERT,
            [
                [row.device_id for row in rows],
                [row.seen_at for row in rows],
                [row.sampled_at for row in rows],
                [row.state for row in rows],
                [row.fault for row in rows],
                [row.soc for row in rows],
                [row.power_kw for row in rows],
            ],
        )


def _rank(sighting: Sighting) -> tuple[bool, float, datetime]:
    sampled = sighting.sampled_at
    return sampled is not None, sampled.timestamp() if sampled else 0.0, sighting.seen_at
