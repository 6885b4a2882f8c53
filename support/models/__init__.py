"""The tables of support, one file a subject."""

from .alerts import Alert, AlertRule, AlertState, Metric, Severity
from .notifications import Channel, DeliveryState, Notification
from .tickets import Ticket, TicketMessage, TicketSequence, TicketStatus

__all__ = [
    "Alert",
    "AlertRule",
    "AlertState",
    "Channel",
    "DeliveryState",
    "Metric",
    "Notification",
    "Severity",
    "Ticket",
    "TicketMessage",
    "TicketSequence",
    "TicketStatus",
]
