"""Downloads: streamed, named safely, refused as problems before the first byte."""

import json
import re
import sys
import tracemalloc
import warnings

import pytest
from django.http import HttpRequest
from django.test import AsyncRequestFactory, RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from energyopti.foundation.api.refusals import Refusal
from energyopti.foundation.exports.responses import attachment, export_response, render
from energyopti.foundation.exports.tables import Column, Kind, Table

COLUMNS = [Column("id", "Id", Kind.INTEGER), Column("name", "Name")]


def table(count=3):
    return Table("Trades", COLUMNS, ((number, f"deal {number}") for number in range(count)))


@pytest.fixture
def request_():
    request = RequestFactory().get("/trades/export.csv")
    request.request_id = "4f1c2a7e-0001"
    return request


@pytest.mark.parametrize(
    ("format", "kind", "beginning"),
    [
        ("csv", "text/csv", b'"id","name"'),
        ("json", "application/json", b'{"title": "Trades"'),
        ("xlsx", "application/vnd.openxmlformats", b"PK"),
        ("pdf", "application/pdf", b"%PDF"),
    ],
)
def test_each_format_is_a_download(request_, format, kind, beginning):
    response = export_response(request_, table(), format, "trades")

    if format == "pdf" and response.status_code == 503:
        pytest.skip("pango is not on this machine")
    assert response.status_code == 200 and response.streaming
    assert response["Content-Type"].startswith(kind)
    assert response["Content-Disposition"] == f'attachment; filename="trades.{format}"'
    assert response.getvalue().startswith(beginning)


def test_another_format_is_refused(request_):
    response = export_response(request_, table(), "exe", "trades")

    assert response.status_code == 400
    assert json.loads(response.content)["code"] == "unknown_format"
    with pytest.raises(Refusal):
        render(table(), "exe")


def test_a_bad_first_row_is_a_problem_and_not_half_a_file(request_):
    wrong = Table("Trades", COLUMNS, [["x", "y"]])

    response = export_response(request_, wrong, "csv", "trades")

    problem = json.loads(response.content)
    assert response.status_code == 400 and not response.streaming
    assert problem["code"] == "not_exportable"
    assert "row 1, column id" in problem["detail"]
    assert problem["request_id"] == "4f1c2a7e-0001"


def test_a_machine_without_pango_says_so_and_offers_the_others(request_, monkeypatch):
    # What an import of WeasyPrint does where the library is not installed.
    class NoPango:
        def find_spec(self, name, path=None, target=None):
            if name == "weasyprint" or name.startswith("weasyprint."):
                raise OSError("cannot load library 'libpango-1.0-0'")

    for name in [name for name in sys.modules if name.split(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [NoPango(), *sys.meta_path])

    response = export_response(request_, table(), "pdf", "trades")

    assert response.status_code == 503
    assert response["Content-Type"] == "application/problem+json"
    assert json.loads(response.content)["detail"] == "PDF needs pango; other formats work."
    assert export_response(request_, table(), "csv", "trades").status_code == 200


def test_a_hundred_thousand_rows_pass_through_little_memory(request_):
    tracemalloc.start()
    size = sum(
        len(piece)
        for piece in export_response(request_, table(100_000), "csv", "x").streaming_content
    )
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size > 1_900_000
    assert peak_bytes < 1_000_000


@pytest.mark.django_db
def test_rows_are_taken_as_they_are_sent(request_):
    taken = []
    rows = ((taken.append(number) or number, "x") for number in range(10_000))

    response = export_response(request_, Table("Trades", COLUMNS, rows), "csv", "x")

    assert len(taken) <= 1000
    response.close()


async def test_over_asgi_it_streams_too():
    request = AsyncRequestFactory().get("/")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        response = export_response(request, table(2000), "csv", "x")
        pieces = [piece async for piece in response]

    assert response.is_async
    assert len(pieces) >= 4
    assert b"deal 1999" in b"".join(pieces)


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("trades.csv", 'attachment; filename="trades.csv"'),
        ('a"b\r\nSet-Cookie: x.csv', 'attachment; filename="a_b_Set-Cookie_ x.csv"'),
        ("../../etc/passwd", 'attachment; filename="_.._etc_passwd"'),
        ("", 'attachment; filename="export"'),
        (
            "Erträge.csv",
            "attachment; filename=\"Ertrage.csv\"; filename*=UTF-8''Ertr%C3%A4ge.csv",
        ),
        ("報告", "attachment; filename=\"export\"; filename*=UTF-8''%E5%A0%B1%E5%91%8A"),
    ],
)
def test_a_file_name_is_safe_in_a_header(filename, expected):
    assert attachment(filename) == expected


@given(st.text(max_size=40))
def test_no_file_name_breaks_out_of_its_quotes(filename):
    header = attachment(filename)

    assert re.fullmatch(
        r'attachment; filename="[^"\\\x00-\x1f/]+"(; filename\*=UTF-8\'\'[A-Za-z0-9%._~-]+)?',
        header,
    )
    header.encode("ascii")


def test_a_request_without_id_still_gets_a_problem():
    assert export_response(HttpRequest(), table(), "exe", "x").status_code == 400
