"""How far the hash chain has come, without walking along it."""

from typing import Any

from django.db import connection

from energyopti.accounts.actors import Actor

from .links import GENESIS

PERMISSION = "audit.view_auditrecord"

# An event that was parked is behind the cursor and waits too.
_STATUS = """
SELECT latest.seq, latest.hash, latest.recorded_at,
       (SELECT count(*) FROM events_event event
        WHERE (event.transaction_id, event.id) > (
            SELECT coalesce(max(transaction_id), 0), coalesce(max(event_id), 0)
            FROM events_followercursor WHERE name = 'audit'))
       + (SELECT count(*) FROM events_parkedevent WHERE follower = 'audit')
FROM (SELECT 1) always
LEFT JOIN LATERAL (
    SELECT seq, hash, recorded_at FROM audit_auditrecord ORDER BY seq DESC LIMIT 1
) latest ON true
"""


def chain_at_a_glance(actor: Actor) -> dict[str, Any]:
    """
    Return how many records the chain has, its head, and how many events wait; one query.

    That it holds is said by `verify_chain` only.

    :raises PermissionMissing: without `audit.view_auditrecord`.
    """
    actor.require(PERMISSION)
    with connection.cursor() as cursor:
        cursor.execute(_STATUS)
        row = cursor.fetchone()
    assert row is not None
    records, head, recorded_at, waiting = row
    return {
        "records": records or 0,
        "head": head or GENESIS,
        "recorded_at": recorded_at,
        "waiting": waiting,
    }
