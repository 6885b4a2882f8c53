"""Write notifications with the alert, and deliver them after its commit."""

import logging
from datetime import datetime

from celery import current_app
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from kombu.exceptions import OperationalError

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import User
from energyopti.foundation.events.services import record_event

from ..channels import ChannelRefused, send_message
from ..models import Alert, Channel, DeliveryState, Notification

logger = logging.getLogger(__name__)

ATTEMPTS = 5


def notify(*, actor: Actor, alert: Alert, written_at: datetime) -> list[Notification]:
    """
    Write one notification for each member who may see alerts, and one for the rule's channel.

    The task that delivers them is queued at commit, so that a rolled-back alert tells nobody.
    """
    subject = f"{alert.get_severity_display()}: {alert.rule.name}"[:200]
    body = f"{alert.reason}\n\nOpen the inbox to acknowledge: {settings.PUBLIC_URL}/alerts/\n"
    wanted = [(Channel.EMAIL, email) for email in _recipients(alert)]
    if alert.rule.channel_url:
        wanted.append((Channel.APPRISE, ""))
    written = Notification.objects.bulk_create(
        Notification(
            alert=alert,
            channel=channel,
            recipient=recipient,
            subject=subject,
            body=body,
            written_at=written_at,
        )
        for channel, recipient in wanted
    )
    if written:
        transaction.on_commit(_wake_delivery)
    return written


def _wake_delivery() -> None:
    """Send the task that delivers, by its name; what cannot be sent waits for the next sweep."""
    try:
        current_app.signature("support.deliver_notifications").apply_async()
    except OperationalError as error:
        logger.warning("notifications wait, the queue cannot be reached: %s", error)


def deliver(*, actor: Actor, notification_id: int, sent_at: datetime) -> Notification | None:
    """
    Send one pending notification, or note why it could not be sent.

    Another worker's notification is skipped (None). After `ATTEMPTS` failures it is given up,
    which is an event.
    """
    with transaction.atomic():
        notification = (
            Notification.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("alert__rule")
            .filter(pk=notification_id, state=DeliveryState.PENDING)
            .first()
        )
        if notification is None:
            return None
        notification.attempts += 1
        try:
            _send(notification)
        except (OSError, ChannelRefused) as error:  # mail and HTTP failures are OSErrors
            notification.error = f"{type(error).__name__}: {error}"[:400]
            if notification.attempts >= ATTEMPTS or isinstance(error, ChannelRefused):
                notification.state = DeliveryState.FAILED
        else:
            notification.state = DeliveryState.SENT
            notification.error = ""
            notification.sent_at = sent_at
        notification.save(update_fields=["state", "attempts", "error", "sent_at"])
        if notification.state != DeliveryState.PENDING:
            record_event(
                type=f"notification.{notification.state.lower()}",
                actor=actor,
                aggregate_type="notification",
                aggregate_id=notification.pk,
                organization_id=notification.alert.organization_id,
                key=f"alert:{notification.alert_id}",
                payload={"alert": notification.alert_id, "channel": notification.channel},
            )
    return notification


def _send(notification: Notification) -> None:
    if notification.channel == Channel.APPRISE:
        send_message(
            notification.alert.rule.channel_url,
            subject=notification.subject,
            body=notification.body,
        )
        return
    # A line break in a rule's name would add a header; Django refuses it, we fold it before.
    subject = " ".join(notification.subject.split())
    EmailMessage(subject, notification.body, to=[notification.recipient]).send()


def _recipients(alert: Alert) -> list[str]:
    """Return the addresses of the organization's active people whose roles may see alerts."""
    members = User.objects.filter(
        memberships__organization_id=alert.organization_id, is_active=True, is_service=False
    ).order_by("email")
    return [user.email for user in members if user.has_perm("support.view_alert")]
