"""Billing in the scope of a site: the contracts that cover it, and their invoices in full."""

import json
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.services.contracts import agree_contract
from billing.services.invoicing import issue_invoice
from billing.web.home import billing_panel
from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod
from tests.factories.accounts import make_site
from tests.factories.billing import BEFORE, make_supply, make_terms, meter_day

pytestmark = pytest.mark.django_db
DAY = date(2027, 3, 1)


@pytest.fixture
def supply():
    """A bakery with one contract for all of its sites, billed once, and one for its mill."""
    supply = make_supply()
    meter_day(supply, DAY)
    supply_invoice = issue_invoice(
        actor=supply.operator, contract=supply.contract, period=DatePeriod.day(DAY),
        issued_at=datetime(2027, 3, 2, 6, tzinfo=UTC),
    )  # fmt: skip
    return supply, supply_invoice


@pytest.fixture
def client(supply) -> Client:
    client = Client()
    client.force_login(supply[0].reader.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def parts(supply):
    """A second customer of the reader's own: its contract names one of two sites."""
    whole, _ = supply
    mill, store = make_site(whole.customer, "Mill"), make_site(whole.customer, "Store")
    agree_contract(
        actor=whole.operator, issuer=whole.issuer, organization=whole.customer,
        market=whole.market, reference="SUP-MILL", terms=make_terms(), agreed_at=BEFORE,
        sites=[mill],
    )  # fmt: skip
    return mill, store


def test_contracts_of_a_site_name_it_or_name_none(client, parts):
    mill, store = parts

    for site, shown in ((mill, True), (store, False)):
        page = client.get("/billing/", {"site": str(site.pk)}).content.decode()
        assert ("SUP-MILL" in page) is shown
        assert "SUP-Bakery" in page
        assert "for this and their other sites together" in page
    assert "SUP-MILL" in client.get("/billing/", {"site": ""}).content.decode()


def test_a_site_under_no_contract_has_no_invoice(supply, client):
    whole, invoice = supply
    other = make_supply(name="Dairy")
    whole.reader.user.memberships.create(organization=other.customer)
    here, there = str(whole.site.pk), str(other.site.pk)

    assert invoice.number in client.get("/billing/invoices/", {"site": here}).content.decode()
    listed = client.get("/billing/invoices/", {"site": there}).content.decode()
    assert invoice.number not in listed
    assert "Nothing here in this scope" in listed
    file = client.get("/billing/invoices/", {"export": "json"})
    written = json.loads(b"".join(file.streaming_content))
    assert invoice.number not in json.dumps(written)
    assert "Depot" in json.dumps(written["filters"])

    reader = Actor.for_user(whole.reader.user)
    assert billing_panel(reader, site=here)["newest"] == invoice
    assert billing_panel(reader, site=there) == {"totals": [], "newest": None}
    home = client.get("/").content.decode()
    assert "No invoice yet" in home and invoice.number not in home


def test_a_site_costs_no_more_queries(supply, client):
    for path in ("/billing/", "/billing/invoices/"):
        counted = []
        for site in ("", str(supply[0].site.pk)):
            client.get(path, {"site": site})
            with CaptureQueriesContext(connection) as queries:
                client.get(path, {"site": site})
            counted.append(len(queries))
        assert counted[0] == counted[1], path
