"""Months of the device tables that are partitioned; only the owner's SQL function may make them."""

from datetime import date
from typing import Literal

from django.db import connection

Parent = Literal["telemetry_telemetryrecord", "schedules_acknowledgement", "schedules_pastschedule"]


def ensure_months(parent: Parent, first_day: date, last_day: date) -> int:
    """Make the months (UTC) that are missing from first to last day; return how many were made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT devices_ensure_months(%s, %s, %s)", [parent, first_day, last_day])
        return int(cursor.fetchone()[0])
