"""Answer a device's poll with as little work as possible."""

from uuid import UUID

from devices import wire
from devices.schedules.models import ScheduleDelivery
from devices.services.snapshots import announce_revisions, fill_document, read_document

from .documents import documents


def current_revision(device_id: UUID) -> int:
    """Return the revision of a device's document from the tables, 0 if it never had one."""
    revision = (
        ScheduleDelivery.objects.filter(device=device_id).values_list("revision", flat=True).first()
    )
    announce_revisions([(device_id, revision or 0)])
    return revision or 0


def rendered_document(device_id: UUID, revision: int) -> tuple[int, bytes] | None:
    """
    Return revision and bytes of a device's document, from Redis if it holds this revision.

    None if no schedule is in force.
    """
    held = read_document(device_id, revision)
    if held is not None:
        return revision, held
    found = documents([device_id]).get(device_id)
    if found is None:
        return None
    newest, schedule = found
    rendered = wire.render(schedule)
    fill_document(device_id, newest, rendered)
    return newest, rendered
