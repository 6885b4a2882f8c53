"""After a test that commits the database is as the migrations left it."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.test import TransactionTestCase

from energyopti.accounts.models import Organization, User
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from tests.emptying import Emptying
from tests.factories.trades import make_desk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def emptying() -> Emptying:
    return Emptying()


def rows() -> list[int]:
    return [kind.objects.count() for kind in (User, Organization, Event)]


def test_what_was_committed_is_gone_facts_too_and_the_roles_stay(emptying):
    types, permissions = ContentType.objects.count(), Permission.objects.count()
    make_desk().deal()
    assert all(rows())

    emptying.empty(TransactionTestCase())

    assert rows() == [0, 0, 0]
    assert (ContentType.objects.count(), Permission.objects.count()) == (types, permissions)
    assert Group.objects.get(name=Role.TRADER.value).permissions.exists()


def test_a_role_that_a_test_changed_is_put_right(emptying):
    trader = Group.objects.get(name=Role.TRADER.value)
    granted = set(trader.permissions.values_list("codename", flat=True))
    trader.permissions.clear()

    emptying.empty(TransactionTestCase())

    again = Group.objects.get(name=Role.TRADER.value).permissions
    assert granted and set(again.values_list("codename", flat=True)) == granted
