"""Send schedules over MQTT, again and again until each device says that it has its own."""

from collections.abc import Callable, Iterator
from uuid import UUID

from django.db import connection

from devices import wire
from devices.models import Device, Transport
from devices.schedules.queries.documents import documents

CHUNK = 500
# Real seconds until a schedule that no device confirmed is sent once more.
RETRY_SECONDS = 30

Publish = Callable[[UUID, bytes], None]


def send_open_deliveries(publish: Publish, *, limit: int = CHUNK) -> int:
    """Publish documents that are due and note the attempt; return how many were sent."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT delivery.device_id, delivery.revision FROM schedules_scheduledelivery AS delivery
            JOIN devices_device AS device ON device.id = delivery.device_id
            WHERE delivery.received_at IS NULL AND device.transport = %s
              AND (delivery.transmitted_at IS NULL
                   OR delivery.transmitted_at < now() - make_interval(secs => %s))
            ORDER BY delivery.transmitted_at NULLS FIRST, delivery.revision
            LIMIT %s
            """,
            [Transport.MQTT, RETRY_SECONDS, limit],
        )
        due = dict(cursor.fetchall())
        if not due:
            return 0
        sent = []
        for device_id, (revision, document) in documents(due).items():
            publish(device_id, wire.render(document))
            sent.append((device_id, revision))
        # A delivery whose schedules are all over has nothing to send; it must not come up again.
        over = [(device_id, due[device_id]) for device_id in due.keys() - dict(sent).keys()]
        noted = sent + over
        cursor.execute(
            """
            UPDATE schedules_scheduledelivery AS delivery
            SET transmitted_at = now(), attempts = attempts + 1
            FROM unnest(%s::uuid[], %s::bigint[]) AS done (device_id, revision)
            WHERE delivery.device_id = done.device_id AND delivery.revision = done.revision
            """,
            [[device_id for device_id, _ in noted], [revision for _, revision in noted]],
        )
    return len(sent)


def send_everything(publish: Publish) -> int:
    """Publish the document of every MQTT device, for a broker that forgot its retained ones."""
    count = 0
    for ids in _chunks_of_devices():
        for device_id, (_, document) in documents(ids).items():
            publish(device_id, wire.render(document))
            count += 1
    return count


def _chunks_of_devices() -> Iterator[list[UUID]]:
    devices = Device.objects.filter(transport=Transport.MQTT, is_active=True).order_by("pk")
    ids = list(devices.values_list("pk", flat=True))
    for first in range(0, len(ids), CHUNK):
        yield ids[first : first + CHUNK]
