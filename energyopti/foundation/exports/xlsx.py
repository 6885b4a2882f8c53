"""
Excel workbooks: numbers are numbers, dates are dates, and text is text even if it begins with "=".

Written row by row (openpyxl's write-only mode); a second sheet says what was exported.
"""

import re
import tempfile
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from .tables import Column, ExportError, Kind, Table

MAX_ROWS = 1_048_575  # one less than Excel's, for the heading
MAX_CELL_CHARACTERS = 32_767
# What XML 1.0 cannot hold; a spreadsheet shows the replacement character instead.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_READ = 64 * 1024
_FORMATS = {
    Kind.INTEGER: "#,##0",
    Kind.MONEY: "#,##0.00",
    Kind.DATE: "yyyy-mm-dd",
    Kind.DATETIME: "yyyy-mm-dd hh:mm:ss",
}


def write_xlsx(table: Table) -> Iterator[bytes]:
    """
    Yield the workbook in pieces; it is made in a temporary file, not in memory.

    Numbers of more than 15 digits are written as text, because Excel would round them.

    :raises ExportError: above 1,048,575 rows.
    """
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment, Font

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet(_sheet_title(table.title))
    sheet.freeze_panes = "A2"

    def cell(value: Any, *, number_format: str = "", align: str = "") -> Any:
        made = WriteOnlyCell(sheet, value=None)
        made.value = value
        if isinstance(value, str):
            made.data_type = "s"  # openpyxl makes a formula of a text that begins with "="
        if number_format:
            made.number_format = number_format
        if align:
            made.alignment = Alignment(horizontal=align)
        return made

    for number, column in enumerate(table.columns):
        width = max(12, min(40, len(column.heading) + 4))
        sheet.column_dimensions[_letter(number)].width = width
    headings = [cell(_text(column.heading), align=column.alignment) for column in table.columns]
    for heading in headings:
        heading.font = Font(bold=True)
    sheet.append(headings)
    zone = table.zone
    for count, row in enumerate(table.values(), start=1):
        if count > MAX_ROWS:
            raise ExportError(f"{table.title}: more than {MAX_ROWS:,} rows; take csv or json.")
        sheet.append(
            [
                cell(_excel(value, zone), number_format=_format(column, value))
                for value, column in zip(row, table.columns, strict=True)
            ]
        )
    about = workbook.create_sheet("About")
    for name, value in _about(table):
        about.append([cell(_text(name)), cell(_text(value))])
    with tempfile.TemporaryFile() as file:
        workbook.save(file)
        file.seek(0)
        while piece := file.read(_READ):
            yield piece


def _about(table: Table) -> Iterator[tuple[str, str]]:
    yield "Title", table.title
    if table.as_of is not None:
        yield "As of", table.as_of.astimezone(table.zone).isoformat()
    yield "Time zone", table.time_zone
    yield from table.filters.items()


def _excel(value: Any, zone: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, datetime):
        return value.astimezone(zone).replace(tzinfo=None)  # a workbook knows no offsets
    if isinstance(value, Decimal | int) and _digits(value) > 15:
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    return value


def _digits(value: Decimal | int) -> int:
    if isinstance(value, int):
        return len(str(abs(value)))
    return len(value.normalize().as_tuple().digits)


def _format(column: Column, value: Any) -> str:
    if column.kind is Kind.DECIMAL and isinstance(value, Decimal):
        exponent = value.as_tuple().exponent
        decimals = max(0, -exponent) if isinstance(exponent, int) else 0
        return "#,##0" + ("." + "0" * decimals if decimals else "")
    return _FORMATS.get(column.kind, "")


def _text(text: str) -> str:
    return _NOT_IN_XML.sub("\ufffd", text)[:MAX_CELL_CHARACTERS]


def _sheet_title(title: str) -> str:
    return re.sub(r"[\[\]:*?/\\']", " ", _text(title)).strip()[:31] or "Table"


def _letter(number: int) -> str:
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(number + 1))
