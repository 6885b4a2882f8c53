"""Write telemetry batches of many devices in one transaction, each once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from msgspec import UNSET

from devices import wire
from devices.models import Device
from devices.services.status import Sighting, record_sightings
from devices.telemetry.models import TelemetryRecord
from devices.wire import Outcome, Receipt
from energyopti.foundation.partitions.months import ensure_months

Batch = tuple[UUID, wire.TelemetryBatch]
# Bounds on what a device may claim, so that a wrong clock makes no months of its own.
OLDEST = timedelta(days=90)
AHEAD = timedelta(hours=1)


def record_telemetry(*, batches: Sequence[Batch], received_at: datetime) -> list[Receipt]:
    """
    Record batches, each with the identity that its sender proved; receipts in order.

    A batch counts once by (device, start); the same again is a DUPLICATE. REFUSED: another
    device's name (`device-mismatch`), other samples under a start that is taken
    (`start-replayed`), samples from the future (`from-the-future`) or older than 90 days
    (`too-old`).
    """
    with transaction.atomic():
        known = set(
            Device.objects.filter(pk__in={sender for sender, _ in batches}).values_list(
                "pk", flat=True
            )
        )
        receipts: list[Receipt | None] = []
        candidates: dict[tuple[UUID, datetime], tuple[Any, ...]] = {}
        for sender, batch in batches:
            refusal = _refusal(sender, batch, known, received_at)
            receipts.append(refusal)
            if refusal is None:
                candidates.setdefault((sender, batch.start), _row_of(sender, batch, received_at))
        inserted = _insert(sorted(candidates.values(), key=lambda row: (row[0].bytes, row[1])))
        stored = _stored(candidates.keys() - inserted)
        stored.update({key: candidates[key][2:11] for key in inserted})
        answered = []
        for (sender, batch), refusal in zip(batches, receipts, strict=True):
            key = (sender, batch.start)
            if refusal is not None:
                answered.append(refusal)
            elif stored[key] != _row_of(sender, batch, received_at)[2:11]:
                answered.append(
                    _refused(batch, "start-replayed", "this start has other samples already")
                )
            elif key in inserted:
                inserted.discard(key)
                answered.append(Receipt(key=batch.key, outcome=Outcome.RECORDED))
            else:
                answered.append(Receipt(key=batch.key, outcome=Outcome.DUPLICATE))
        record_sightings(
            [
                _sighting(sender, batch, received_at)
                for (sender, batch), receipt in zip(batches, answered, strict=True)
                if receipt.is_stored
            ]
        )
    return answered


def _refusal(
    sender: UUID, batch: wire.TelemetryBatch, known: set[UUID], received_at: datetime
) -> Receipt | None:
    if sender not in known or batch.device_id != sender:
        return _refused(batch, "device-mismatch", "not this device's own telemetry")
    if batch.end > received_at + AHEAD:
        return _refused(batch, "from-the-future", f"ends {batch.end.isoformat()}")
    if batch.start < received_at - OLDEST:
        return _refused(batch, "too-old", f"starts {batch.start.isoformat()}")
    return None


def _refused(batch: wire.TelemetryBatch, code: str, detail: str) -> Receipt:
    return Receipt(key=batch.key, outcome=Outcome.REFUSED, code=code, detail=detail)


def _row_of(sender: UUID, batch: wire.TelemetryBatch, received_at: datetime) -> tuple[Any, ...]:
    return (
        sender,
        batch.start,
        batch.end,
        batch.interval_seconds,
        list(batch.soc),
        list(batch.power_kw),
        list(batch.import_wh),
        list(batch.export_wh),
        list(batch.consumption_wh),
        str(batch.state),
        "" if batch.fault is UNSET else batch.fault,
        received_at,
    )


def _insert(rows: Sequence[tuple[Any, ...]]) -> set[tuple[UUID, datetime]]:
    """Insert what is new and return its keys; arrays of arrays go row by row in one round trip."""
    if not rows:
        return set()
    starts = [row[1] for row in rows]
    ensure_months(
        table="telemetry_telemetryrecord", first=min(starts).date(), last=max(starts).date()
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE IF NOT EXISTS telemetry_incoming "
            "(LIKE telemetry_telemetryrecord) ON COMMIT DELETE ROWS"
        )
        cursor.execute("TRUNCATE telemetry_incoming")
        columns = (
            "device_id, started_at, ended_at, interval_seconds, soc, power_kw, import_wh, "
            "export_wh, consumption_wh, state, fault, received_at"
        )
        with cursor.copy(f"COPY telemetry_incoming ({columns}, recorded_at) FROM STDIN") as copy:
            for row in rows:
                copy.write_row((*row, row[-1]))
        cursor.execute(
            f"INSERT INTO telemetry_telemetryrecord ({columns}) "  # noqa: S608 - our own column names
            f"SELECT {columns} FROM telemetry_incoming ORDER BY device_id, started_at "
            "ON CONFLICT DO NOTHING RETURNING device_id, started_at"
        )
        return set(cursor.fetchall())


def _stored(keys: set[tuple[UUID, datetime]]) -> dict[tuple[UUID, datetime], tuple[Any, ...]]:
    if not keys:
        return {}
    starts = [start for _, start in keys]
    rows = TelemetryRecord.objects.filter(
        device__in={device for device, _ in keys},
        started_at__range=(min(starts), max(starts)),
    ).values_list(
        "device_id",
        "started_at",
        "ended_at",
        "interval_seconds",
        "soc",
        "power_kw",
        "import_wh",
        "export_wh",
        "consumption_wh",
        "state",
        "fault",
    )
    return {(row[0], row[1]): tuple(row[2:]) for row in rows if (row[0], row[1]) in keys}


def _sighting(sender: UUID, batch: wire.TelemetryBatch, received_at: datetime) -> Sighting:
    return Sighting(
        device_id=sender,
        seen_at=received_at,
        sampled_at=batch.end,
        state=str(batch.state),
        fault="" if batch.fault is UNSET else batch.fault,
        soc=batch.soc[-1],
        power_kw=batch.power_kw[-1],
    )
