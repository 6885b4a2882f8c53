"""Put schedules in force: thousands in one transaction, and each reaches its device in the end."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from msgspec import UNSET

from devices import wire
from devices.models import Device
from devices.schedules.models import Schedule
from devices.schedules.queries.documents import entries_of
from devices.services.snapshots import announce_revisions
from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.partitions.months import ensure_months


class UnknownDevices(LookupError):
    """Drafts name devices that do not exist, are retired, or belong to somebody else."""

    def __init__(self, device_ids: Sequence[UUID]) -> None:
        self.device_ids = device_ids
        shown = ", ".join(str(device_id) for device_id in device_ids[:5])
        super().__init__(f"device_id: {len(device_ids)} unknown or retired: {shown}")


class VersionConflict(ValueError):
    """A draft's version is not newer than what its schedule already has."""


class DraftsOverlap(ValueError):
    """Two drafts of one batch order the same device at the same time."""


@dataclass(frozen=True)
class PublishedSchedules:
    """
    What a publication did.

    count       schedules put in force; `unchanged` of the drafts were in force already, as given.
    replaced    schedules in force before that were cut or ended by new ones.
    revisions   device → revision of its document, for the devices that got a new one.
    """

    count: int
    unchanged: int
    replaced: int
    revisions: dict[UUID, int]


def publish_schedules(
    *, actor: Actor, drafts: Sequence[wire.Schedule], published_at: datetime
) -> PublishedSchedules:
    """
    Put schedules in force, all or none.

    A draft replaces what its device was ordered for [valid_from, valid_to) and nothing outside of
    it: of an overlapped schedule the parts before and after stay in force, under their own command
    ids. A draft that repeats what is in force changes nothing. A cancelled draft empties its
    period. After the commit, polls see the new ETag and the MQTT bridge sends the document, again
    and again until the device confirms it.

    :raises UnknownDevices: if a device is not an active one of the actor's organizations.
    :raises VersionConflict: if a schedule has this or a higher version already, or is another
        device's.
    :raises DraftsOverlap: if two drafts order one device at once.
    """
    actor.require("devices.publish_schedule")
    drafts = sorted(drafts, key=lambda draft: (draft.device_id.bytes, draft.valid_from))
    _refuse_overlaps(drafts)
    if not drafts:
        return PublishedSchedules(0, 0, 0, {})
    with transaction.atomic():
        organizations = _lock_devices(actor, {draft.device_id for draft in drafts})
        fresh = _without_known(drafts)
        replaced = _replace_overlapped(fresh, published_at)
        _insert(_row_of(draft, published_at) for draft in fresh)
        revisions = _open_deliveries(sorted({draft.device_id for draft in fresh}))
        _record(actor, fresh, organizations)
        transaction.on_commit(partial(announce_revisions, list(revisions.items())))
    return PublishedSchedules(len(fresh), len(drafts) - len(fresh), replaced, revisions)


def _refuse_overlaps(drafts: Sequence[wire.Schedule]) -> None:
    identities = set()
    for before, after in pairwise(drafts):
        if before.device_id == after.device_id and after.valid_from < before.valid_to:
            raise DraftsOverlap(
                f"device {after.device_id}: schedules {before.schedule_id} and "
                f"{after.schedule_id} overlap from {after.valid_from.isoformat()}"
            )
    for draft in drafts:
        if draft.schedule_id in identities:
            raise DraftsOverlap(f"schedule_id: {draft.schedule_id} stands twice in one batch")
        identities.add(draft.schedule_id)


def _lock_devices(actor: Actor, device_ids: set[UUID]) -> dict[UUID, UUID]:
    """Lock the devices in one order and return the organization of each."""
    rows = (
        Device.objects.select_for_update(no_key=True)
        .filter(pk__in=device_ids, is_active=True, organization_id__in=actor.organization_ids)
        .order_by("pk")
        .values_list("pk", "organization_id")
    )
    organizations = dict(rows)
    if missing := device_ids - organizations.keys():
        raise UnknownDevices(sorted(missing))
    return organizations


