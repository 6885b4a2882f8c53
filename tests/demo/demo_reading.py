"""Run with the demo's environment: print as JSON what its database holds, once it has settled."""

import json
import sys
import time
from datetime import datetime
from typing import Any

import django
from django.db import connection

SETTLE_SECONDS = 120
# What was dealt while the demo ran; the seed's own deals are not among it, nor what an exercise of
# their options makes.
_DEALT = (
    "FROM trading_trade WHERE NOT starts_with(client_reference, 'demo-') AND replaces_id IS NULL"
)


def rows(statement: str, *parameters: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def behind(limit: tuple[int, int]) -> list[str]:
    """Return the followers that have events of theirs up to `limit` still before them."""
    from energyopti.foundation.events.followers import FOLLOWERS

    cursors = {row[0]: row[1:] for row in rows("SELECT * FROM events_followercursor")}
    late = []
    for follower in FOLLOWERS.values():
        patterns = follower.patterns()
        cursor = cursors[follower.name]
        ((waiting,),) = rows(
            "SELECT count(*) FROM events_event"
            " WHERE (transaction_id, id) > (%s, %s) AND (transaction_id, id) <= (%s, %s)"
            " AND (%s::text[] IS NULL OR type LIKE ANY(%s::text[]))",
            *(cursor[0], cursor[1], *limit, patterns, patterns),
        )
        if waiting:
            late.append(f"{follower.name} has {waiting} events before it")
    return late


def unconfirmed(until: datetime) -> list[str]:
    """Return the devices that have not confirmed a schedule published up to `until` (real)."""
    found = rows(
        "SELECT device_id::text, schedule_id::text FROM schedules_scheduledelivery"
        " WHERE received_at IS NULL AND published_at <= %s",
        until,
    )
    return [f"{device} has not confirmed {schedule}" for device, schedule in found]


def main() -> None:
    django.setup()
    from energyopti.demo.summary import reconcile_positions
    from energyopti.foundation import clock

    ((transaction_id, event_id),) = rows(
        "SELECT transaction_id, id FROM events_event ORDER BY 1 DESC, 2 DESC LIMIT 1"
    )
    now = clock.now()
    deadline = time.monotonic() + SETTLE_SECONDS
    while (late := behind((transaction_id, event_id)) + unconfirmed(now)) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.5)
    positions = reconcile_positions()
    json.dump(
        {
            "late": late,
            "trades": [ref for (ref,) in rows(f"SELECT ref {_DEALT}")],
            "captured": [
                ref
                for (ref,) in rows(
                    "SELECT aggregate_id FROM events_event WHERE type = 'trade.captured'"
                    f" AND aggregate_id IN (SELECT ref {_DEALT})"
                )
            ],
            "positions": [positions.agrees, positions.words],
            "parked": [str(row) for row in rows("SELECT * FROM events_parkedevent")],
            "unchained": rows(
                "SELECT count(*) FROM events_event event WHERE (transaction_id, id) <= (%s, %s)"
                " AND NOT EXISTS (SELECT FROM audit_auditrecord WHERE event_id = event.id)",
                transaction_id,
                event_id,
            )[0][0],
            "planned": rows("SELECT count(*) FROM fleet_deviceplan WHERE refusal = ''")[0][0],
            "plans_without_schedule": [
                str(row)
                for row in rows(
                    "SELECT run_id, device_id::text, schedule_id::text FROM fleet_deviceplan plan"
                    " WHERE refusal = ''"
                    " AND NOT EXISTS (SELECT FROM schedules_schedule known"
                    "                 WHERE known.schedule_id = plan.schedule_id)"
                    " AND NOT EXISTS (SELECT FROM schedules_pastschedule known"
                    "                 WHERE known.schedule_id = plan.schedule_id)"
                )
            ],
            "acknowledgements": [
                f"{device} {command}/{sequence} {status}"
                for device, command, sequence, status in rows(
                    "SELECT device_id::text, command_id::text, sequence, status"
                    " FROM schedules_acknowledgement"
                )
            ],
            "telemetry": [
                f"{device} {at.isoformat()}"
                for device, at in rows(
                    "SELECT device_id::text, started_at FROM telemetry_telemetryrecord"
                )
            ],
            "refused_messages": [
                json.dumps(payload)
                for (payload,) in rows(
                    "SELECT payload FROM events_event WHERE type = 'device.message_refused'"
                )
            ],
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
