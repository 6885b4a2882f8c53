"""What devices said that their orders moved."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection

_ENERGY = """
SELECT device_id, sum(energy_kwh) FROM (
    SELECT DISTINCT ON (device_id, command_id) device_id, energy_kwh
    FROM schedules_acknowledgement
    WHERE device_id = ANY(%s) AND command_start >= %s AND command_start < %s
      AND energy_kwh IS NOT NULL
    ORDER BY device_id, command_id, sequence DESC
) AS newest GROUP BY device_id
"""


def acknowledged_energy(
    device_ids: Sequence[UUID], *, start: datetime, end: datetime
) -> dict[UUID, Decimal]:
    """Return kWh by device of the orders that started in [start, end); the newest word counts."""
    with connection.cursor() as cursor:
        cursor.execute(_ENERGY, [list(device_ids), start, end])
        return dict(cursor.fetchall())
