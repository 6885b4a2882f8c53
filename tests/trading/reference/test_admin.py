"""Reference data in the Django admin: through the services, with their rules and events."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_organization, make_user
from tests.factories.trades import make_counterparty
from trading.models import (
    Agreement,
    ApprovedProduct,
    Book,
    Commodity,
    Counterparty,
    FxRate,
    LoadShape,
    Market,
    NettingSet,
    OptionFamily,
    PricingFormula,
    ProcessKind,
)
from trading.services.price_processes import ProcessTerms, propose_process
from trading.services.pricing_models import ModelTerms, propose_model

pytestmark = pytest.mark.django_db
TABLES = [model for model in admin.site._registry if model._meta.app_label == "trading"]


@pytest.fixture
def operator(european_desk):
    return make_user(
        Role.ADMIN, organization=Organization.objects.get(pk=european_desk.pk), is_staff=True
    )


@pytest.fixture
def client(operator) -> Client:
    # Models are proposed on their page, not imported.
    propose_model(
        actor=Actor.for_user(operator), reason="liquid",
        terms=ModelTerms(
            Market.objects.earliest("code").code, OptionFamily.VANILLA, PricingFormula.BLACK76
        ),
    )  # fmt: skip
    propose_process(
        actor=Actor.for_user(operator), reason="liquid",
        terms=ProcessTerms(
            Market.objects.earliest("code").code, ProcessKind.SPOT_NORMAL,
            {"mean_reversion": 50.0, "volatility": 90.0},
        ),
    )  # fmt: skip
    client = Client()
    client.force_login(operator)
    return client


def url(model, page: str, *args) -> str:
    return reverse(f"admin:trading_{model._meta.model_name}_{page}", args=args)


def filled(client: Client, address: str) -> dict[str, str]:
    """What the form of a page holds, to be sent again."""
    form = client.get(address).context["adminform"].form
    values = {}
    for field in form:
        value = field.value()
        if value is None or value is False:
            continue
        values[field.html_name] = "on" if value is True else value
    return values


@pytest.mark.parametrize("model", TABLES, ids=[model.__name__ for model in TABLES])
def test_every_table_lists_rows_and_shows_one_to_an_admin_who_is_no_superuser(client, model):
    listed = client.get(url(model, "changelist"))

    assert listed.status_code == 200
    row = model._default_manager.order_by("pk").first()
    assert row is not None, "the example desk has a row of each"
    assert client.get(url(model, "change", row.pk)).status_code == 200


def test_staff_without_the_role_sees_nothing(operator):
    client = Client()
    client.force_login(
        make_user(Role.RISK_OFFICER, organization=make_organization(), is_staff=True)
    )

    assert client.get(url(Commodity, "changelist"), follow=True).status_code == 403


def test_a_wrong_lei_is_refused_at_its_field_and_leaves_no_trace(client, operator):
    entry = {"organization": str(operator.memberships.get().organization_id), "code": "NEWCO",
             "name": "New", "lei": "529900T8BM49AURSDO54", "status": "ACTIVE"}  # fmt: skip
    before = Event.objects.count()

    refused = client.post(url(Counterparty, "add"), entry)
    assert "lei" in refused.context["adminform"].form.errors
    assert Event.objects.count() == before

    assert client.post(url(Counterparty, "add"), {**entry, "lei": ""}).status_code == 302
    row = Counterparty.objects.get(code="NEWCO")
    assert row.is_active
    (event,) = Event.objects.filter(type__startswith="counterparty.", aggregate_id=str(row.pk))
    assert (event.type, event.actor_id) == ("counterparty.added", f"user:{operator.pk}")


def test_what_a_service_refuses_stands_beside_the_field(client):
    market = Market.objects.exclude(indices=None).filter(currency="EUR").first()
    address = url(Market, "change", market.pk)
    entry = filled(client, address)

    refused = client.post(address, {**entry, "currency": "USD"})

    assert "it stays" in str(refused.context["adminform"].form.errors["currency"])
    assert client.post(address, {**entry, "name": "Renamed"}).status_code == 302
    market.refresh_from_db()
    assert market.name == "Renamed"
    assert Event.objects.filter(type="market.amended", aggregate_id=market.code).exists()


def test_a_code_cannot_be_changed(client):
    commodity = Commodity.objects.first()
    address = url(Commodity, "change", commodity.pk)

    client.post(address, {**filled(client, address), "code": "OTHER", "name": "New name"})

    commodity.refresh_from_db()
    assert (commodity.code != "OTHER", commodity.name) == (True, "New name")


def test_a_status_closes_a_counterparty(client):
    row = Counterparty.objects.filter(status="ACTIVE").first()
    address = url(Counterparty, "change", row.pk)

    assert client.post(address, {**filled(client, address), "status": "CLOSED"}).status_code == 302

    row.refresh_from_db()
    assert (row.status, row.is_active) == ("CLOSED", False)


def test_agreements_netting_sets_and_books_go_through_their_services(client):
    agreement, book = Agreement.objects.first(), Book.objects.filter(parent=None).first()
    entry = {"agreement": str(agreement.pk), "code": "EXTRA", "name": "Extra",
             "commodities": [str(Commodity.objects.get(code="POWER").pk)]}  # fmt: skip

    assert client.post(url(NettingSet, "add"), entry).status_code == 302
    added = NettingSet.objects.get(code="EXTRA")
    assert [each.code for each in added.commodities.all()] == ["POWER"]
    address = url(NettingSet, "change", added.pk)
    assert client.post(address, {"name": "All of it"}).status_code == 302
    assert not added.commodities.exists()

    address = url(Agreement, "change", agreement.pk)
    entry = {**filled(client, address), "ended_date": "1999-01-01"}
    refused = client.post(address, entry).context["adminform"].form.errors
    assert "ends after it took effect" in str(refused)

    address = url(Book, "change", book.pk)
    assert client.post(address, {**filled(client, address), "name": "Root"}).status_code == 302
    types = set(Event.objects.values_list("type", flat=True))
    assert {"netting_set.added", "netting_set.amended", "book.amended"} <= types
    assert not any(name.startswith("admin.") for name in types)


def test_an_approved_product_is_withdrawn_with_its_event(client):
    line = ApprovedProduct.objects.first()

    client.post(url(ApprovedProduct, "delete", line.pk), {"post": "yes"})

    assert not ApprovedProduct.objects.filter(pk=line.pk).exists()
    assert Event.objects.filter(
        type="approved_product.withdrawn", aggregate_id=str(line.pk)
    ).exists()


@pytest.mark.parametrize("model", [LoadShape, FxRate])
def test_versions_are_only_looked_at(client, model):
    row = model.objects.first()

    assert client.get(url(model, "add")).status_code == 403
    assert client.post(url(model, "change", row.pk), {"name": "x"}).status_code == 403
    assert client.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403


def test_rows_of_strangers_are_not_in_the_lists(client):
    theirs = make_counterparty(make_organization(), "THEIRS")

    assert "THEIRS" not in client.get(url(Counterparty, "changelist")).content.decode()
    assert client.get(url(Counterparty, "change", theirs.pk)).status_code == 302
    assert client.get(url(Counterparty, "change", theirs.pk), follow=True).redirect_chain == [
        ("/admin/", 302)
    ]
