"""Adding, inviting, promoting and closing members, by those who may."""

import re

import pytest
from django.core import mail
from django.http import Http404
from django.test import Client

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.models import Membership, User
from energyopti.accounts.roles import Role
from energyopti.accounts.services.invitations import invite_member
from energyopti.accounts.services.members import (
    EmailTaken,
    NotYourself,
    add_person,
    close_account,
    reopen_account,
    set_roles,
)
from energyopti.foundation.events.models import Event
from tests.factories.accounts import PASSWORD, make_actor, make_organization, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    return make_organization()


@pytest.fixture
def admin(company):
    return make_actor(Role.ADMIN, organization=company)


def add(actor: Actor, company, email: str = "kim@energy.example", roles=(Role.TRADER,)) -> User:
    return add_person(actor=actor, email=email, name="Kim", organization=company, roles=roles)


def test_added_person_belongs_has_roles_and_a_verified_address(admin, company) -> None:
    user = add(admin, company)

    assert list(user.memberships.values_list("organization_id", flat=True)) == [company.pk]
    assert list(user.groups.values_list("name", flat=True)) == ["Trader"]
    assert user.emailaddress_set.get().verified
    assert not user.has_usable_password()
    event = Event.objects.get(type="member.added")
    assert event.payload == {"email": "kim@energy.example", "roles": ["Trader"]}


def test_address_is_unique_whatever_its_case(admin, company) -> None:
    add(admin, company)

    with pytest.raises(EmailTaken, match="email:"):
        add(admin, company, email="KIM@Energy.Example")


def test_weak_password_is_refused_and_nothing_is_written(admin, company) -> None:
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError):
        add_person(
            actor=admin,
            email="kim@energy.example",
            name="Kim",
            organization=company,
            roles=[],
            password="short",
        )

    assert not User.objects.filter(email="kim@energy.example").exists()


def test_foreign_organization_is_not_found(admin) -> None:
    with pytest.raises(Http404):
        add(admin, make_organization())


def test_who_may_not_manage_adds_nobody(company) -> None:
    with pytest.raises(PermissionMissing):
        add(make_actor(Role.TRADER, organization=company), company)


def test_nobody_gives_more_than_they_hold(company) -> None:
    from django.contrib.auth.models import Permission

    manager = make_user(Role.SUPPORT_AGENT, organization=company)
    manager.user_permissions.add(Permission.objects.get(codename="manage_organization"))
    actor = Actor.for_user(User.objects.get(pk=manager.pk))

    with pytest.raises(PermissionMissing):
        add(actor, company, roles=[Role.ADMIN])
    assert add(actor, company, roles=[Role.SUPPORT_AGENT]).groups.get().name == "Support Agent"


def test_admin_role_opens_the_django_admin_and_losing_it_closes_it(admin, company) -> None:
    user = add(admin, company, roles=[Role.ADMIN])
    assert user.is_staff

    user = set_roles(actor=admin, user_id=user.pk, roles=[Role.TRADER])

    assert not user.is_staff


def test_changed_roles_end_the_sessions(admin, company) -> None:
    user = make_user(Role.TRADER, organization=company)
    browser = Client()
    sign_in(browser, user)
    assert browser.get("/settings/profile/").status_code == 200

    set_roles(actor=admin, user_id=user.pk, roles=[Role.RISK_OFFICER])

    assert browser.get("/settings/profile/").status_code == 302
    event = Event.objects.get(type="member.roles_changed")
    assert event.changes == {"roles": {"before": ["Trader"], "after": ["Risk Officer"]}}


def test_closed_account_is_out_at_once_and_cannot_come_back(admin, company) -> None:
    user = make_user(Role.TRADER, organization=company)
    browser = Client()
    sign_in(browser, user)

    close_account(actor=admin, user_id=user.pk)

    assert browser.get("/settings/profile/").status_code == 302
    answer = sign_in(Client(), user)
    assert answer.status_code == 302
    assert "inactive" in answer.headers["Location"]

    reopen_account(actor=admin, user_id=user.pk)
    assert sign_in(Client(), user).headers["Location"] == "/"


def test_one_cannot_change_or_close_oneself(admin) -> None:
    with pytest.raises(NotYourself):
        set_roles(actor=admin, user_id=admin.user.pk, roles=[])
    with pytest.raises(NotYourself):
        close_account(actor=admin, user_id=admin.user.pk)


def test_person_of_a_foreign_organization_is_not_found(admin) -> None:
    stranger = make_user(Role.TRADER, organization=make_organization())

    for verb in (close_account, reopen_account):
        with pytest.raises(Http404):
            verb(actor=admin, user_id=stranger.pk)
    with pytest.raises(Http404):
        set_roles(actor=admin, user_id=stranger.pk, roles=[])


def test_person_shared_with_a_foreign_organization_is_nobodys_to_change(admin, company) -> None:
    shared = make_user(Role.TRADER, organization=company)
    Membership.objects.create(user=shared, organization=make_organization())

    with pytest.raises(Http404):
        set_roles(actor=admin, user_id=shared.pk, roles=[Role.ADMIN])


def test_invitation_lets_the_person_choose_a_password_once(
    admin, company, django_capture_on_commit_callbacks
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        user = invite_member(
            actor=admin,
            email="kim@energy.example",
            name="Kim",
            organization=company,
            roles=[Role.TRADER],
            site_url="https://energy.example/",
        )

    [letter] = mail.outbox
    assert letter.to == ["kim@energy.example"]
    link = re.search(r"https://energy\.example(/\S+)", letter.body)
    assert link is not None
    browser = Client()
    form = browser.get(link[1], follow=True)
    answer = browser.post(form.request["PATH_INFO"], {"password1": PASSWORD, "password2": PASSWORD})
    assert answer.status_code == 302
    assert sign_in(Client(), user).headers["Location"] == "/"
    again = Client().get(link[1], follow=True)
    assert b'name="password1"' not in again.content


def test_nobody_is_invited_to_what_was_rolled_back(
    admin, company, django_capture_on_commit_callbacks
) -> None:
    add(admin, company)
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(EmailTaken):
        invite_member(
            actor=admin,
            email="kim@energy.example",
            name="Kim",
            organization=company,
            roles=[],
            site_url="https://energy.example",
        )

    assert mail.outbox == []


def sign_in(browser: Client, user: User, password: str = PASSWORD):
    return browser.post("/accounts/login/", {"login": user.email, "password": password})
