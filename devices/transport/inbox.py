"""Store what devices sent over MQTT: batches of messages, one transaction, then confirmation."""

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError

from devices import wire
from devices.schedules.services import acknowledge
from devices.telemetry.services import record_telemetry
from devices.wire import Outcome, Receipt

from .topics import ACKS, TELEMETRY

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Incoming:
    """One MQTT message of a device: who its topic says it is, what kind, and the bytes."""

    device_id: UUID
    what: str
    payload: bytes


def store(incoming: Sequence[Incoming], *, received_at: datetime) -> dict[UUID, list[Receipt]]:
    """
    Store messages and return the receipts by device; what it returns is committed.

    A message that cannot be read is refused and logged. One that the database will not take is
    stored apart from the others, so that it cannot hold them up.

    :raises OperationalError: if the database does not answer; then nothing may be confirmed.
    """
    receipts: dict[UUID, list[Receipt]] = defaultdict(list)
    acks: list[tuple[UUID, wire.DeviceMessage]] = []
    batches: list[tuple[UUID, wire.TelemetryBatch]] = []
    for message in incoming:
        try:
            if message.what == ACKS:
                parsed = wire.parse_device_messages(message.payload)
                acks += [(message.device_id, one) for one in parsed]
            elif message.what == TELEMETRY:
                found = wire.parse_telemetry(message.payload)
                batches += [(message.device_id, batch) for batch in found]
        except wire.WireError as error:
            logger.warning(
                "device %s sent unreadable %s: %s", message.device_id, message.what, error
            )
            receipts[message.device_id].append(
                Receipt(key="", outcome=Outcome.REFUSED, code="unreadable", detail=str(error)[:300])
            )
    _store_apart(acks, lambda part: acknowledge(messages=part, received_at=received_at), receipts)
    _store_apart(
        batches, lambda part: record_telemetry(batches=part, received_at=received_at), receipts
    )
    return receipts


def _store_apart(
    items: list[tuple[UUID, Any]],
    verb: Callable[[list[tuple[UUID, Any]]], list[Receipt]],
    receipts: dict[UUID, list[Receipt]],
) -> None:
    if not items:
        return
    try:
        for (device_id, _), receipt in zip(items, verb(items), strict=True):
            receipts[device_id].append(receipt)
    except (OperationalError, InterfaceError):
        raise
    except DatabaseError:
        if len(items) > 1:
            half = len(items) // 2
            _store_apart(items[:half], verb, receipts)
            _store_apart(items[half:], verb, receipts)
            return
        device_id, message = items[0]
        logger.exception("device %s sent %s, which the database refuses", device_id, message.key)
        receipts[device_id].append(
            Receipt(
                key=message.key,
                outcome=Outcome.REFUSED,
                code="not-storable",
                detail="the database refuses this message",
            )
        )