def _without_known(drafts: Sequence[wire.Schedule]) -> list[wire.Schedule]:
    """Drop drafts that are in force as they stand; refuse versions that are not newer."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT ON (schedule_id) schedule_id, version, device_id FROM (
                SELECT schedule_id, version, device_id FROM schedules_schedule
                WHERE schedule_id = ANY(%(ids)s)
                UNION ALL
                SELECT schedule_id, version, device_id FROM schedules_pastschedule
                WHERE schedule_id = ANY(%(ids)s)
            ) AS known ORDER BY schedule_id, version DESC
            """,
            {"ids": [draft.schedule_id for draft in drafts]},
        )
        known = {row[0]: (row[1], row[2]) for row in cursor.fetchall()}
    fresh = []
    for draft in drafts:
        if draft.schedule_id not in known:
            fresh.append(draft)
            continue
        version, device_id = known[draft.schedule_id]
        if device_id != draft.device_id:
            raise VersionConflict(f"schedule_id: {draft.schedule_id} is another device's schedule")
        if draft.version > version:
            fresh.append(draft)
        elif draft.version < version or not _is_in_force(draft):
            raise VersionConflict(
                f"version: schedule {draft.schedule_id} has version {version}; "
                f"give a higher one than {draft.version}"
            )
    return fresh


def _is_in_force(draft: wire.Schedule) -> bool:
    rows = Schedule.objects.filter(schedule_id=draft.schedule_id, version=draft.version)
    wanted = () if draft.is_cancelled else _plain(draft.entries)
    return any(
        row.period.lower == draft.valid_from
        and row.period.upper == draft.valid_to
        and _plain(entries_of(row)) == wanted
        for row in rows
    )


def _plain(entries: Iterable[wire.ScheduleEntry]) -> tuple[tuple[Any, ...], ...]:
    return tuple((e.start_time, e.end_time, e.mode, e.rate_kw, e.target_soc) for e in entries)


def _replace_overlapped(drafts: Sequence[wire.Schedule], published_at: datetime) -> int:
    """Move overlapped schedules to the past, and put what the drafts leave of them in force."""
    if not drafts:
        return 0
    by_device: dict[UUID, list[wire.Schedule]] = defaultdict(list)
    for draft in drafts:
        by_device[draft.device_id].append(draft)
    candidates = Schedule.objects.filter(
        device__in=list(by_device),
        period__overlap=(
            min(draft.valid_from for draft in drafts),
            max(draft.valid_to for draft in drafts),
        ),
    ).order_by("revision")
    overlapped: list[Schedule] = []
    pieces: list[tuple[Any, ...]] = []
    for row in candidates:
        holes = [
            (draft.valid_from, draft.valid_to)
            for draft in by_device[row.device_id]
            if draft.valid_from < row.period.upper and row.period.lower < draft.valid_to
        ]
        if holes:
            overlapped.append(row)
            pieces.extend(_remainder(row, holes))
    move_to_past([row.revision for row in overlapped], ended_at=published_at)
    _insert(pieces)
    return len(overlapped)


def move_to_past(revisions: Sequence[int], *, ended_at: datetime) -> None:
    """Take schedules out of force and keep them, whole, among the past ones."""
    if not revisions:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(published_at), max(published_at) FROM schedules_schedule "
            "WHERE revision = ANY(%s)",
            [list(revisions)],
        )
        first, last = cursor.fetchone()
        ensure_months(table="schedules_pastschedule", first=first.date(), last=last.date())
        cursor.execute(
            """
            WITH gone AS (DELETE FROM schedules_schedule WHERE revision = ANY(%s) RETURNING *)
            INSERT INTO schedules_pastschedule
                (revision, schedule_id, version, device_id, period, origin, start_seconds,
                 end_seconds, modes, rates_kw, target_socs, source, published_at, ended_at)
            SELECT revision, schedule_id, version, device_id, period, origin, start_seconds,
                   end_seconds, modes, rates_kw, target_socs, source, published_at, %s FROM gone
            """,
            [list(revisions), ended_at],
        )


