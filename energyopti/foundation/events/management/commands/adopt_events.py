"""Take over an event log whose dump was loaded into a new cluster, where transactions start low."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction

# Below every transaction of any cluster.
FIRST_PLACE = -(2**62)
LAST_ID = 2**63 - 1

STEPS = (
    (
        "CREATE TEMPORARY TABLE adopted ON COMMIT DROP AS"
        " SELECT id, transaction_id, %(first)s + row_number() OVER (ORDER BY transaction_id, id)"
        " AS place FROM events_event"
    ),
    # A cursor stands behind the last event that it had passed in the old order.
    (
        "UPDATE events_followercursor AS cursor SET event_id = %(last)s, transaction_id ="
        " (SELECT coalesce(max(place), %(first)s) FROM adopted WHERE (transaction_id, id)"
        " <= (cursor.transaction_id, cursor.event_id))"
    ),
    (
        "UPDATE events_parkedevent AS parked SET transaction_id = place"
        " FROM adopted WHERE adopted.id = parked.event_id"
    ),
    "SET CONSTRAINTS ALL IMMEDIATE",
    "ALTER TABLE events_event DISABLE TRIGGER events_append_only",
    (
        "UPDATE events_event AS event SET transaction_id = place"
        " FROM adopted WHERE adopted.id = event.id"
    ),
    "ALTER TABLE events_event ENABLE ALWAYS TRIGGER events_append_only",
)


class Command(BaseCommand):
    help = (
        "Number a restored event log below the transactions of this cluster, keeping its order "
        "and every follower's place. Run as the owner of the tables, before anything writes."
    )

    def handle(self, **options: Any) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE events_event, events_followercursor IN EXCLUSIVE MODE")
            cursor.execute(
                "SELECT (SELECT max(transaction_id) FROM events_event)"
                " >= pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
            )
            if not cursor.fetchone()[0]:
                raise CommandError("This log belongs to this cluster: there is nothing to adopt.")
            for step in STEPS:
                cursor.execute(step, {"first": FIRST_PLACE, "last": LAST_ID})
            cursor.execute("SELECT count(*) FROM events_event")
            (count,) = cursor.fetchone()
        self.stdout.write(f"{count} events adopted; followers go on where they were.")
