"""What FIX messages are refused for, in a module of its own so that every part can raise it."""

from __future__ import annotations

from enum import IntEnum


class RejectReason(IntEnum):
    """SessionRejectReason (373) of FIX 4.4, the ones that are used here."""

    INVALID_TAG = 0
    REQUIRED_TAG_MISSING = 1
    EMPTY_VALUE = 4
    VALUE_INCORRECT = 5
    FORMAT_INCORRECT = 6
    COMP_ID_PROBLEM = 9
    SENDING_TIME_INACCURATE = 10
    TAG_TWICE = 13
    GROUP_COUNT_INCORRECT = 16


class FixError(ValueError):
    """Raised for what is no good message; `tag` names the field (0: none), `rule` says why."""

    def __init__(
        self, tag: int, rule: str, reason: RejectReason = RejectReason.VALUE_INCORRECT
    ) -> None:
        self.tag = tag
        self.rule = rule
        self.reason = reason
        super().__init__(f"tag {tag}: {rule}" if tag else rule)
