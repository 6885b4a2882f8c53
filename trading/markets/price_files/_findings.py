"""What reading a price file found, each with its line, and the refusal that carries them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FindingKind(StrEnum):
    """What is remarkable about a line; the stored value is stable."""

    COLUMNS = "COLUMNS"
    FIELDS = "FIELDS"
    TIMESTAMP = "TIMESTAMP"
    VALUE = "VALUE"
    MISSING_VALUE = "MISSING_VALUE"
    DUPLICATE = "DUPLICATE"
    ORDER = "ORDER"
    OFF_GRID = "OFF_GRID"
    MIXED_GRANULARITY = "MIXED_GRANULARITY"
    GAP = "GAP"
    CLOCK_CHANGE = "CLOCK_CHANGE"


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One remark about a file.

    line       as an editor counts, the header being line 1; 0 if it is about the whole file.
    is_error   the file is refused because of it; otherwise it is only told.
    """

    line: int
    kind: FindingKind
    message: str
    is_error: bool = True

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message


class PriceFileRefused(ValueError):
    """Raised when a file cannot be taken as a whole; `findings` says why, line by line."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = tuple(findings)
        errors = [finding for finding in findings if finding.is_error]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(f"{errors[0]}{more}")
