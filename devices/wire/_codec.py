"""Bytes to messages and back. Errors name the place as a JSON pointer and the rule."""

import json
import re
from typing import Any, NoReturn, TypeVar

import msgspec
from msgspec import UNSET

from devices.wire._acknowledgements import DeviceMessage, InstructionStatusUpdate, ReceptionStatus
from devices.wire._confirmation import Confirmation
from devices.wire._schedules import Schedule
from devices.wire._telemetry import TelemetryBatch

MAX_DEVICE_MESSAGES = 2000
MAX_TELEMETRY_BATCHES = 500

Message = TypeVar("Message")


class WireError(ValueError):
    """
    A message that breaks the format.

    pointer    JSON pointer (RFC 6901) to the place, "" for the whole document.
    """

    def __init__(self, detail: str, *, pointer: str = "") -> None:
        self.detail = detail
        self.pointer = pointer
        super().__init__(f"{pointer}: {detail}" if pointer else detail)


class DuplicateKey(WireError):
    """An object names a key twice; which value counts would be a matter of luck."""


def parse(raw: bytes, type: type[Message]) -> Message:
    """
    Return the message of the given type that the JSON bytes hold.

    :raises WireError: for malformed JSON, a broken rule, an unknown field.
    :raises DuplicateKey: if an object names a key twice.
    """
    return _decode(raw, msgspec.json.Decoder(type))


_schedules = msgspec.json.Decoder(tuple[Schedule, ...])
_device_messages = msgspec.json.Decoder(tuple[DeviceMessage, ...] | DeviceMessage)
_telemetry = msgspec.json.Decoder(tuple[TelemetryBatch, ...] | TelemetryBatch)
_encoder = msgspec.json.Encoder()


def parse_schedules(raw: bytes) -> tuple[Schedule, ...]:
    """Return the schedules of a JSON array. 10,000 of 48 entries take about a second."""
    return _decode(raw, _schedules)


def parse_device_messages(raw: bytes) -> tuple[DeviceMessage, ...]:
    """Return the acknowledgements of a JSON array, or of a single object."""
    parsed = _decode(raw, _device_messages)
    return _bounded(parsed if isinstance(parsed, tuple) else (parsed,), MAX_DEVICE_MESSAGES)


def parse_telemetry(raw: bytes) -> tuple[TelemetryBatch, ...]:
    """Return the telemetry batches of a JSON array, or of a single object."""
    parsed = _decode(raw, _telemetry)
    return _bounded(parsed if isinstance(parsed, tuple) else (parsed,), MAX_TELEMETRY_BATCHES)


def render(message: Any) -> bytes:
    """Return the JSON bytes of a message, or of a sequence of them; times keep their offset."""
    return _encoder.encode(message)


def json_schemas() -> dict[str, Any]:
    """Return the messages as JSON Schema 2020-12 definitions by name."""
    _, components = msgspec.json.schema_components(
        (Schedule, ReceptionStatus, InstructionStatusUpdate, TelemetryBatch, Confirmation),
        ref_template="#/components/schemas/{name}",
    )
    return components


def _bounded(items: tuple[Message, ...], limit: int) -> tuple[Message, ...]:
    if len(items) > limit:
        raise WireError(f"{len(items)} items; at most {limit} at once")
    return items


def _decode(raw: bytes, decoder: msgspec.json.Decoder[Message]) -> Message:
    try:
        parsed = decoder.decode(raw)
    except msgspec.ValidationError as error:
        detail, _, path = str(error).partition(" - at `")
        raise WireError(detail, pointer=_pointer(path.rstrip("`"))) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WireError(f"not well-formed JSON: {error}") from error
    # A key that stands twice makes more colons than the parsed fields have names.
    if _count_colons(raw) != _count_fields(parsed):
        _refuse_duplicates(raw)
    return parsed


def _pointer(path: str) -> str:
    """Turn `$[3].entries[0].rate_kw` into /3/entries/0/rate_kw."""
    return "".join(f"/{part}" for part in re.findall(r"[^.\[\]$]+", path))


_COLON = re.compile(rb'"[ \t\r\n]*:')


def _count_colons(raw: bytes) -> int:
    """Count the ends of keys; inside a string they are counted too, so never too few."""
    if any(space in raw for space in (b'" ', b'"\t', b'"\r', b'"\n')):
        return sum(1 for _ in _COLON.finditer(raw))
    return raw.count(b'":')


def _count_fields(parsed: Any) -> int:
    """Count the fields that the document must have named; defaults that are no UNSET are free."""
    if isinstance(parsed, tuple):
        return sum(_count_fields(item) for item in parsed) if _holds_structs(parsed) else 0
    if not isinstance(parsed, msgspec.Struct):
        return 0
    count = 1 if parsed.__struct_config__.tag is not None else 0
    for name in parsed.__struct_fields__:
        value = getattr(parsed, name)
        if value is UNSET:
            continue
        count += 1
        if isinstance(value, tuple):
            count += _count_fields(value)
    return count


def _holds_structs(items: tuple[Any, ...]) -> bool:
    return bool(items) and isinstance(items[0], msgspec.Struct)


def _refuse_duplicates(raw: bytes) -> None:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = dict(pairs)
        if len(names) != len(pairs):
            seen: set[str] = set()
            for name, _ in pairs:
                if name in seen:
                    _refuse(name)
                seen.add(name)
        return names

    json.loads(raw, object_pairs_hook=unique)


def _refuse(name: str) -> NoReturn:
    raise DuplicateKey(f"the key “{name}” stands twice in one object")
