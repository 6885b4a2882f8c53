"""The settings pages: keys, members and profile under mass assignment and foreign ids (row 3)."""

import re

import pytest
from django.test import Client

from energyopti.accounts.models import ApiClient, User
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_organization, make_user

pytestmark = pytest.mark.django_db


def signed_in(*roles: Role, organization=None) -> tuple[Client, User]:
    user = make_user(*roles, organization=organization or make_organization())
    browser = Client()
    browser.force_login(user)
    return browser, user


def test_profile_changes_only_what_is_on_the_form() -> None:
    browser, user = signed_in(Role.TRADER)

    browser.post(
        "/settings/profile/",
        {
            "name": "Kim",
            "time_zone": "Europe/Oslo",
            "is_superuser": "1",
            "is_staff": "1",
            "email": "admin@energy.example",
            "groups": "1",
            "is_active": "0",
            "is_service": "1",
        },
    )

    stored = User.objects.get(pk=user.pk)
    assert (stored.name, stored.time_zone) == ("Kim", "Europe/Oslo")
    assert (stored.is_superuser, stored.is_staff, stored.is_service) == (False, False, False)
    assert (stored.is_active, stored.email) == (True, user.email)
    assert Event.objects.get(type="user.profile_changed").changes["name"]["after"] == "Kim"


def test_bad_profile_is_refused_naming_the_field() -> None:
    browser, _ = signed_in(Role.TRADER)

    answer = browser.post("/settings/profile/", {"name": "Kim", "time_zone": "Mars/Olympus"})

    assert answer.status_code == 422
    assert b"Mars/Olympus" in answer.content


def test_key_is_made_shown_once_rotated_and_revoked_on_the_page() -> None:
    browser, user = signed_in(Role.PARTNER)
    organization = user.memberships.get().organization

    made = browser.post(
        "/settings/keys/",
        {"name": "Robot", "organization": str(organization.pk), "scopes": ["organizations:read"]},
    )
    client = ApiClient.objects.get()
    secret = secret_on(made)
    assert "no-store" in made.headers["Cache-Control"]
    assert secret not in browser.get("/settings/keys/").content.decode()

    rotated = browser.post(f"/settings/keys/{client.client_id}/rotate/")
    assert secret_on(rotated) not in {"", secret}

    browser.post(f"/settings/keys/{client.client_id}/revoke/")
    client.refresh_from_db()
    assert client.revoked_at is not None
    assert b"revoked" in browser.get("/settings/keys/").content
    again = browser.post(f"/settings/keys/{client.client_id}/rotate/", follow=True)
    assert again.status_code == 200
    assert secret_on(again) == ""


@pytest.mark.parametrize(
    "change",
    [{"scopes": ["everything:write"]}, {"scopes": []}, {"name": ""}, {"organization": "nonsense"}],
    ids=["unknown scope", "no scope", "no name", "no organization"],
)
def test_bad_key_is_refused_and_nothing_is_made(change) -> None:
    browser, user = signed_in(Role.PARTNER)
    form = {
        "name": "Robot",
        "organization": str(user.memberships.get().organization_id),
        "scopes": ["organizations:read"],
        **change,
    }

    assert browser.post("/settings/keys/", form).status_code == 422
    assert not ApiClient.objects.exists()


def test_key_for_a_foreign_organization_is_not_on_the_menu() -> None:
    browser, _ = signed_in(Role.PARTNER)
    foreign = make_organization()

    answer = browser.post(
        "/settings/keys/",
        {"name": "X", "organization": str(foreign.pk), "scopes": ["organizations:read"]},
    )

    assert answer.status_code == 422
    assert not ApiClient.objects.exists()


def test_trader_has_no_key_page() -> None:
    browser, _ = signed_in(Role.TRADER)

    assert browser.get("/settings/keys/").status_code == 403
    assert browser.post("/settings/keys/", {"name": "X"}).status_code == 403


def test_admin_invites_promotes_and_closes_on_the_pages() -> None:
    browser, admin = signed_in(Role.ADMIN)
    organization = admin.memberships.get().organization

    browser.post(
        "/settings/members/",
        {
            "email": "kim@energy.example",
            "name": "Kim",
            "organization": str(organization.pk),
            "roles": ["Trader"],
            "is_superuser": "1",
        },
    )
    kim = User.objects.get(email="kim@energy.example")
    assert not kim.is_superuser
    assert b"kim@energy.example" in browser.get("/settings/members/").content

    browser.post(f"/settings/members/{kim.pk}/", {"roles": ["Risk Officer"]})
    assert [group.name for group in kim.groups.all()] == ["Risk Officer"]
    browser.post(f"/settings/members/{kim.pk}/close/")
    assert not User.objects.get(pk=kim.pk).is_active
    browser.post(f"/settings/members/{kim.pk}/reopen/")
    assert User.objects.get(pk=kim.pk).is_active


def test_own_account_is_refused_in_words() -> None:
    browser, admin = signed_in(Role.ADMIN)

    answer = browser.post(f"/settings/members/{admin.pk}/", {"roles": ["Trader"]})

    assert answer.status_code == 422
    assert b"another administrator" in answer.content
    browser.post(f"/settings/members/{admin.pk}/close/")
    assert User.objects.get(pk=admin.pk).is_active


def test_names_are_text_not_markup() -> None:
    browser, admin = signed_in(Role.ADMIN)
    User.objects.filter(pk=admin.pk).update(name="<script>alert(1)</script>")

    page = browser.get("/settings/members/").content

    assert b"<script>alert(1)" not in page
    assert b"&lt;script&gt;alert(1)" in page


def test_list_of_members_costs_the_same_for_many(django_assert_max_num_queries) -> None:
    browser, admin = signed_in(Role.ADMIN)
    organization = admin.memberships.get().organization
    for _ in range(12):
        make_user(Role.TRADER, organization=organization)

    with django_assert_max_num_queries(30):
        assert browser.get("/settings/members/").status_code == 200


def secret_on(answer) -> str:
    found = re.search(r"data-client-secret>([^<]+)<", answer.content.decode())
    return found[1] if found else ""
