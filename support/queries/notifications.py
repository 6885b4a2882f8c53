"""Which notifications wait to be delivered."""

from ..models import DeliveryState, Notification

BATCH = 200


def pending_notification_ids() -> list[int]:
    """Return the oldest that wait, at most `BATCH`."""
    return list(
        Notification.objects.filter(state=DeliveryState.PENDING)
        .order_by("pk")
        .values_list("pk", flat=True)[:BATCH]
    )
