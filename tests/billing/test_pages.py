"""Billing pages and API: who sees which invoice, what a download is, how many queries."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import Invoice
from billing.services.invoicing import issue_invoice
from energyopti.accounts.roles import Role
from energyopti.foundation.calendars import DatePeriod
from tests.factories.accounts import make_user
from tests.factories.billing import Supply, make_supply, meter_day

pytestmark = pytest.mark.django_db

DAY = date(2027, 3, 1)


@pytest.fixture
def billed_bakery() -> tuple[Supply, Invoice]:
    supply = make_supply()
    meter_day(supply, DAY)
    invoice = issue_invoice(
        actor=supply.operator,
        contract=supply.contract,
        period=DatePeriod.day(DAY),
        issued_at=datetime(2027, 3, 2, 6, tzinfo=UTC),
    )
    return supply, invoice


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_customer_reads_its_invoice(billed_bakery: tuple[Supply, Invoice]) -> None:
    supply, invoice = billed_bakery
    client = signed_in(supply.reader.user)

    page = client.get(f"/billing/invoices/{invoice.number}/")
    listed = client.get("/billing/invoices/")
    overview = client.get("/billing/")

    assert page.status_code == listed.status_code == overview.status_code == 200
    assert "To the cent." in page.content.decode()
    assert invoice.number in listed.content.decode()
    assert supply.contract.reference in overview.content.decode()


def test_another_customer_finds_nothing(billed_bakery: tuple[Supply, Invoice]) -> None:
    _, invoice = billed_bakery
    stranger = signed_in(make_supply(name="Mill").reader.user)

    for path in (
        f"/billing/invoices/{invoice.number}/",
        f"/billing/invoices/{invoice.number}.pdf",
        f"/api/v1/billing/invoices/{invoice.number}",
        "/billing/invoices/NOBODY-2027-000001/",
    ):
        assert stranger.get(path).status_code == 404, path
    assert invoice.number not in stranger.get("/billing/invoices/").content.decode()
    assert stranger.get("/api/v1/billing/invoices").json()["results"] == []


@pytest.mark.parametrize("path", ["/billing/", "/billing/invoices/", "/api/v1/billing/invoices"])
def test_role_without_billing_is_refused(path: str, billed_bakery: tuple[Supply, Invoice]) -> None:
    trader = make_user(Role.TRADER, organization=billed_bakery[0].customer)

    assert signed_in(trader).get(path).status_code == 403


def test_api_gives_decimals_as_strings(billed_bakery: tuple[Supply, Invoice]) -> None:
    supply, invoice = billed_bakery
    client = signed_in(supply.reader.user)

    listed = client.get("/api/v1/billing/invoices").json()["results"]
    detail = client.get(f"/api/v1/billing/invoices/{invoice.number}").json()

    assert [row["number"] for row in listed] == [invoice.number]
    assert Decimal(listed[0]["gross"]) == invoice.gross
    assert isinstance(listed[0]["gross"], str)
    assert [line["kind"] for line in detail["lines"]] == ["ENERGY", "ADDER", "STANDING"]
    assert detail["content"]["number"] == invoice.number
    assert client.get("/api/v1/billing/invoices?colour=blue").status_code == 400


def test_pdf_is_drawn_once(billed_bakery: tuple[Supply, Invoice]) -> None:
    pytest.importorskip("weasyprint", exc_type=OSError, reason="this machine has no pango")
    supply, invoice = billed_bakery
    client = signed_in(supply.reader.user)

    first = client.get(f"/billing/invoices/{invoice.number}.pdf")
    second = client.get(f"/billing/invoices/{invoice.number}.pdf")

    assert first.status_code == 200
    assert first["Content-Type"] == "application/pdf"
    assert first.content.startswith(b"%PDF-")
    assert first.content == second.content
    assert invoice.documents.count() == 1


def test_missing_pango_is_a_sentence(
    billed_bakery: tuple[Supply, Invoice], monkeypatch: pytest.MonkeyPatch
) -> None:
    supply, invoice = billed_bakery

    class NoPango:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "weasyprint":
                raise OSError("cannot load library 'libpango-1.0-0'")

    import sys

    for name in [name for name in sys.modules if name.split(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [NoPango(), *sys.meta_path])
    answer = signed_in(supply.reader.user).get(f"/billing/invoices/{invoice.number}.pdf")

    assert answer.status_code == 503
    assert "PDF needs pango" in answer.content.decode()
    assert not invoice.documents.exists()


@pytest.mark.parametrize("path", ["/billing/invoices/", "/api/v1/billing/invoices", "/billing/"])
def test_list_needs_the_same_queries_for_many_invoices(
    path: str, billed_bakery: tuple[Supply, Invoice]
) -> None:
    supply, _ = billed_bakery
    client = signed_in(supply.reader.user)
    client.get(path)
    with CaptureQueriesContext(connection) as for_one:
        client.get(path)
    for offset in range(1, 4):
        day = DAY + timedelta(days=offset)
        meter_day(supply, day)
        issue_invoice(
            actor=supply.operator,
            contract=supply.contract,
            period=DatePeriod.day(day),
            issued_at=datetime(2027, 4, 1, tzinfo=UTC),
        )

    with CaptureQueriesContext(connection) as for_four:
        client.get(path)

    assert len(for_four) <= len(for_one) <= 24
