"""REST of supply contracts: one's own with their terms, in as many queries for one as for ten."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from energyopti.accounts.roles import Role
from tests.factories.accounts import make_user
from tests.factories.billing import make_supply

pytestmark = pytest.mark.django_db
PATH = "/api/v1/billing/contracts"


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_customer_reads_its_contract_and_nobody_elses():
    supply, other = make_supply(), make_supply(name="Dairy")
    client = client_of(supply.reader.user)

    (contract,) = client.get(PATH).json()["results"]

    assert (contract["reference"], contract["customer"], contract["issuer"]) == (
        "SUP-Bakery", "Bakery", "Voltara",
    )  # fmt: skip
    (terms,) = contract["terms"]
    assert (terms["price_rule"], terms["adder_per_kwh"], terms["tax_rate"]) == (
        "SPOT", "0.02000000", "0.1900",
    )  # fmt: skip
    assert (terms["valid_from"], terms["valid_until"], contract["sites"]) == (
        "2027-01-01", None, [],
    )  # fmt: skip
    assert client.get(f"{PATH}/SUP-Bakery").json() == contract
    assert client.get(f"{PATH}/{other.contract.reference}").status_code == 404
    assert client.get(PATH, {"customer": "Dairy"}).status_code == 400
    trader = make_user(Role.TRADER, organization=supply.customer)
    assert client_of(trader).get(PATH).status_code == 403


def test_more_contracts_cost_no_more_queries():
    supply = make_supply()
    client = client_of(supply.operator.user)
    client.get(PATH)
    with CaptureQueriesContext(connection) as one:
        client.get(PATH)
    for name in ("Dairy", "Mill", "Brewery"):
        make_supply(name=name)

    with CaptureQueriesContext(connection) as four:
        found = client.get(PATH).json()["results"]

    assert [row["customer"] for row in found] == ["Bakery", "Brewery", "Dairy", "Mill"]
    assert len(four) == len(one)
