"""The audit page: who sees what, filters, export, and text that stays text."""

from datetime import date

import pytest
from django.test import Client

from compliance.audit.services.chaining import chain_event
from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_actor, make_organization, make_user
from tests.factories.compliance import make_event

pytestmark = pytest.mark.django_db


def signed_in(actor_or_user: object) -> Client:
    client = Client()
    user = actor_or_user.user if isinstance(actor_or_user, Actor) else actor_or_user
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_officer_sees_own_events_and_operations_only() -> None:
    own, other = make_organization("Voltara"), make_organization("Foreign")
    officer = make_actor(Role.COMPLIANCE_OFFICER, organization=own)
    mine = make_event("invoice.issued", organization_id=own.pk)
    theirs = make_event("invoice.voided", organization_id=other.pk)
    operations = make_event("prices.imported")
    client = signed_in(officer)

    page = client.get("/audit/").content.decode()

    assert "invoice.issued" in page
    assert "prices.imported" in page
    assert "invoice.voided" not in page
    assert client.get(f"/audit/{mine.uid}/").status_code == 200
    assert client.get(f"/audit/{operations.uid}/").status_code == 200
    assert client.get(f"/audit/{theirs.uid}/").status_code == 404


def test_customers_officer_does_not_see_operations() -> None:
    issuer = make_organization("Voltara")
    customer = make_organization("Bakery", parent=issuer)
    operations = make_event("prices.imported")
    client = signed_in(make_actor(Role.COMPLIANCE_OFFICER, organization=customer))

    assert client.get(f"/audit/{operations.uid}/").status_code == 404


@pytest.mark.parametrize("role", [Role.TRADER, Role.ENERGY_MANAGER, Role.SUPPORT_AGENT])
def test_other_roles_are_refused(role: Role) -> None:
    client = signed_in(make_user(role, organization=make_organization()))

    assert client.get("/audit/").status_code == 403


def test_filters_narrow_the_list() -> None:
    own = make_organization("Voltara")
    officer = make_actor(Role.COMPLIANCE_OFFICER, organization=own)
    make_event("invoice.issued", organization_id=own.pk, actor=officer, subject="INV-1")
    make_event("alert.fired", organization_id=own.pk, subject="A-1")
    client = signed_in(officer)
    today = Event.objects.latest("pk").recorded_at.date()

    for query, shown in (
        ("type=invoice.", True),
        ("type=alert.", False),
        ("aggregate_id=INV-1", True),
        (f"actor_name={officer.user.email[:8]}", True),  # type: ignore[union-attr]
        (f"organization={own.pk}", True),
        (f"recorded_at_after={today}&recorded_at_before={today}", True),
        (f"recorded_at_before={date(2020, 1, 1)}", False),
    ):
        page = client.get(f"/audit/?{query}").content.decode()
        assert (">invoice.issued</a>" in page) is shown, query


def test_markup_and_control_characters_stay_text() -> None:
    own = make_organization("Voltara")
    officer = make_actor(Role.COMPLIANCE_OFFICER, organization=own)
    nasty = "<script>alert(1)</script>\r\nFAKE LINE\x1b[31m\u202e"
    event = make_event(
        "site.renamed",
        organization_id=own.pk,
        changes={"name": ("Depot", nasty), "password": ("old-one", "new-one")},
        payload={"name": nasty},
        subject="S\r\n-1",
    )
    client = signed_in(officer)

    for path in (
        "/audit/",
        f"/audit/{event.uid}/",
        "/audit/?export=csv",
    ):
        answer = client.get(path)
        body = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()
        assert answer.status_code == 200
        if "export" not in path:
            assert "<script>alert(1)" not in body
        assert "\x1b[31m" not in body
        assert "\u202e" not in body
        assert "\nFAKE LINE" not in body
        assert "new-one" not in body


def test_detail_shows_before_after_and_chain() -> None:
    own = make_organization("Voltara")
    event = make_event(organization_id=own.pk, changes={"state": ("draft", "captured")})
    chain_event(event)
    client = signed_in(make_actor(Role.COMPLIANCE_OFFICER, organization=own))

    page = client.get(f"/audit/{event.uid}/").content.decode()

    assert "draft" in page
    assert "captured" in page
    assert event.audit_record.hash in page
