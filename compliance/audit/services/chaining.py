"""Extend the hash chain by one event."""

from energyopti.foundation.events.models import Event

from ..models import AuditRecord
from ..queries.links import GENESIS, body_of, exact_events, link_hash


def chain_event(event: Event) -> None:
    """
    Add one event to the chain; the handler of the follower `audit`.

    Runs in the transaction that moves the follower's cursor, one worker at a time. Two at once
    would give a predecessor two successors, which the table refuses.
    """
    latest = AuditRecord.objects.order_by("-seq").first()
    seq = latest.seq + 1 if latest else 1
    previous_hash = latest.hash if latest else GENESIS
    body = body_of(exact_events().get(pk=event.pk), seq)
    AuditRecord.objects.create(
        seq=seq,
        event=event,
        event_uid=event.uid,
        previous_hash=previous_hash,
        hash=link_hash(previous_hash, body),
    )
