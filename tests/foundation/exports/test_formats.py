"""The same table as JSON, workbook and paper."""

import io
import json
import re
import zipfile
import zlib
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from energyopti.foundation.exports import pdf
from energyopti.foundation.exports.json import write_json
from energyopti.foundation.exports.tables import Column, ExportError, Kind, Table
from energyopti.foundation.exports.xlsx import write_xlsx

COLUMNS = [
    Column("party", "Counterparty"),
    Column("volume", "Volume", Kind.DECIMAL, "MWh"),
    Column("value", "Value", Kind.MONEY, "EUR"),
    Column("lots", "Lots", Kind.INTEGER),
    Column("at", "Traded", Kind.DATETIME),
    Column("day", "Delivery", Kind.DATE),
]
ROW = {
    "party": '=HYPERLINK("http://evil","x")',
    "volume": Decimal("-1234.500"),
    "value": Decimal("99999.95"),
    "lots": 7,
    "at": datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    "day": date(2026, 10, 25),
}


def table(rows=(ROW,), **changes):
    described = {
        "title": "Trades",
        "columns": COLUMNS,
        "rows": rows,
        "filters": {"Book": "DE <Power>"},
        "as_of": datetime(2026, 11, 21, 17, tzinfo=UTC),
        "time_zone": "Europe/Berlin",
    }
    return Table(**{**described, **changes})


def workbook_of(found):
    return load_workbook(io.BytesIO(b"".join(write_xlsx(found))))


def test_json_says_what_it_holds_and_keeps_decimals_exact():
    found = json.loads(b"".join(write_json(table())))

    assert found["as_of"] == "2026-11-21T17:00:00Z"
    assert found["filters"] == {"Book": "DE <Power>"}
    assert found["columns"][1] == {
        "key": "volume",
        "label": "Volume",
        "kind": "decimal",
        "unit": "MWh",
    }
    assert found["rows"] == [
        {
            "party": '=HYPERLINK("http://evil","x")',
            "volume": "-1234.500",
            "value": "99999.95",
            "lots": 7,
            "at": "2026-10-25T00:30:00Z",
            "day": "2026-10-25",
        }
    ]


@pytest.mark.parametrize("count", [0, 1, 500, 501, 1001])
def test_json_of_any_length_is_json(count):
    rows = ({**ROW, "lots": number} for number in range(count))

    found = json.loads(b"".join(write_json(table(rows))))

    assert [row["lots"] for row in found["rows"]] == list(range(count))


def test_a_workbook_has_numbers_as_numbers_and_text_as_text():
    sheet = workbook_of(table())["Trades"]

    party, volume, value, lots, at, day = sheet[2]
    assert (party.data_type, party.value) == ("s", ROW["party"])
    assert (volume.data_type, volume.value, volume.number_format) == ("n", -1234.5, "#,##0.000")
    assert (value.data_type, value.number_format) == ("n", "#,##0.00")
    assert (lots.data_type, lots.value) == ("n", 7)
    assert at.value == datetime(2026, 10, 25, 2, 30)  # Berlin, before the clock went back
    assert day.is_date and day.value.date() == date(2026, 10, 25)
    assert sheet.freeze_panes == "A2"
    assert sheet["B1"].value == "Volume (MWh)"


def test_a_workbook_says_what_was_exported():
    about = {row[0].value: row[1].value for row in workbook_of(table())["About"]}

    assert about["As of"] == "2026-11-21T18:00:00+01:00"
    assert about["Book"] == "DE <Power>"


@settings(max_examples=40, deadline=None)
@given(st.one_of(st.text(max_size=20), st.text(alphabet="=+-@\t\r'\x00\x0b#!A1(){}", max_size=8)))
def test_no_text_becomes_a_formula_in_a_workbook(text):
    content = b"".join(write_xlsx(table([{**ROW, "party": text}], filters={text: text})))

    archive = zipfile.ZipFile(io.BytesIO(content))
    sheets = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
    assert not any(re.search(rb"<f[ >/]", archive.read(name)) for name in sheets)
    assert load_workbook(io.BytesIO(content))["Trades"]["A2"].data_type in ("s", "n", "inlineStr")


def test_a_number_that_excel_would_round_stays_exact_as_text():
    columns = [Column("id", "Id", Kind.INTEGER), Column("x", "X", Kind.DECIMAL)]
    rows = [[1234567890123456789, Decimal("0.12345678901234567")]]

    identity, exact = workbook_of(table(rows, columns=columns))["Trades"][2]

    assert identity.value == "1234567890123456789"
    assert exact.value == "0.12345678901234567"


def test_a_title_that_no_sheet_may_have_is_changed():
    assert workbook_of(table(title="[P&L]: a/b?*" + "x" * 40)).sheetnames[0].startswith("P&L")


def streams_of(content):
    """The document's own objects, unpacked."""
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    return b"\n".join(zlib.decompress(part) for part in packed if part[:1] == b"x")


def test_paper_has_as_many_pages_as_its_rows_need():
    try:
        content = b"".join(pdf.write_pdf(table([ROW] * 120)))
    except pdf.PdfUnavailable as error:
        pytest.skip(str(error))

    assert content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")
    pages = re.search(rb"/Type\s*/Pages[^>]*?/Count (\d+)|/Count (\d+)", streams_of(content))
    assert pages and int(pages.group(1) or pages.group(2)) >= 3


def test_what_is_printed_is_escaped_and_aligned():
    page = pdf.page_of(table([{**ROW, "party": "<script>alert(1)</script>"}]))

    assert "<script>" not in page
    assert "DE &lt;Power&gt;" in page
    assert "2026-11-21 18:00 (Europe/Berlin)" in page
    assert '<td class="right">-1,234.500</td>' in page
    assert "2026-10-25 02:30 CEST" in page
    assert "Page " in page and "counter(pages)" in page


def test_nothing_is_fetched_for_paper():
    with pytest.raises(ValueError, match="fetches nothing"):
        pdf._no_fetching("file:///etc/passwd")


def test_a_table_too_long_for_paper_is_refused():
    with pytest.raises(ExportError, match="5,000 rows"):
        pdf.page_of(table(ROW for _ in range(5001)))
