"""From bytes to lines of cells, of a CSV file or of a workbook: its first sheet, and “profiles”."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import PurePath
from typing import Any

from ..reference_files.findings import Refusal
from ..reference_files.reading import (
    FileTooLarge,
    Line,
    check_size,
    header_refusals,
    read_lines,
)
from .columns import COLUMNS
from .profiles import MAX_INTERVALS, PROFILE_COLUMNS

MAX_ROWS = 100_000
PROFILES = "profiles"
# A workbook is an archive: what it unpacks to is bounded before it is opened.
MAX_UNPACKED = 500 * 1024 * 1024
_LONGEST_CELL = 10_000


@dataclass(frozen=True, slots=True)
class Sheets:
    """
    The rows of a file and what is wrong with their form.

    profiles    lines of a workbook's sheet of that name
    """

    lines: list[Line]
    refusals: list[Refusal]
    profiles: list[Line] = field(default_factory=list)


def read_trades(name: str, content: bytes) -> Sheets:
    """
    Return what a file says and what is wrong with its form.

    :raises FileTooLarge: for more than 50 MB, 500 MB unpacked, or 100,000 rows.
    """
    check_size(name, len(content))
    suffix = PurePath(name).suffix.lower()
    if suffix == ".csv":
        found = Sheets(*read_lines(name, content, COLUMNS, are_all_needed=False))
    elif suffix == ".xlsx":
        found = _read_workbook(name, content)
    else:
        rule = "The name ends neither in .csv nor in .xlsx."
        return Sheets([], [Refusal(name, 0, "file", rule)])
    if len(found.lines) > MAX_ROWS:
        raise FileTooLarge(f"{name}: {len(found.lines):,} rows; at most {MAX_ROWS:,} are read.")
    if not found.lines and not found.refusals:
        found.refusals.append(Refusal(name, 0, "file", "There is no trade in it."))
    return found


def profiles_name(name: str) -> str:
    """Return what the sheet of profiles of a workbook is called in refusals."""
    return f"{name}, sheet {PROFILES}"


def _read_workbook(name: str, content: bytes) -> Sheets:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    broken = Refusal(name, 0, "file", "This is no XLSX workbook that can be read.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > MAX_UNPACKED:
            raise FileTooLarge(f"{name}: unpacks to {unpacked / 2**20:,.0f} MB.")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False)
    except (zipfile.BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        if isinstance(error, FileTooLarge):
            raise
        return Sheets([], [broken])
    try:
        own = {sheet.title.strip().lower(): sheet for sheet in reversed(book.worksheets)}
        by_interval = own.get(PROFILES)
        trades = next((sheet for sheet in book.worksheets if sheet is not by_interval), None)
        if trades is None:
            return Sheets([], [broken])
        lines, refusals = _rows_of(name, trades.iter_rows(), COLUMNS)
        profiles: list[Line] = []
        if by_interval is not None:
            profiles, more = _rows_of(
                profiles_name(name), by_interval.iter_rows(), PROFILE_COLUMNS, are_all_needed=True,
                most=MAX_INTERVALS,
            )  # fmt: skip
            refusals += more
        return Sheets(lines, refusals, profiles)
    finally:
        book.close()


def _rows_of(
    name: str,
    rows: Iterator[tuple[Any, ...]],
    columns: Sequence[str],
    *,
    are_all_needed: bool = False,
    most: int = MAX_ROWS,
) -> tuple[list[Line], list[Refusal]]:
    lines: list[Line] = []
    refusals: list[Refusal] = []
    header: list[str] | None = None
    for number, row in enumerate(rows, start=1):
        cells = list(row)
        while cells and cells[-1].value is None:
            cells.pop()
        if not cells:
            continue
        if number > most + 1:
            raise FileTooLarge(f"{name}: more than {most:,} rows.")
        if header is None:
            header = [str(cell.value or "").strip() for cell in cells]
            refusals = header_refusals(name, number, header, columns, are_all_needed=are_all_needed)
            if refusals:
                return [], refusals
            continue
        if len(cells) > len(header):
            refusals.append(
                Refusal(name, number, "row", f"{len(cells)} cells under {len(header)} columns.")
            )
            continue
        values = dict.fromkeys(header, "")
        known = len(refusals)
        for column, cell in zip(header, cells, strict=False):
            rule = _rule(cell)
            if rule:
                refusals.append(Refusal(name, number, column, rule))
            else:
                values[column] = _written(cell.value, with_time=column == "start")
        if len(refusals) == known:
            lines.append(Line(number, values))
    if header is None:
        refusals.append(Refusal(name, 1, "header", f"The columns are {', '.join(columns)}."))
    return lines, refusals


def _rule(cell: Any) -> str:
    """Return the rule that a workbook's cell breaks, empty if it is as it should be."""
    if cell.data_type == "f":
        return "It is a formula; put its value there."
    if cell.data_type == "e":
        return f"It is an error, {cell.value}."
    if isinstance(cell.value, str) and len(cell.value) > _LONGEST_CELL:
        return f"It is longer than {_LONGEST_CELL:,}."
    return ""


def _written(value: Any, *, with_time: bool = False) -> str:
    """Return a workbook's value as a CSV file would write it; midnight is a date elsewhere."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        # A workbook knows no offsets; a moment that is given as one is UTC.
        return (
            value.date().isoformat()
            if value.time() == time() and not with_time
            else (value.replace(tzinfo=UTC).isoformat())
        )
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.15g}" if abs(value) < 1e15 else repr(value)
    return str(value).strip()
