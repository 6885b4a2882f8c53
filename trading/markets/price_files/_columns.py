"""The header and the rows of a price file, before time and values are understood."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from trading.markets.price_files._findings import Finding, FindingKind, PriceFileRefused

SPOT_SERIES = "spot"
MAX_SERIES_NAME = 64


@dataclass(frozen=True, slots=True)
class Rows:
    """
    Hold the fields of a file.

    time_column   "timestamp" or "Date"
    series        names by column of `fields`: "spot" first, then the other columns' names
    lines         the line number of each row
    times         the text of each row's time
    fields        the texts of each row's values, in the order of `series`
    """

    time_column: str
    series: tuple[str, ...]
    lines: list[int]
    times: list[str]
    fields: list[list[str]]


def read_rows(content: bytes, findings: list[Finding]) -> Rows:
    """
    Split a file into rows; rows with a wrong number of fields become findings.

    :raises PriceFileRefused: if it is not comma-separated UTF-8 with the columns needed.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(f"the file is not UTF-8 text (byte {error.start + 1}).") from error
    if "\0" in text:
        raise _refused("the file holds zero bytes; it is not CSV.")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        time_index, order, series = _columns([name.strip() for name in header])
        lines: list[int] = []
        times: list[str] = []
        fields: list[list[str]] = []
        blank_line = 0
        for row in reader:
            if not row:
                blank_line = blank_line or reader.line_num
                continue
            if blank_line:  # blank lines at the end of a file mean nothing, one inside may
                findings.append(Finding(blank_line, FindingKind.FIELDS, "the line is empty."))
                blank_line = 0
            if len(row) != len(header):
                findings.append(
                    Finding(
                        reader.line_num,
                        FindingKind.FIELDS,
                        f"has {len(row)} fields, the header has {len(header)}"
                        " (a decimal comma would do that).",
                    )
                )
                continue
            lines.append(reader.line_num)
            times.append(row[time_index].strip())
            fields.append([row[index].strip() for index in order])
    except csv.Error as error:
        raise _refused(f"is not CSV ({error}).", line=reader.line_num) from error
    if not lines and not findings:
        raise _refused("the file has a header and no rows.")
    return Rows(header[time_index].strip(), series, lines, times, fields)


def _columns(header: list[str]) -> tuple[int, list[int], tuple[str, ...]]:
    """Return the index of the time column, those of the values, and the names of their series."""
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        raise _refused(
            f"the header “{header[0][:60]}” is one column: separate columns by commas and"
            " write decimals with a point.",
            line=1,
        )
    if len({name.casefold() for name in header}) != len(header):
        raise _refused(f"a column name is there twice: {', '.join(header)}.", line=1)
    times = [index for index, name in enumerate(header) if name in ("timestamp", "Date")]
    if len(times) != 1 or "Price" not in header:
        raise _refused(
            "needs one column “timestamp” (with offset) or “Date” (by --clock), and a column"
            f" “Price”; found: {', '.join(header) or 'nothing'}.",
            line=1,
        )
    extra = [i for i, name in enumerate(header) if i != times[0] and name != "Price"]
    for index in extra:
        name = header[index]
        if not name or len(name) > MAX_SERIES_NAME or name.casefold() == SPOT_SERIES:
            raise _refused(
                f"column {index + 1}: “{name}” cannot name a series; use 1 to {MAX_SERIES_NAME}"
                f" characters other than “{SPOT_SERIES}”.",
                line=1,
            )
    order = [header.index("Price"), *extra]
    return times[0], order, (SPOT_SERIES, *(header[index] for index in extra))


def _refused(message: str, *, line: int = 0) -> PriceFileRefused:
    return PriceFileRefused([Finding(line, FindingKind.COLUMNS, message)])
