"""Roles as groups: what the apps granted, no more and no less, after every migrate."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import ImproperlyConfigured

from energyopti.accounts import roles
from energyopti.accounts.roles import Role, grant_to_roles, permissions_of
from energyopti.accounts.services.roles import synchronize_roles

pytestmark = pytest.mark.django_db


def held_by(role: Role) -> set[str]:
    group = Group.objects.get(name=role.value)
    return {
        f"{permission.content_type.app_label}.{permission.codename}"
        for permission in group.permissions.select_related("content_type")
    }


@pytest.mark.parametrize("role", list(Role))
def test_group_holds_exactly_what_was_granted(role: Role) -> None:
    assert held_by(role) == set(permissions_of(role))


def test_admin_holds_what_any_role_holds() -> None:
    everything = set().union(*(permissions_of(role) for role in Role))

    assert permissions_of(Role.ADMIN) == everything


def test_what_was_changed_by_hand_is_put_right() -> None:
    trader = Group.objects.get(name=Role.TRADER.value)
    trader.permissions.set(Permission.objects.filter(codename="manage_organization"))
    Group.objects.filter(name=Role.PARTNER.value).delete()

    synchronize_roles()

    assert held_by(Role.TRADER) == set(permissions_of(Role.TRADER))
    assert held_by(Role.PARTNER) == set(permissions_of(Role.PARTNER))


def test_missing_permission_is_named_and_nothing_is_half_written(monkeypatch) -> None:
    broken = {role: set(granted) for role, granted in roles._granted.items()}
    monkeypatch.setattr(roles, "_granted", broken)
    grant_to_roles("accounts.fly_kites", Role.TRADER)

    with pytest.raises(ImproperlyConfigured, match=r"accounts\.fly_kites"):
        synchronize_roles()


def test_permission_that_was_not_yet_created_is_created_first() -> None:
    Permission.objects.filter(codename="operate_site").delete()

    synchronize_roles()

    assert "accounts.operate_site" in held_by(Role.DEVICE_OPERATOR)
