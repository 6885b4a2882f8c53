"""From bytes to lines of cells: UTF-8, commas, the columns of the kind and no others."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from .findings import Refusal

MAX_BYTES = 50 * 1024 * 1024
_LONGEST_CELL = 10_000


class FileTooLarge(ValueError):
    """A file is larger than is read at all."""


@dataclass(frozen=True, slots=True)
class Line:
    """The cells of one row by column, and the line on which it starts."""

    number: int
    cells: dict[str, str]


def check_size(name: str, size: int) -> None:
    """
    Refuse a file before it is read.

    :raises FileTooLarge: naming the file and the limit.
    """
    if size > MAX_BYTES:
        raise FileTooLarge(
            f"{name}: {size / 2**20:,.1f} MB; at most {MAX_BYTES // 2**20} MB are read."
        )


def read_lines(
    name: str, content: bytes, columns: Sequence[str], *, are_all_needed: bool = True
) -> tuple[list[Line], list[Refusal]]:
    """
    Return the rows of a CSV file and what is wrong with its form.

    are_all_needed      a file that lacks one of the columns is refused

    :raises FileTooLarge: as `check_size`.
    """
    check_size(name, len(content))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return [], [
            Refusal(
                name,
                content.count(b"\n", 0, error.start) + 1,
                "encoding",
                f"Byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8.",
            )
        ]
    if "\x00" in text:
        line = text.count("\n", 0, text.index("\x00")) + 1
        return [], [Refusal(name, line, "encoding", "A NUL is no text; save the file as UTF-8.")]
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: list[Line] = []
    refusals: list[Refusal] = []
    header: list[str] | None = None
    ended = 0
    try:
        for cells in reader:
            number, ended = ended + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = [cell.strip() for cell in cells]
                refusals = header_refusals(
                    name, number, header, columns, are_all_needed=are_all_needed
                )
                if refusals:
                    return [], refusals
            elif len(cells) != len(header):
                refusals.append(
                    Refusal(name, number, "row", f"{len(cells)} cells under {len(header)} columns.")
                )
            elif any(len(cell) > _LONGEST_CELL for cell in cells):
                refusals.append(
                    Refusal(name, number, "row", f"A cell is longer than {_LONGEST_CELL:,}.")
                )
            else:
                values = (cell.strip() for cell in cells)
                lines.append(Line(number, dict(zip(header, values, strict=True))))
    except csv.Error as error:
        refusals.append(Refusal(name, ended + 1, "row", f"This is not CSV: {error}."))
    if header is None and not refusals:
        refusals.append(Refusal(name, 1, "header", f"The columns are {', '.join(columns)}."))
    return lines, refusals


def header_refusals(
    name: str,
    number: int,
    header: list[str],
    columns: Sequence[str],
    *,
    are_all_needed: bool = True,
) -> list[Refusal]:
    """Return what is wrong with the columns that a file names."""
    known = ", ".join(columns)
    refusals = [
        Refusal(name, number, cell or "header", f"Unknown column; the columns are {known}.")
        for cell in header
        if cell not in columns
    ]
    refusals += [
        Refusal(name, number, column, "The column is missing.")
        for column in columns
        if are_all_needed and column not in header
    ]
    refusals += [
        Refusal(name, number, column, "The column is there twice.")
        for column in columns
        if header.count(column) > 1
    ]
    return refusals
