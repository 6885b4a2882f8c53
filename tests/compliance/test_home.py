"""Home panels of carbon and audit: own organizations only, and what waits for the chain."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.test import Client

from compliance.audit.services.chaining import chain_event
from compliance.audit.web.home import audit_panel
from compliance.esg.services.factors import publish_seed_factors
from compliance.esg.services.reports import build_carbon_report
from compliance.esg.web.home import carbon_panel
from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_actor, make_organization, make_site
from tests.factories.billing import Supply, book_readings, make_supply
from tests.factories.compliance import make_event

pytestmark = pytest.mark.django_db
START = datetime(2027, 2, 28, 23, tzinfo=UTC)


def report_of(supply: Supply, month: date = date(2027, 3, 1), day: int = 1) -> None:
    build_carbon_report(
        actor=Actor.system("beat"),
        organization=supply.customer,
        month=month,
        built_at=datetime(2027, 4, day, 4, tzinfo=UTC),
    )


def test_carbon_is_the_latest_version_of_the_newest_month(django_assert_max_num_queries) -> None:
    supply = make_supply()
    publish_seed_factors(actor=Actor.system("seed"))
    book_readings(supply.site, supply.market, START, ["10"] * 24)
    report_of(supply)
    book_readings(supply.site, supply.market, START.replace(month=3, day=1), ["10"] * 24)
    report_of(supply, day=2)

    with django_assert_max_num_queries(7):  # three of them say who asks
        panel = carbon_panel(supply.reader)

    (report,) = panel["reports"]
    assert report.version == 2
    assert panel["energy_mwh"] == report.energy_kwh / 1000
    assert panel["emissions_t"] == report.emissions_t
    assert panel["built_at"] == report.built_at
    assert carbon_panel(make_supply(name="Mill").reader)["reports"] == []


def test_carbon_of_a_site_is_its_part_of_the_report(django_assert_max_num_queries) -> None:
    supply = make_supply()
    mill = make_site(supply.customer, "Mill")
    publish_seed_factors(actor=Actor.system("seed"))
    book_readings(supply.site, supply.market, START, ["10"] * 24)
    book_readings(mill, supply.market, START, ["2"] * 24, asset="MILL-1")
    report_of(supply)
    idle = make_site(supply.customer, "Idle")

    whole = carbon_panel(supply.reader)
    actor = Actor.for_user(supply.reader.user)
    with django_assert_max_num_queries(8):  # of them, six say who asks and which sites there are
        part = carbon_panel(actor, site=str(mill.pk))

    assert part["energy_mwh"] == Decimal("0.048")
    assert whole["energy_mwh"] == Decimal("0.288")
    assert 0 < part["emissions_t"] < whole["emissions_t"]
    assert carbon_panel(actor, site=str(idle.pk))["energy_mwh"] == 0
    foreign = make_supply(name="Mill & Co").site
    assert carbon_panel(actor, site=str(foreign.pk))["reports"] == []
    client = Client()
    client.force_login(supply.reader.user, backend="django.contrib.auth.backends.ModelBackend")
    assert "The part of Mill in the report of" in (
        client.get("/", {"site": str(mill.pk)}).content.decode()
    )


def test_audit_counts_own_events_and_those_without_a_link(django_assert_max_num_queries) -> None:
    own, other = make_organization("Voltara"), make_organization("Foreign")
    officer = make_actor(Role.COMPLIANCE_OFFICER, organization=own)
    make_event("invoice.issued", organization_id=own.pk)
    make_event("invoice.voided", organization_id=other.pk)
    for event in Event.objects.order_by("pk"):
        chain_event(event)
    make_event("invoice.issued", organization_id=own.pk)
    before = Event.objects.count()

    with django_assert_max_num_queries(8):  # three of them say who asks
        summary = audit_panel(officer)["summary"]

    client = Client()
    client.force_login(officer.user, backend="django.contrib.auth.backends.ModelBackend")
    assert summary.recorded < before
    assert summary.unchained == 1
    assert summary.chain_length == before - 1
    assert "Links in the chain" in client.get("/").content.decode()
