"""What workers do for support: evaluate rules by the clock, deliver notifications."""

from typing import Any

from celery import shared_task

from energyopti.accounts.actors import Actor
from energyopti.foundation import clock

from .queries.notifications import pending_notification_ids
from .services.alerting import evaluate_price_rules
from .services.notifying import deliver


@shared_task(name="support.evaluate_prices")
def evaluate_prices(**_: Any) -> int:
    """Evaluate every enabled rule now; return how many alerts fired."""
    return len(evaluate_price_rules(actor=Actor.system("beat"), evaluated_at=clock.now()))


@shared_task(name="support.deliver_notifications")
def deliver_notifications(**_: Any) -> int:
    """Try to deliver what waits, each in a transaction of its own; return how many were tried."""
    actor = Actor.system("notifications")
    tried = 0
    for notification_id in pending_notification_ids():
        if deliver(actor=actor, notification_id=notification_id, sent_at=clock.now()) is not None:
            tried += 1
    return tried
