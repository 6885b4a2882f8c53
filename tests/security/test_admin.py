"""The Django admin: for staff with the role Admin, through our sign-in, and facts stay facts."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from waffle.models import Flag

from energyopti.accounts.admin_base import EopModelAdmin, ReadOnlyAdmin
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


def test_every_table_goes_through_our_base_classes(rf) -> None:
    """Or is read-only by itself, as those of foundation, which does not know the base classes."""
    request = rf.get("/admin/")
    request.user = make_user(Role.ADMIN, organization=make_organization(), is_staff=True)
    User.objects.filter(pk=request.user.pk).update(is_superuser=True)
    request.user.refresh_from_db()
    strangers = [
        table
        for table in admin.site._registry.values()
        if not isinstance(table, (EopModelAdmin, ReadOnlyAdmin))
    ]

    writable = [
        f"{table.model.__name__}: {verb}"
        for table in strangers
        for verb, is_allowed in table.get_model_perms(request).items()
        if is_allowed and verb != "view"
    ]

    assert writable == []


def test_flag_that_is_changed_leaves_an_event_with_before_and_after(operator: Client) -> None:
    flag = Flag.objects.create(name="new-blotter", everyone=False)
    member = make_user(Role.TRADER, organization=make_organization())
    url = reverse("admin:waffle_flag_change", args=[flag.pk])
    form = {"name": "new-blotter", "everyone": "true", "superusers": "on", "languages": "",
            "note": "", "users": str(member.pk)}  # fmt: skip
    for name in ("created", "modified"):
        form |= {f"{name}_0": "2026-01-05", f"{name}_1": "12:00:00"}

    answer = operator.post(url, form)

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    event = Event.objects.get(type="admin.flag_changed")
    assert event.aggregate_id == str(flag.pk)
    assert event.changes["everyone"] == {"before": "False", "after": "True"}
    assert event.changes["users"]["before"] == "[]"
    assert str(member) in event.changes["users"]["after"]
    flag.refresh_from_db()
    assert flag.everyone is True
    assert list(flag.users.all()) == [member]


def test_flag_that_is_deleted_from_the_list_leaves_an_event(operator: Client) -> None:
    flag = Flag.objects.create(name="old-blotter")

    operator.post(
        reverse("admin:waffle_flag_changelist"),
        {"action": "delete_selected", "_selected_action": [flag.pk], "post": "yes"},
    )

    assert not Flag.objects.filter(pk=flag.pk).exists()
    assert Event.objects.filter(type="admin.flag_deleted", aggregate_id=str(flag.pk)).exists()


def test_nobody_types_a_task_for_the_clock(operator: Client) -> None:
    every = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.DAYS)

    answer = operator.post(
        reverse("admin:django_celery_beat_periodictask_add"),
        {"name": "mine", "task": "trading.issue_forecasts", "interval": every.pk},
    )

    assert answer.status_code == 403
    assert not PeriodicTask.objects.filter(name="mine").exists()
