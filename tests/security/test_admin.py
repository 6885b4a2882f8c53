"""The Django admin: for staff with the role Admin, through our sign-in, and facts stay facts."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from energyopti.accounts.admin_base import ReadOnlyAdmin
from energyopti.accounts.models import Organization, User
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_key, make_organization, make_site, make_user

pytestmark = pytest.mark.django_db
METHODS = ("get", "post", "put", "patch", "delete", "options", "head", "trace")


@pytest.fixture
def operator() -> Client:
    user = make_user(Role.ADMIN, organization=make_organization(), is_staff=True)
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    browser = Client()
    browser.force_login(user)
    return browser


def lists() -> list[str]:
    return [
        f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        for model in admin.site._registry
    ]


@pytest.mark.parametrize("name", ["admin:index", *lists()])
def test_stranger_goes_to_our_sign_in(name: str) -> None:
    answer = Client().get(reverse(name))

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(("/accounts/login/", "/admin/login/"))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("role", "is_staff"), [(Role.TRADER, False), (Role.TRADER, True), (Role.ADMIN, False)]
)
def test_neither_staff_nor_role_alone_is_enough(method: str, role: Role, is_staff: bool) -> None:
    browser = Client()
    browser.force_login(make_user(role, organization=make_organization(), is_staff=is_staff))

    answer = getattr(browser, method)(
        "/admin/", headers={"x-http-method-override": "GET"}, follow=True
    )

    assert answer.status_code in {403, 405}


def test_admin_has_no_sign_in_form_of_its_own() -> None:
    answer = Client().get("/admin/login/", {"next": "//evil.example"})

    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("name", lists())
def test_every_list_opens_for_the_operator(operator: Client, name: str) -> None:
    assert operator.get(reverse(name)).status_code == 200


def test_pages_carry_the_strict_policy_and_no_inline_code(operator: Client) -> None:
    answer = operator.get("/admin/accounts/organization/add/")

    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    body = answer.content.decode()
    assert " onclick=" not in body
    assert " style=" not in body


def test_facts_are_written_by_nobody_even_by_a_superuser(operator: Client) -> None:
    key, _ = make_key()
    for model, model_admin in admin.site._registry.items():
        if isinstance(model_admin, ReadOnlyAdmin):
            base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            assert operator.get(reverse(f"{base}_add")).status_code == 403, base
    url = reverse("admin:accounts_apiclient_change", args=[key.pk])

    assert operator.get(url).status_code == 200
    assert operator.post(url, {"name": "taken over"}).status_code == 403
    delete = reverse("admin:accounts_apiclient_delete", args=[key.pk])
    assert operator.post(delete, {"post": "yes"}).status_code == 403
    key.refresh_from_db()
    assert key.name == "Nightly job"


def test_secrets_are_on_no_page(operator: Client) -> None:
    key, secret = make_key()
    from allauth.idp.oidc.models import Client as ProviderClient

    stored = ProviderClient.objects.get(pk=key.client_id)
    page = operator.get(reverse("admin:allauth_idp_oidc_client_change", args=[stored.pk]))

    assert page.status_code == 200
    assert secret not in page.content.decode()
    assert stored.secret not in page.content.decode()


def test_what_the_admin_changes_is_an_event(operator: Client) -> None:
    organization = make_organization("Before")
    url = reverse("admin:accounts_organization_change", args=[organization.pk])
    form = {
        "name": "After",
        "slug": organization.slug,
        "lei": "",
        "reporting_currency": "EUR",
        "time_zone": "Europe/Berlin",
        "parent": "",
        "is_active": "on",
    }

    assert operator.post(url, form).status_code == 302

    event = Event.objects.get(type="admin.organization_changed")
    assert event.changes == {"name": {"before": "Before", "after": "After"}}
    assert Organization.objects.get(pk=organization.pk).name == "After"


def test_reference_data_is_not_deleted(operator: Client) -> None:
    site = make_site(make_organization())

    url = reverse("admin:accounts_site_delete", args=[site.pk])

    assert operator.post(url, {"post": "yes"}).status_code == 403
