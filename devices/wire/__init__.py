"""
The messages that a battery and the server exchange, and nothing else.

Frozen, versioned structs with their validation; `parse` and `render` are exact inverses. The
package imports nothing of ours, so the program on the battery can carry it alone.
"""

from devices.wire._acknowledgements import (
    TERMINAL_STATUSES,
    DeviceMessage,
    InstructionStatus,
    InstructionStatusUpdate,
    ReceptionStatus,
    ReceptionStatusValue,
    follows,
)
from devices.wire._codec import (
    DuplicateKey,
    WireError,
    json_schemas,
    parse,
    parse_device_messages,
    parse_schedules,
    parse_telemetry,
    render,
)
from devices.wire._confirmation import Confirmation, Outcome, Receipt
from devices.wire._schedules import (
    Mode,
    Schedule,
    ScheduleEntry,
    ScheduleStatus,
    command_id,
    command_of,
)
from devices.wire._telemetry import DeviceState, TelemetryBatch

WIRE_VERSION = 1

__all__ = [
    "TERMINAL_STATUSES",
    "WIRE_VERSION",
    "Confirmation",
    "DeviceMessage",
    "DeviceState",
    "DuplicateKey",
    "InstructionStatus",
    "InstructionStatusUpdate",
    "Mode",
    "Outcome",
    "Receipt",
    "ReceptionStatus",
    "ReceptionStatusValue",
    "Schedule",
    "ScheduleEntry",
    "ScheduleStatus",
    "TelemetryBatch",
    "WireError",
    "command_id",
    "command_of",
    "follows",
    "json_schemas",
    "parse",
    "parse_device_messages",
    "parse_schedules",
    "parse_telemetry",
    "render",
]
