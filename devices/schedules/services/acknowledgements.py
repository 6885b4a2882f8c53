"""Take in what devices say about their schedules and orders; many devices in one transaction."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from msgspec import UNSET

from devices import wire
from devices.models import Device
from devices.schedules.models import PastSchedule, Schedule
from devices.schedules.queries.documents import command_times
from devices.services.status import Sighting, record_sightings
from devices.wire import InstructionStatus, Outcome, Receipt
from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.partitions.months import ensure_months

# A device that was cut off for longer has lost its word on orders from before.
ACCEPTED_FOR = timedelta(days=14)
Message = tuple[UUID, wire.DeviceMessage]


@dataclass
class _Command:
    """What is known of one order: when it runs, and what its device said so far by sequence."""

    start: datetime
    end: datetime | None
    said: dict[int, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def newest(self) -> tuple[int, InstructionStatus] | None:
        if not self.said:
            return None
        sequence = max(self.said)
        return sequence, InstructionStatus(self.said[sequence][0])


def acknowledge(*, messages: Sequence[Message], received_at: datetime) -> list[Receipt]:
    """
    Record messages of devices, each with the identity that its sender proved; receipts in order.

    An update counts once by (command, sequence); the same again is a DUPLICATE and changes
    nothing. REFUSED, without a change of state but with an event `device.message_refused`:
    a message in another device's name (`device-mismatch`), an order that was never given to the
    device (`unknown-command`) or ended more than 14 days ago (`command-expired`), an older
    sequence or a used one with other content (`sequence-replayed`), a status that steps backwards
    (`status-out-of-order`), and a reception of a schedule that it was never sent
    (`unknown-schedule`).
    """
    with transaction.atomic():
        senders = sorted({sender for sender, _ in messages})
        organizations = dict(
            Device.objects.select_for_update(no_key=True)
            .filter(pk__in=senders)
            .order_by("pk")
            .values_list("pk", "organization_id")
        )
        commands = _known_commands(messages, received_at)
        receipts = []
        rows: list[tuple[Any, ...]] = []
        for sender, message in messages:
            if sender not in organizations or message.device_id != sender:
                receipt = _refused(message, "device-mismatch", "not this device's own message")
            elif isinstance(message, wire.ReceptionStatus):
                receipt = _record_reception(message, received_at)
            else:
                receipt = _judge(message, commands.get((sender, message.command_id)), received_at)
                if receipt.outcome is Outcome.RECORDED:
                    command = commands[sender, message.command_id]
                    content = _content(message)
                    command.said[message.sequence] = content
                    rows.append(
                        (
                            sender,
                            message.command_id,
                            message.sequence,
                            command.start,
                            *content,
                            received_at,
                        )
                    )
            receipts.append(receipt)
        _insert(rows)
        record_sightings(
            [Sighting(device_id=sender, seen_at=received_at) for sender in organizations]
        )
        _report_refusals(messages, receipts, organizations)
    return receipts


def _judge(
    message: wire.InstructionStatusUpdate, command: _Command | None, received_at: datetime
) -> Receipt:
    if command is None:
        return _refused(message, "unknown-command", "no such order was given to this device")
    if message.sequence in command.said:
        if command.said[message.sequence] == _content(message):
            return Receipt(key=message.key, outcome=Outcome.DUPLICATE)
        return _refused(
            message, "sequence-replayed", f"sequence {message.sequence} said something else before"
        )
    if command.end is not None and received_at - command.end > ACCEPTED_FOR:
        return _refused(message, "command-expired", f"the order ended {command.end.isoformat()}")
    if (newest := command.newest) is not None:
        sequence, status = newest
        if message.sequence < sequence:
            return _refused(
                message, "sequence-replayed", f"sequence must be higher than {sequence}"
            )
        if not wire.follows(status, message.status):
            return _refused(
                message, "status-out-of-order", f"{message.status} may not follow {status}"
            )
    return Receipt(key=message.key, outcome=Outcome.RECORDED)


def _refused(message: wire.DeviceMessage, code: str, detail: str) -> Receipt:
    return Receipt(key=message.key, outcome=Outcome.REFUSED, code=code, detail=detail)


def _content(message: wire.InstructionStatusUpdate) -> tuple[Any, ...]:
    energy = None if message.energy_kwh is UNSET else Decimal(message.energy_kwh)
    reason = "" if message.reason is UNSET else message.reason
    return str(message.status), reason, energy, message.reported_at


def _known_commands(
    messages: Sequence[Message], received_at: datetime
) -> dict[tuple[UUID, UUID], _Command]:
    """Find the orders that the messages speak of: by earlier words, else in the schedules."""
    wanted = {
        (sender, message.command_id)
        for sender, message in messages
        if isinstance(message, wire.InstructionStatusUpdate) and message.device_id == sender
    }
    if not wanted:
        return {}
    commands: dict[tuple[UUID, UUID], _Command] = {}
    pairs = sorted(wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT device_id, command_id, command_start, sequence, status, reason, energy_kwh,
                   reported_at
            FROM schedules_acknowledgement
            JOIN unnest(%s::uuid[], %s::uuid[]) AS wanted (device_id, command_id)
                USING (device_id, command_id)
            """,
            [[device for device, _ in pairs], [command for _, command in pairs]],
        )
        for device, command_id, start, sequence, *content in cursor.fetchall():
            known = commands.setdefault((device, command_id), _Command(start=start, end=None))
            known.said[sequence] = tuple(content)
    _look_up(wanted - commands.keys(), commands, received_at)
    return commands


