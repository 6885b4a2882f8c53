"""
CSV as RFC 4180 says, safe to open in a spreadsheet, and read back to the same text.

A text cell that a spreadsheet would run as a formula gets an apostrophe in front. So that reading
can undo it without harming texts that began with one, a text that begins with apostrophes and
then a formula character gets one more; numbers stay numbers, signs and all.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from .tables import Column, Table, plain

FORMULA_CHARACTERS = "=+-@\t\r\n＝＋－＠"
BOM = "\ufeff"
_RUNS = re.compile(rf"'*[{re.escape(FORMULA_CHARACTERS)}]")
_GUARDED = re.compile(rf"'+[{re.escape(FORMULA_CHARACTERS)}]")
_ROWS_A_CHUNK = 500


def neutralize(text: str) -> str:
    """Return the text so that no spreadsheet takes it for a formula."""
    return f"'{text}" if _RUNS.match(text) else text


def restore(cell: str) -> str:
    """Return the text that `neutralize` was given."""
    return cell[1:] if _GUARDED.match(cell) else cell


def write_csv(table: Table, *, bom: bool = False) -> Iterator[bytes]:
    """
    Yield the file in pieces of some hundred rows, so that memory does not grow with the table.

    The first line has the columns' keys: this is the format for programs, and reads back.

    bom   begin with a byte-order mark, by which Excel knows UTF-8.
    """
    lines = io.StringIO()
    # Every text is quoted: where the semicolon separates, "a;=1+1" would be two cells otherwise.
    writer = csv.writer(lines, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    lines.write(BOM if bom else "")
    writer.writerow([neutralize(column.key) for column in table.columns])
    for number, row in enumerate(table.values(), start=1):
        writer.writerow([_cell(value) for value in row])
        if number % _ROWS_A_CHUNK == 0:
            yield _taken(lines)
    yield _taken(lines)


def _taken(lines: io.StringIO) -> bytes:
    piece = lines.getvalue().encode("utf-8", "replace")
    lines.seek(0)
    lines.truncate()
    return piece


class _Number(Decimal):
    """A decimal that the writer leaves unquoted and writes without exponent."""

    def __str__(self) -> str:
        return plain(self)


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, str):
        return neutralize(value)
    if isinstance(value, Decimal):
        return _Number(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)


def read_csv(lines: Iterable[str], *, columns: Iterable[Column] = ()) -> Iterator[dict[str, str]]:
    """
    Yield rows of a file that `write_csv` wrote, as text by key, apostrophes undone.

    lines   an open text file (newline="") or lines of one; a byte-order mark is skipped.
    columns if given, cells of number columns are left as they are: "'-5" is then no number.

    :raises ValueError: naming the line, for a file without a heading or a row of another width.
    """
    numbers = {column.key for column in columns if column.kind.is_number}
    reader = csv.reader(_without_bom(lines), strict=True)
    heading = next(reader, None)
    if not heading:
        raise ValueError("line 1: the file has no heading.")
    keys = [restore(key) for key in heading]
    for row in reader:
        if len(row) != len(keys):
            raise ValueError(f"line {reader.line_num}: {len(row)} cells for {len(keys)} columns.")
        yield {
            key: cell if key in numbers else restore(cell)
            for key, cell in zip(keys, row, strict=True)
        }


def _without_bom(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield line.removeprefix(BOM) if number == 0 else line
