"""Names of MQTT topics: `<root>/d/<device>/schedule|acks|telemetry|confirm` and `<root>/epoch`."""

from uuid import UUID

SCHEDULE, ACKS, TELEMETRY, CONFIRM = "schedule", "acks", "telemetry", "confirm"


def topic(root: str, device_id: UUID | str, what: str) -> str:
    return f"{root}/d/{device_id}/{what}"


def epoch_topic(root: str) -> str:
    """Return the retained marker by which a broker that lost its memory is recognized."""
    return f"{root}/epoch"


def parse_topic(root: str, name: str) -> tuple[UUID, str] | None:
    """Return device and kind of a device's topic; None for any other topic."""
    prefix = f"{root}/d/"
    if not name.startswith(prefix):
        return None
    device, _, what = name[len(prefix) :].partition("/")
    try:
        return UUID(device), what
    except ValueError:
        return None