def _look_up(
    missing: set[tuple[UUID, UUID]],
    commands: dict[tuple[UUID, UUID], _Command],
    received_at: datetime,
) -> None:
    """Compute the command ids of the devices' schedules, in force first, then past ones."""
    if not missing:
        return
    searched = (
        Schedule.objects.all(),
        # A schedule is published some days before its last order at most, a month to be safe.
        PastSchedule.objects.filter(published_at__gte=received_at - timedelta(days=45)),
    )
    for rows in searched:
        devices: dict[UUID, set[UUID]] = defaultdict(set)
        for device, command_id in missing - commands.keys():
            devices[device].add(command_id)
        if not devices:
            return
        for row in rows.filter(device__in=list(devices)):
            times = command_times(row)
            for command_id in devices[row.device_id] & times.keys():
                start, end = times[command_id]
                commands[row.device_id, command_id] = _Command(start=start, end=end)


def _insert(rows: Sequence[tuple[Any, ...]]) -> None:
    if not rows:
        return
    starts = [row[3] for row in rows]
    ensure_months(
        table="schedules_acknowledgement", first=min(starts).date(), last=max(starts).date()
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO schedules_acknowledgement
                (device_id, command_id, sequence, command_start, status, reason, energy_kwh,
                 reported_at, received_at)
            SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::int[], %s::timestamptz[], %s::text[],
                                 %s::text[], %s::numeric[], %s::timestamptz[], %s::timestamptz[])
            """,
            [list(column) for column in zip(*rows, strict=True)],
        )


def _record_reception(message: wire.ReceptionStatus, received_at: datetime) -> Receipt:
    """Close the delivery if the device speaks of its newest document; older ones change nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE schedules_scheduledelivery SET
                received_at = CASE WHEN %(is_final)s THEN %(at)s ELSE received_at END,
                reception = %(status)s, reason = %(reason)s
            WHERE device_id = %(device)s AND schedule_id = %(schedule)s AND version = %(version)s
              AND received_at IS NULL
            """,
            {
                # After a temporary error the document is sent again; an invalid one never heals.
                "is_final": message.status is not wire.ReceptionStatusValue.TEMPORARY_ERROR,
                "at": received_at,
                "status": str(message.status),
                "reason": "" if message.reason is UNSET else message.reason,
                "device": message.device_id,
                "schedule": message.schedule_id,
                "version": message.version,
            },
        )
        if cursor.rowcount:
            return Receipt(key=message.key, outcome=Outcome.RECORDED)
        cursor.execute(
            """
            SELECT FROM schedules_schedule WHERE device_id = %(device)s
                AND schedule_id = %(schedule)s AND version = %(version)s
            UNION ALL
            SELECT FROM schedules_pastschedule WHERE device_id = %(device)s
                AND schedule_id = %(schedule)s AND version = %(version)s
            LIMIT 1
            """,
            {
                "device": message.device_id,
                "schedule": message.schedule_id,
                "version": message.version,
            },
        )
        if cursor.rowcount:
            return Receipt(key=message.key, outcome=Outcome.DUPLICATE)
    return _refused(message, "unknown-schedule", "no such schedule was sent to this device")


def _report_refusals(
    messages: Sequence[Message], receipts: Sequence[Receipt], organizations: dict[UUID, UUID]
) -> None:
    """Write one event for each device and code: somebody may be playing with its messages."""
    refused: dict[tuple[UUID, str], list[Receipt]] = defaultdict(list)
    for (sender, _), receipt in zip(messages, receipts, strict=True):
        if receipt.outcome is Outcome.REFUSED and sender in organizations:
            refused[sender, receipt.code].append(receipt)
    for (sender, code), group in refused.items():
        record_event(
            type="device.message_refused",
            actor=Actor.system(f"device:{sender}"),
            aggregate_type="device",
            aggregate_id=sender,
            organization_id=organizations[sender],
            payload={
                "code": code,
                "count": len(group),
                "first": {"key": group[0].key, "detail": group[0].detail},
            },
        )
