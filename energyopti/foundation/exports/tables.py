"""One description of a table, from which every format is written."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo


class Kind(StrEnum):
    """What a column holds; it decides alignment, and how each format writes a value."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    MONEY = "money"
    DATE = "date"
    DATETIME = "datetime"

    @property
    def is_number(self) -> bool:
        return self in (Kind.INTEGER, Kind.DECIMAL, Kind.MONEY)


class ExportError(ValueError):
    """A table that cannot be written as described: names the column and the row."""


@dataclass(frozen=True)
class Column:
    """
    One column.

    key     name of the value in a row, and of the member in JSON; unique in the table.
    label   what people read; with a unit it is shown as "Label (unit)".
    unit    "MWh", "EUR/MWh", "EUR" for money; empty for none.
    align   "left" or "right"; numbers are right unless said otherwise.
    """

    key: str
    label: str
    kind: Kind = Kind.TEXT
    unit: str = ""
    align: str = ""

    @property
    def heading(self) -> str:
        return f"{self.label} ({self.unit})" if self.unit else self.label

    @property
    def alignment(self) -> str:
        return self.align or ("right" if self.kind.is_number else "left")


@dataclass(frozen=True)
class Table:
    """
    A title, columns, and rows that may come one by one from a server-side cursor.

    rows        mappings by key, or sequences in the columns' order; walked through once.
    filters     what was filtered for, name → value as people read it; printed with the table.
    as_of       the moment whose knowledge the rows show, aware; None if that has no meaning.
    time_zone   in which moments are shown to people (xlsx, pdf); csv and json carry the offset.

    :raises ExportError: for no columns, a key twice, or a naive `as_of`.
    """

    title: str
    columns: Sequence[Column]
    rows: Iterable[Mapping[str, Any] | Sequence[Any]]
    filters: Mapping[str, str] = field(default_factory=dict)
    as_of: datetime | None = None
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        keys = [column.key for column in self.columns]
        if not keys or len(set(keys)) != len(keys):
            raise ExportError(f"{self.title}: columns need keys that differ, not {keys}.")
        if self.as_of is not None and self.as_of.tzinfo is None:
            raise ExportError(f"{self.title}: as_of needs an offset.")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def values(self) -> Iterator[list[Any]]:
        """
        Yield the checked values of each row, in the columns' order.

        :raises ExportError: naming column and row where a value is not of the column's kind.
        """
        columns = list(self.columns)
        for number, row in enumerate(self.rows, start=1):
            if isinstance(row, Mapping):
                cells = [row.get(column.key) for column in columns]
            elif len(row) == len(columns):
                cells = list(row)
            else:
                raise ExportError(f"row {number}: {len(row)} values for {len(columns)} columns.")
            yield [
                None if value is None else _checked(value, column, number)
                for value, column in zip(cells, columns, strict=True)
            ]


def _checked(value: Any, column: Column, row: int) -> Any:
    kind = column.kind
    if kind is Kind.TEXT:
        return str(value)
    if kind is Kind.DATETIME:
        if isinstance(value, datetime) and value.tzinfo is not None:
            return value.astimezone(UTC)
    elif kind is Kind.DATE:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
    elif kind is Kind.INTEGER:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    elif isinstance(value, Decimal) and value.is_finite():
        return value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        return _decimal(value, column, row)
    raise ExportError(
        f"row {row}, column {column.key}: {value!r} is not a {kind}"
        + (" with an offset." if kind is Kind.DATETIME else ".")
    )


def _decimal(value: float, column: Column, row: int) -> Decimal:
    """Take a valuation's float by its shortest decimal; money must come as Decimal already."""
    if column.kind is Kind.MONEY and isinstance(value, float):
        raise ExportError(f"row {row}, column {column.key}: {value!r} is money as a float.")
    number = Decimal(repr(value))
    if not number.is_finite():
        raise ExportError(f"row {row}, column {column.key}: {value!r} is not a number.")
    return number


def plain(number: Decimal) -> str:
    """Return a decimal without exponent, with the decimals it came with."""
    return f"{number:f}"