def _remainder(row: Schedule, holes: Sequence[tuple[datetime, datetime]]) -> list[tuple[Any, ...]]:
    """
    Return the parts of a schedule outside of the holes (sorted, disjoint), as rows.

    An order that a hole cuts short keeps its beginning, and with its start its identity; what
    is left of it after the hole is dropped.
    """
    edges = [row.period.lower]
    for start, end in holes:
        edges += [start, end]
    edges.append(row.period.upper)
    origin = row.origin
    rows = []
    for lower, upper in zip(edges[::2], edges[1::2], strict=True):
        if upper <= lower:
            continue
        first = round((lower - origin).total_seconds())
        last = round((upper - origin).total_seconds())
        kept = [i for i, start in enumerate(row.start_seconds) if first <= start < last]
        rows.append(
            (
                row.schedule_id,
                row.version,
                row.device_id,
                _range(lower, upper),
                origin,
                [row.start_seconds[i] for i in kept],
                [min(row.end_seconds[i], last) for i in kept],
                [row.modes[i] for i in kept],
                [row.rates_kw[i] for i in kept],
                None if row.target_socs is None else [row.target_socs[i] for i in kept],
                row.source,
                row.published_at,
            )
        )
    return rows


def _row_of(draft: wire.Schedule, published_at: datetime) -> tuple[Any, ...]:
    origin = draft.valid_from
    entries = () if draft.is_cancelled else draft.entries
    second = timedelta(seconds=1)
    targets = None
    if any(entry.target_soc is not UNSET for entry in entries):
        targets = [None if e.target_soc is UNSET else e.target_soc for e in entries]
    return (
        draft.schedule_id,
        draft.version,
        draft.device_id,
        _range(draft.valid_from, draft.valid_to),
        origin,
        [(entry.start_time - origin) // second for entry in entries],
        [(entry.end_time - origin) // second for entry in entries],
        [int(entry.mode) for entry in entries],
        [entry.rate_kw for entry in entries],
        targets,
        "" if draft.source is UNSET else draft.source,
        published_at,
    )


def _range(lower: datetime, upper: datetime) -> str:
    return f"[{lower.isoformat()},{upper.isoformat()})"


def _insert(rows: Iterable[tuple[Any, ...]]) -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY schedules_schedule (schedule_id, version, device_id, period, origin, "
            "start_seconds, end_seconds, modes, rates_kw, target_socs, source, published_at) "
            "FROM STDIN"
        ) as copy,
    ):
        for row in rows:
            copy.write_row([_literal(value) if type(value) is list else value for value in row])


def _literal(numbers: list[Any]) -> str:
    """Write an array of numbers as PostgreSQL reads it, in a third of the driver's time."""
    return "{" + ",".join(["NULL" if n is None else str(n) for n in numbers]) + "}"


def _open_deliveries(device_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Note for each device that its newest document is still to arrive; wake the bridge."""
    if not device_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO schedules_scheduledelivery
                (device_id, revision, schedule_id, version, published_at, transmitted_at, attempts,
                 received_at, reception, reason)
            SELECT DISTINCT ON (device_id) device_id, revision, schedule_id, version, published_at,
                   NULL::timestamptz, 0, NULL::timestamptz, '', ''
            FROM schedules_schedule WHERE device_id = ANY(%s) ORDER BY device_id, revision DESC
            ON CONFLICT (device_id) DO UPDATE SET
                (revision, schedule_id, version, published_at, transmitted_at, attempts,
                 received_at, reception, reason) =
                (excluded.revision, excluded.schedule_id, excluded.version, excluded.published_at,
                 NULL, 0, NULL, '', '')
            RETURNING device_id, revision
            """,
            [list(device_ids)],
        )
        revisions = dict(cursor.fetchall())
        cursor.execute("SELECT pg_notify('schedules', '')")
    return revisions


def _record(actor: Actor, drafts: Sequence[wire.Schedule], organizations: dict[UUID, UUID]) -> None:
    """Write one event an organization: what every device does is in tables of its own."""
    by_organization: dict[UUID, list[wire.Schedule]] = defaultdict(list)
    for draft in drafts:
        by_organization[organizations[draft.device_id]].append(draft)
    for organization_id, own in by_organization.items():
        record_event(
            type="schedule.published",
            actor=actor,
            aggregate_type="organization",
            aggregate_id=organization_id,
            organization_id=organization_id,
            key=f"schedules:{organization_id}",
            payload={
                "count": len(own),
                "entries": sum(len(draft.entries) for draft in own),
                "valid_from": min(draft.valid_from for draft in own).isoformat(),
                "valid_to": max(draft.valid_to for draft in own).isoformat(),
                "devices": [str(draft.device_id) for draft in own[:100]],
            },
        )
