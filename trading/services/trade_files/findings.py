"""What a file of trades would do or did: each row new or already there, or refused with why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..reference_files.findings import Refusal


class RowState(StrEnum):
    """What a row of a file is to the book."""

    NEW = "new"
    PENDING = "new, waits for release"
    ALREADY_THERE = "already there"


@dataclass(frozen=True, slots=True)
class TradeRow:
    """
    A row that can be captured.

    ref         of the trade; empty for a new one of a dry run
    remarks     what checks found that stops nothing: sentences
    """

    line: int
    state: RowState
    ref: str
    what: str
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TradesFound:
    """All rows of a file; nothing of it is imported where one is refused."""

    rows: tuple[TradeRow, ...]
    refusals: tuple[Refusal, ...]

    def count(self, state: RowState) -> int:
        return sum(row.state is state for row in self.rows)


class TradesRefused(ValueError):
    """A file was not imported; `found.refusals` has every line, field and rule."""

    def __init__(self, found: TradesFound) -> None:
        self.found = found
        more = len(found.refusals) - 1
        super().__init__(f"{found.refusals[0]}" + (f" (and {more} more)" if more else ""))
