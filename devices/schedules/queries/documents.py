"""The document of a device: all its schedules in force, as one message on the wire."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from msgspec import UNSET

from devices import wire
from devices.schedules.models import Schedule, ScheduleColumns


def entries_of(row: ScheduleColumns) -> list[wire.ScheduleEntry]:
    """Return the entries of a stored schedule, without command ids."""
    origin = row.origin
    targets = row.target_socs or [None] * len(row.modes)
    return [
        wire.ScheduleEntry(
            start_time=origin + timedelta(seconds=start),
            end_time=origin + timedelta(seconds=end),
            mode=wire.Mode(mode),
            rate_kw=rate,
            target_soc=UNSET if target is None else target,
        )
        for start, end, mode, rate, target in zip(
            row.start_seconds, row.end_seconds, row.modes, row.rates_kw, targets, strict=True
        )
    ]


def command_times(row: ScheduleColumns) -> dict[UUID, tuple[datetime, datetime]]:
    """Return the orders of a stored schedule: command id → start and end."""
    origin = row.origin
    times: dict[UUID, tuple[datetime, datetime]] = {}
    for first, last in zip(row.start_seconds, row.end_seconds, strict=True):
        start = origin + timedelta(seconds=first)
        times[wire.command_id(row.schedule_id, row.version, start)] = (
            start,
            origin + timedelta(seconds=last),
        )
    return times


def compose(rows: Sequence[Schedule]) -> tuple[int, wire.Schedule]:
    """
    Return revision and document of one device's schedules in force (at least one).

    The newest gives identity and version; entries of the others carry their command ids, so an
    order keeps its identity when a newer schedule joins it.
    """
    newest = max(rows, key=lambda row: row.revision)
    entries: list[wire.ScheduleEntry] = []
    for row in sorted(rows, key=lambda row: row.period.lower):
        for entry in entries_of(row):
            if row is not newest and (row.schedule_id, row.version) != (
                newest.schedule_id,
                newest.version,
            ):
                entry = wire.ScheduleEntry(
                    start_time=entry.start_time,
                    end_time=entry.end_time,
                    mode=entry.mode,
                    rate_kw=entry.rate_kw,
                    target_soc=entry.target_soc,
                    command_id=wire.command_id(row.schedule_id, row.version, entry.start_time),
                )
            entries.append(entry)
    return newest.revision, wire.Schedule(
        schedule_id=newest.schedule_id,
        device_id=newest.device_id,
        version=newest.version,
        valid_from=min(row.period.lower for row in rows),
        valid_to=max(row.period.upper for row in rows),
        entries=tuple(entries),
        source=newest.source or UNSET,
        status=wire.ScheduleStatus.ACTIVE,
    )


def documents(device_ids: Iterable[UUID]) -> dict[UUID, tuple[int, wire.Schedule]]:
    """Return revision and document by device, in one query; devices without any are absent."""
    rows = Schedule.objects.filter(device__in=list(device_ids)).order_by("device_id", "revision")
    return {
        device_id: compose(list(group))
        for device_id, group in groupby(rows, key=lambda row: row.device_id)
    }
