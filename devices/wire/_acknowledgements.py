"""A device's answers: that it received a schedule, and what became of each order (after S2)."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from devices.wire._types import Instant, Text

MAX_ENERGY_KWH = Decimal(1_000_000)


class ReceptionStatusValue(StrEnum):
    OK = "OK"
    INVALID_DATA = "INVALID_DATA"
    INVALID_MESSAGE = "INVALID_MESSAGE"
    INVALID_CONTENT = "INVALID_CONTENT"
    TEMPORARY_ERROR = "TEMPORARY_ERROR"
    PERMANENT_ERROR = "PERMANENT_ERROR"


class InstructionStatus(StrEnum):
    NEW = "NEW"
    ACCEPTED = "ACCEPTED"
    REJECTED = "REJECTED"
    STARTED = "STARTED"
    SUCCEEDED = "SUCCEEDED"
    ABORTED = "ABORTED"
    REVOKED = "REVOKED"


TERMINAL_STATUSES = frozenset(
    {
        InstructionStatus.REJECTED,
        InstructionStatus.SUCCEEDED,
        InstructionStatus.ABORTED,
        InstructionStatus.REVOKED,
    }
)
_FOLLOWERS = {
    InstructionStatus.NEW: frozenset(InstructionStatus) - {InstructionStatus.NEW},
    InstructionStatus.ACCEPTED: frozenset(
        {
            InstructionStatus.REJECTED,
            InstructionStatus.STARTED,
            InstructionStatus.SUCCEEDED,
            InstructionStatus.ABORTED,
            InstructionStatus.REVOKED,
        }
    ),
    InstructionStatus.STARTED: frozenset(
        {InstructionStatus.SUCCEEDED, InstructionStatus.ABORTED, InstructionStatus.REVOKED}
    ),
}


def follows(before: InstructionStatus, after: InstructionStatus) -> bool:
    """Tell whether a status may follow another: never backwards, and nothing after an end."""
    return after in _FOLLOWERS.get(before, frozenset())


class ReceptionStatus(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="message_type",
    tag=True,
):
    """That a version of a schedule arrived, and whether the device can work with it."""

    device_id: UUID
    schedule_id: UUID
    version: Annotated[int, Meta(ge=1, le=2_147_483_647)]
    status: ReceptionStatusValue
    reported_at: Instant
    reason: Text | UnsetType = UNSET
    wire_version: Literal[1] | UnsetType = UNSET

    @property
    def key(self) -> str:
        """Name this message in confirmations."""
        return f"{self.schedule_id}/{self.version}"


class InstructionStatusUpdate(
    Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    tag_field="message_type",
    tag=True,
):
    """
    What became of one order.

    sequence      grows with every update of the order; the same one twice is the same message.
    energy_kwh    energy that passed the battery's meter under the order, ≥ 0, in either direction;
                  a string on the wire, given when the order has ended.

    :raises ValueError: if the energy is not a number from 0 to 1,000,000 with 6 decimals at most.
    """

    device_id: UUID
    command_id: UUID
    sequence: Annotated[int, Meta(ge=0, le=2_147_483_647)]
    status: InstructionStatus
    reported_at: Instant
    reason: Text | UnsetType = UNSET
    energy_kwh: Decimal | UnsetType = UNSET
    wire_version: Literal[1] | UnsetType = UNSET

    def __post_init__(self) -> None:
        energy = self.energy_kwh
        if energy is UNSET:
            return
        if not energy.is_finite() or not 0 <= energy <= MAX_ENERGY_KWH:
            raise ValueError("energy_kwh must be a number from 0 to 1000000")
        exponent = energy.as_tuple().exponent
        if isinstance(exponent, int) and not -6 <= exponent <= 6:
            raise ValueError("energy_kwh must have at most 6 decimals")

    @property
    def key(self) -> str:
        """Name this message in confirmations."""
        return f"{self.command_id}/{self.sequence}"


DeviceMessage = ReceptionStatus | InstructionStatusUpdate
