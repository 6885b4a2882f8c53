"""Access to one container for one person: given, taken back, written down."""

import pytest
from django.http import Http404

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.grantable import GRANTABLE, Grantable
from energyopti.accounts.models import Organization
from energyopti.accounts.roles import Role
from energyopti.accounts.services.grants import (
    LevelUnknown,
    NotGranted,
    grant_access,
    revoke_access,
)
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_actor, make_organization, make_site, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def closed_sites(monkeypatch: pytest.MonkeyPatch) -> str:
    """A kind like trading's books: a member sees none without a grant."""
    kind = Grantable(
        model="accounts.Site",
        organization_path="organization_id",
        levels={"view": "accounts.view_site", "operate": "accounts.operate_site"},
        open_to_members=False,
        everywhere="accounts.view_customers",
    )
    monkeypatch.setitem(GRANTABLE._entries, "desk", kind)
    return "desk"


def test_two_desks_of_one_company_do_not_see_each_other(closed_sites: str) -> None:
    company = make_organization()
    desk_a, desk_b = make_site(company, "Desk A"), make_site(company, "Desk B")
    trader = make_user(Role.TRADER, organization=company)
    admin = make_actor(Role.ADMIN, organization=company)

    grant_access(actor=admin, user=trader, kind=closed_sites, container_id=desk_a.pk)

    seen = Actor.for_user(trader).container_ids(closed_sites)
    assert seen == {desk_a.pk}
    assert desk_b.pk not in seen


def test_a_level_opens_that_level_only(closed_sites: str) -> None:
    company = make_organization()
    desk = make_site(company)
    trader = make_user(Role.TRADER, organization=company)
    admin = make_actor(Role.ADMIN, organization=company)

    grant_access(actor=admin, user=trader, kind=closed_sites, container_id=desk.pk, level="view")

    assert Actor.for_user(trader).container_ids(closed_sites, "operate") == frozenset()


def test_role_that_sees_everywhere_stays_inside_its_organizations(closed_sites: str) -> None:
    company, stranger = make_organization(), make_organization()
    desk, foreign = make_site(company), make_site(stranger)

    officer = make_actor(Role.RISK_OFFICER, organization=company)

    assert officer.container_ids(closed_sites) == {desk.pk}
    assert foreign.pk not in officer.container_ids(closed_sites)


def test_grant_on_an_organization_lets_an_auditor_in() -> None:
    company, auditors = make_organization(), make_organization()
    auditor = make_user(Role.COMPLIANCE_OFFICER, organization=auditors)
    admin = make_actor(Role.ADMIN, organization=company)

    grant_access(actor=admin, user=auditor, kind="organization", container_id=company.pk)

    assert Actor.for_user(auditor).organization_ids == {company.pk, auditors.pk}
    event = Event.objects.get(type="access.granted")
    assert event.actor_id == admin.id
    assert event.organization_id == company.pk
    assert event.payload == {"user_id": str(auditor.pk), "level": "view"}


def test_grant_on_a_closed_organization_counts_for_nothing() -> None:
    company = make_organization()
    guest = make_user(Role.TRADER, organization=make_organization())
    site = make_site(company)
    admin = make_actor(Role.ADMIN, organization=company)
    grant_access(actor=admin, user=guest, kind="organization", container_id=company.pk)
    grant_access(actor=admin, user=guest, kind="site", container_id=site.pk)

    Organization.objects.filter(pk=company.pk).update(is_active=False)

    actor = Actor.for_user(guest)
    assert company.pk not in actor.organization_ids
    assert actor.container_ids("site") == frozenset()


def test_revoking_takes_it_back_at_once() -> None:
    company = make_organization()
    site = make_site(company)
    guest = make_user(Role.TRADER, organization=make_organization())
    admin = make_actor(Role.ADMIN, organization=company)
    grant_access(actor=admin, user=guest, kind="site", container_id=site.pk)
    assert Actor.for_user(guest).container_ids("site") == {site.pk}

    revoke_access(actor=admin, user=guest, kind="site", container_id=site.pk)

    assert Actor.for_user(guest).container_ids("site") == frozenset()
    assert Event.objects.filter(type="access.revoked", aggregate_id=str(site.pk)).count() == 1


def test_granting_twice_is_once() -> None:
    company = make_organization()
    site = make_site(company)
    guest = make_user(Role.TRADER, organization=make_organization())
    admin = make_actor(Role.ADMIN, organization=company)

    grant_access(actor=admin, user=guest, kind="site", container_id=site.pk)
    grant_access(actor=admin, user=guest, kind="site", container_id=site.pk)

    assert Event.objects.filter(type="access.granted", aggregate_id=str(site.pk)).count() == 1


def test_foreign_container_is_not_found_and_nothing_is_written() -> None:
    admin = make_actor(Role.ADMIN, organization=make_organization())
    foreign = make_site(make_organization())
    guest = make_user(Role.TRADER, organization=make_organization())

    with pytest.raises(Http404):
        grant_access(actor=admin, user=guest, kind="site", container_id=foreign.pk)

    assert Actor.for_user(guest).container_ids("site") == frozenset()
    assert not Event.objects.filter(type="access.granted").exists()


def test_only_managers_grant() -> None:
    company = make_organization()
    site = make_site(company)
    trader = make_actor(Role.TRADER, organization=company)

    with pytest.raises(PermissionMissing):
        grant_access(actor=trader, user=trader.user, kind="site", container_id=site.pk)


def test_unknown_level_is_refused_by_name() -> None:
    company = make_organization()
    site = make_site(company)
    admin = make_actor(Role.ADMIN, organization=company)

    with pytest.raises(LevelUnknown, match="“own” is none of view, operate"):
        grant_access(actor=admin, user=admin.user, kind="site", container_id=site.pk, level="own")


def test_taking_back_what_was_never_given_is_an_error() -> None:
    company = make_organization()
    site = make_site(company)
    admin = make_actor(Role.ADMIN, organization=company)

    with pytest.raises(NotGranted):
        revoke_access(actor=admin, user=admin.user, kind="site", container_id=site.pk)
