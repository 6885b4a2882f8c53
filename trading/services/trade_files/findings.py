"""What a file of trades would do or did: each row new or already there, or refused with why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from energyopti.foundation.exports.tables import Column, Kind, Table

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
class SideSum:
    """
    What the new trades of one side in one currency and unit add up to; nothing has a sign.

    hours       of delivery, summed over the trades; None where none of them delivers by the hour
    volume      in `unit`
    energy_mwh, notional    of those that have one; None where none has
    """

    side: str
    currency: str
    unit: str
    trades: int
    hours: Decimal | None
    volume: Decimal
    energy_mwh: Decimal | None
    notional: Decimal | None


@dataclass(frozen=True, slots=True)
class TradesFound:
    """
    All rows of a file; nothing of it is imported where one is refused.

    sums            of what is new
    captured_at     of what was written, the same for all of it; None for a dry run
    """

    rows: tuple[TradeRow, ...]
    refusals: tuple[Refusal, ...]
    sums: tuple[SideSum, ...] = ()
    captured_at: datetime | None = None

    def count(self, state: RowState) -> int:
        return sum(row.state is state for row in self.rows)

    @property
    def is_refused(self) -> bool:
        return bool(self.refusals)

    @property
    def new(self) -> int:
        """Return how many trades there are to write, those that wait for release included."""
        return self.count(RowState.NEW) + self.count(RowState.PENDING)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values, numbers as strings."""
        return {
            "rows": [asdict(row) for row in self.rows],
            "refusals": [asdict(refusal) for refusal in self.refusals],
            "sums": [
                {name: _plain(value) for name, value in asdict(each).items()} for each in self.sums
            ],
            "captured_at": self.captured_at and self.captured_at.isoformat(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        at = stored["captured_at"]
        return cls(
            tuple(
                TradeRow(**{**row, "state": RowState(row["state"]),
                            "remarks": tuple(row["remarks"])})
                for row in stored["rows"]
            ),
            tuple(Refusal(**refusal) for refusal in stored["refusals"]),
            tuple(
                SideSum(**{**each, **{name: _number(each[name]) for name in _NUMBERS}})
                for each in stored["sums"]
            ),
            datetime.fromisoformat(at) if at else None,
        )  # fmt: skip


def refusals_table(found: TradesFound) -> Table:
    """Return the refused lines as a table for downloads."""
    columns = (
        Column("file", "File"), Column("line", "Line", kind=Kind.INTEGER), Column("field", "Field"),
        Column("rule", "Rule"),
    )  # fmt: skip
    return Table("Refused lines", columns, [asdict(refusal) for refusal in found.refusals])


_NUMBERS = ("hours", "volume", "energy_mwh", "notional")


def _plain(value: Any) -> Any:
    return f"{value:f}" if isinstance(value, Decimal) else value


def _number(text: str | None) -> Any:
    return None if text is None else Decimal(text)


class TradesRefused(ValueError):
    """A file was not imported; `found.refusals` has every line, field and rule."""

    def __init__(self, found: TradesFound) -> None:
        self.found = found
        more = len(found.refusals) - 1
        super().__init__(f"{found.refusals[0]}" + (f" (and {more} more)" if more else ""))
