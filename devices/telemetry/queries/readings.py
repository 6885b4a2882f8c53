"""Counter readings of many devices as arrays, ready for settlement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
import numpy.typing as npt
from django.db import connection

_SAMPLES = """
SELECT device_id, extract(epoch FROM started_at)::bigint, interval_seconds,
       import_wh, export_wh, consumption_wh
FROM telemetry_telemetryrecord
WHERE device_id = ANY(%s) AND started_at >= %s AND started_at <= %s
ORDER BY device_id, started_at
"""


@dataclass(frozen=True, eq=False)
class Readings:
    """
    One device's counters over time; arrays of shape (samples,), times strictly ascending.

    seconds    since 1970 in UTC
    import_wh, export_wh, consumption_wh    whole watt-hours
    """

    seconds: npt.NDArray[np.int64]
    import_wh: npt.NDArray[np.int64]
    export_wh: npt.NDArray[np.int64]
    consumption_wh: npt.NDArray[np.int64]


def counter_readings(
    device_ids: Sequence[UUID], *, start: datetime, end: datetime
) -> dict[UUID, Readings]:
    """
    Return the readings of batches that start within [start, end], by device.

    Where batches overlap, the reading of the later batch at an instant is dropped: both were read
    off the same counters.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SAMPLES, [list(device_ids), start, end])
        rows = cursor.fetchall()
    parts: dict[UUID, list[tuple[npt.NDArray[np.int64], ...]]] = {}
    for device_id, first, step, *counters in rows:
        arrays = [np.array(counter, dtype=np.int64) for counter in counters]
        seconds = first + step * np.arange(arrays[0].size, dtype=np.int64)
        parts.setdefault(device_id, []).append((seconds, *arrays))
    readings = {}
    for device_id, batches in parts.items():
        columns = [np.concatenate(column) for column in zip(*batches, strict=True)]
        _, kept = np.unique(columns[0], return_index=True)
        readings[device_id] = Readings(*(column[kept] for column in columns))
    return readings
