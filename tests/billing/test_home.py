"""The home panel of billing: the newest invoice and the sum, of one's own organizations."""

from datetime import UTC, date, datetime

import pytest
from django.test import Client

from billing.services.invoicing import issue_invoice
from billing.web.home import billing_panel
from energyopti.foundation.calendars import DatePeriod
from tests.factories.billing import make_supply, meter_day

pytestmark = pytest.mark.django_db
DAY = date(2027, 3, 1)


def test_the_newest_invoice_and_the_total(django_assert_max_num_queries):
    supply = make_supply()
    meter_day(supply, DAY)
    invoice = issue_invoice(
        actor=supply.operator,
        contract=supply.contract,
        period=DatePeriod.day(DAY),
        issued_at=datetime(2027, 3, 2, 6, tzinfo=UTC),
    )
    client = Client()
    client.force_login(supply.reader.user, backend="django.contrib.auth.backends.ModelBackend")

    with django_assert_max_num_queries(7):  # three of them say who asks
        panel = billing_panel(supply.reader)

    assert panel["newest"] == invoice
    assert [(total.currency, total.gross) for total in panel["totals"]] == [("EUR", invoice.gross)]
    assert f"/billing/invoices/{invoice.number}/" in client.get("/").content.decode()
    assert billing_panel(make_supply(name="Mill").reader)["newest"] is None
