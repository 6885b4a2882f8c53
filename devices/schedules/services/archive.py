"""Take schedules that are over out of the table in force, and make the months to come."""

from datetime import datetime, timedelta

from django.db import transaction

from devices.schedules.models import Schedule
from energyopti.foundation.partitions.months import ensure_months

from .publication import move_to_past

# So long a schedule that is over stays in its device's document and on its page.
KEPT = timedelta(days=1)
_AT_ONCE = 5000


def archive_schedules(*, now: datetime) -> int:
    """Move schedules that ended more than a day ago to the past; return how many."""
    count = 0
    while True:
        with transaction.atomic():
            revisions = list(
                Schedule.objects.select_for_update(skip_locked=True)
                .filter(period__endswith__lt=now - KEPT)
                .order_by("revision")
                .values_list("revision", flat=True)[:_AT_ONCE]
            )
            move_to_past(revisions, ended_at=now)
        count += len(revisions)
        if len(revisions) < _AT_ONCE:
            return count


def make_months_ahead(*, now: datetime) -> int:
    """Make this and the next two months of each partitioned table; return how many were made."""
    first, last = now.date(), (now + timedelta(days=62)).date()
    return sum(
        ensure_months(table=table, first=first, last=last)
        for table in (
            "telemetry_telemetryrecord",
            "schedules_acknowledgement",
            "schedules_pastschedule",
        )
    )
