"""Which organizations and containers an actor reaches, and what its roles allow."""

import pytest

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.grantable import GRANTABLE
from energyopti.accounts.models import Membership, Organization, Site
from energyopti.accounts.roles import Role
from energyopti.foundation.registry import MissingEntry
from tests.factories.accounts import make_actor, make_organization, make_site, make_user

pytestmark = pytest.mark.django_db


def test_member_sees_own_organization_and_no_other() -> None:
    own, foreign = make_organization(), make_organization()

    actor = make_actor(Role.TRADER, organization=own)

    assert actor.organization_ids == {own.pk}
    assert foreign.pk not in actor.organization_ids


@pytest.mark.parametrize(
    ("role", "sees_customers"),
    [
        (Role.TRADER, False),
        (Role.PARTNER, False),
        (Role.RISK_OFFICER, True),
        (Role.SUPPORT_AGENT, True),
        (Role.ADMIN, True),
    ],
)
def test_customers_are_seen_by_the_roles_that_serve_them(role: Role, sees_customers: bool) -> None:
    own = make_organization()
    customer = make_organization(parent=own)

    actor = make_actor(role, organization=own)

    assert (customer.pk in actor.organization_ids) is sees_customers


def test_customer_of_a_customer_is_not_ours() -> None:
    own = make_organization()
    customer = make_organization(parent=own)
    second_step = make_organization(parent=customer)

    actor = make_actor(Role.SUPPORT_AGENT, organization=own)

    assert second_step.pk not in actor.organization_ids


def test_customer_does_not_see_its_operator() -> None:
    operator = make_organization()
    customer = make_organization(parent=operator)

    actor = make_actor(Role.ADMIN, organization=customer)

    assert actor.organization_ids == {customer.pk}


def test_closed_organization_is_gone_for_its_members() -> None:
    own = make_organization()
    user = make_user(Role.TRADER, organization=own)
    Organization.objects.filter(pk=own.pk).update(is_active=False)

    assert Actor.for_user(user).organization_ids == frozenset()


def test_inactive_user_reaches_nothing() -> None:
    own = make_organization()
    user = make_user(Role.ADMIN, organization=own)
    user.is_active = False

    actor = Actor.for_user(user)

    assert actor.organization_ids == frozenset()
    assert not actor.may("accounts.view_organization")


def test_system_reaches_every_organization() -> None:
    first, second = make_organization(), make_organization()

    actor = Actor.system("beat")

    assert {first.pk, second.pk} <= actor.organization_ids
    assert actor.is_system
    assert actor.may("accounts.manage_organization")


def test_require_names_the_permission_that_is_missing() -> None:
    actor = make_actor(Role.TRADER, organization=make_organization())

    with pytest.raises(PermissionMissing, match=r"accounts\.manage_organization"):
        actor.require("accounts.manage_organization")


def test_sites_are_open_to_members_only() -> None:
    own, foreign = make_organization(), make_organization()
    own_site, foreign_site = make_site(own), make_site(foreign)

    actor = make_actor(Role.DEVICE_OPERATOR, organization=own)

    assert actor.container_ids("site") == {own_site.pk}
    assert foreign_site.pk not in actor.container_ids("site", "operate")


def test_owned_query_starts_from_the_actors_organizations() -> None:
    own, foreign = make_organization(), make_organization()
    make_site(own, "Ours")
    make_site(foreign, "Theirs")

    actor = make_actor(Role.TRADER, organization=own)

    assert [site.name for site in Site.objects.visible_to(actor)] == ["Ours"]


def test_containers_are_looked_up_once_per_actor(django_assert_num_queries) -> None:
    own = make_organization()
    make_site(own)
    actor = make_actor(Role.TRADER, organization=own)
    actor.container_ids("site")
    _ = actor.organization_ids

    with django_assert_num_queries(0):
        actor.container_ids("site")
        _ = actor.organization_ids


def test_unknown_kind_and_level_are_errors_not_empty_answers() -> None:
    actor = make_actor(Role.TRADER, organization=make_organization())

    with pytest.raises(MissingEntry, match="no “teapot”"):
        actor.container_ids("teapot")
    with pytest.raises(KeyError):
        actor.container_ids("site", "brew")


def test_membership_in_two_organizations_reaches_both() -> None:
    first, second = make_organization(), make_organization()
    user = make_user(Role.TRADER, organization=first)
    Membership.objects.create(user=user, organization=second)

    assert Actor.for_user(user).organization_ids == {first.pk, second.pk}


def test_every_kind_names_its_view_level_first() -> None:
    for kind, grantable in GRANTABLE.items():
        assert next(iter(grantable.levels)) == "view", kind
