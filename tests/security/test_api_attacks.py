"""Attacks 3, 9, 21 and 25 on the API: what may not be set, called, asked for or opened."""

import csv
import io
import json
import re
import uuid
import zipfile

import pytest
from django.contrib.auth import get_user_model
from django.urls import get_resolver
from django_celery_beat.models import IntervalSchedule
from openpyxl import load_workbook
from rest_framework.test import APIClient

from energyopti.foundation.exports.csv import read_csv, write_csv
from energyopti.foundation.exports.tables import Column, Kind, Table
from energyopti.foundation.exports.xlsx import write_xlsx

SAMPLE = "tests.foundation.api.sample_urls"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FROB")
OPEN_TO_ALL = ("/api/schema/", "/api/asyncapi/", "/api/docs/")


@pytest.fixture(autouse=True)
def generous_rates(settings):
    settings.API_THROTTLE_RATES = {"anonymous": (100_000, 60), "default": (100_000, 60)}


@pytest.fixture
def stranger():
    return APIClient(raise_request_exception=False)


@pytest.fixture
def nobody(db):
    """Somebody who has signed in and has no role at all."""
    client = APIClient(raise_request_exception=False)
    client.force_login(get_user_model().objects.create_user(email="n@example.com", password="x"))
    return client


def api_addresses():
    """Every address under /api/ with made-up arguments, from the product's own routes."""
    return sorted(set(addresses_of(get_resolver("energyopti.urls"), "")))


def addresses_of(resolver, prefix):
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            if "api/".startswith(route) or route.startswith("api/"):
                yield from addresses_of(pattern, route)
        elif route.startswith("api/") and "(?P<format>" not in route:
            yield "/" + filled(pattern, route)


def filled(pattern, route):
    """Put made-up arguments into a route, written as a path or as a regular expression."""
    route = re.sub(r"<uuid:\w+>", str(uuid.uuid4()), route)
    route = re.sub(r"(?<!\?P)<(\w+:)?\w+>", "7", route)
    route = re.sub(r"\(\?P<\w+>[^)]*\)", str(uuid.uuid4()), route)
    return re.sub(r"[\^$\\]|\\Z", "", route)


@pytest.mark.django_db
def test_the_walk_finds_routes_of_several_apps():
    addresses = api_addresses()

    assert len({address.split("/")[3] for address in addresses if "/v1/" in address}) >= 3
    assert not [address for address in addresses if set(address) & set("<>()?^$")]


@pytest.mark.django_db
@pytest.mark.parametrize("method", METHODS)
def test_no_address_of_the_api_does_anything_for_a_stranger(stranger, method):
    opened = {}
    for address in api_addresses():
        response = stranger.generic(method, address, b"{}", content_type="application/json")
        if response.status_code not in (400, 401, 403, 404, 405, 501):
            opened[address] = response.status_code

    allowed = set(OPEN_TO_ALL) if method in ("GET", "HEAD") else set()
    assert set(opened) <= allowed, opened


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_nothing_crashes_or_is_written_for_somebody_without_a_role(nobody, method):
    crashed = {}
    for address in api_addresses():
        response = nobody.generic(method, address, b"{}", content_type="application/json")
        refused = response.status_code in (400, 401, 403, 404, 405)
        if not refused and not (method == "GET" and response.status_code == 200):
            crashed[address] = response.status_code

    assert crashed == {}


@pytest.mark.urls(SAMPLE)
@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_no_header_turns_one_method_into_another(nobody, header):
    response = nobody.get("/api/v1/sample/effects/", headers={header: "POST"})
    written = nobody.post(
        "/api/v1/sample/rows/?_method=GET", {"_method": "GET"}, headers={header: "GET"}
    )

    assert response.status_code == written.status_code == 405
    assert not IntervalSchedule.objects.exists()


@pytest.mark.urls(SAMPLE)
@pytest.mark.parametrize(
    "field",
    ["id", "pk", "is_superuser", "desk", "status", "created_by", "pnl", "hash", "tenant", "period"],
)
def test_a_field_that_is_not_the_callers_is_refused_and_nothing_written(nobody, field):
    response = nobody.post("/api/v1/sample/effects/", {"every": 7, field: "approved"})

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == f"/{field}"
    assert not IntervalSchedule.objects.exists()


@pytest.mark.urls(SAMPLE)
def test_a_batch_of_a_hundred_thousand_is_refused(nobody):
    body = json.dumps({"title": "x", "legs": [{"quantity": "1", "side": "BUY"}] * 100_000})
    response = nobody.post("/api/v1/sample/notes/", body, content_type="application/json")

    assert response.status_code == 413


@pytest.mark.urls(SAMPLE)
def test_a_page_of_a_billion_is_refused(nobody):
    assert nobody.get("/api/v1/sample/rows/?page_size=1000000000").status_code == 400


@pytest.mark.urls(SAMPLE)
def test_no_debug_server_shows_its_trace_through_the_api(stranger, settings, db):
    settings.DEBUG = True

    for address in ("/api/v1/sample/refuse/crash/", "/api/nowhere"):
        response = stranger.get(address)

        assert response["Content-Type"] == "application/problem+json"
        assert b"sample_urls" not in response.content and b"secret" not in response.content


ATTACKS = ['=HYPERLINK("http://x","y")', "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=cmd|'/C x'!A0"]
COLUMNS = [Column("party", "Counterparty"), Column("price", "Price", Kind.DECIMAL, "EUR/MWh")]


def attacked():
    from decimal import Decimal

    return Table(
        "Trades", COLUMNS, [[attack, Decimal("-2.5")] for attack in ATTACKS], filters={"=1": "=2"}
    )


def test_formulas_in_csv_are_text_that_comes_back_and_numbers_stay():
    text = b"".join(write_csv(attacked())).decode()

    cells = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert all(party.startswith("'") and price == "-2.5" for party, price in cells)
    restored = read_csv(io.StringIO(text, newline=""), columns=COLUMNS)
    assert [row["party"] for row in restored] == ATTACKS


def test_formulas_in_a_workbook_are_string_cells_and_numbers_stay():
    content = b"".join(write_xlsx(attacked()))

    rows = list(load_workbook(io.BytesIO(content))["Trades"].iter_rows(min_row=2))
    assert [row[0].data_type for row in rows] == ["s"] * len(ATTACKS)
    assert [row[1].value for row in rows] == [-2.5] * len(ATTACKS)
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert not any(b"<f>" in archive.read(name) for name in archive.namelist())


@pytest.mark.urls(SAMPLE)
def test_a_stored_answer_is_no_way_around_a_lost_session(nobody):
    headers = {"Idempotency-Key": "k-1"}
    nobody.post("/api/v1/sample/effects/", {"every": 7}, headers=headers)
    nobody.logout()

    response = nobody.post("/api/v1/sample/effects/", {"every": 7}, headers=headers)

    assert response.status_code == 401
