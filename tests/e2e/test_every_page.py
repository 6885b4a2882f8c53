"""Every page of the product, found by routes and links, meets the bars of accessibility."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import resolve

from energyopti.accounts.roles import Role
from energyopti.foundation.validation.models import ValidationRun
from tests.e2e.axe import look_at
from tests.e2e.crawl import page_paths
from tests.e2e.desk_at_work import desk_at_work

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

# Django's own pages are theirs; we hold the index and the look of what we override.
STRANGERS = ["/accounts/login/", "/accounts/password/reset/", "/offline/", "/accounts/signup/"]


def test_every_page_is_accessible(page_as, base_url: str) -> None:
    desk, refs = desk_at_work()
    page = page_as(Role.ADMIN, organization=desk.organization)
    client = Client()
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    client.cookies.load({settings.SESSION_COOKIE_NAME: cookies[settings.SESSION_COOKIE_NAME]})

    def fetch(path: str) -> tuple[int, str, str]:
        response = client.get(path)
        media_type = response.get("Content-Type", "")
        if response.streaming or not media_type.startswith("text/"):
            return response.status_code, media_type, ""
        return response.status_code, media_type, response.text

    reached = page_paths(fetch)
    run = ValidationRun.objects.get()
    # One address of a route is looked at; these show what the first one of theirs does not have.
    more = [
        *(f"/trades/{refs[what]}/" for what in ("call", "cap", "storage")),
        f"/trades/{refs['american']}/exercise/",
        "/pnl/?date=2026-11-20&step=VOL&name=",
    ]
    paths = [*reached, *(path for path in more if path not in reached)]
    problems = {path: look_at(page, base_url + path) for path in paths}

    assert {"/", "/gallery/", "/gallery/table/", "/settings/page/"} <= set(reached)
    assert {
        "/pricing-models/", "/pricing-models/propose/", "/price-processes/",
        "/price-processes/calibrate/", "/price-processes/propose/", "/positions/heat/", "/pnl/",
        "/model-validation/", f"/model-validation/{run.pk}/", f"/model-validation/{run.pk}/cases/",
    } <= set(reached)  # fmt: skip
    routes = {resolve(path).view_name for path in reached}
    assert {"trading:trade", "trading:position_cell", "trading:end_of_day", "trading:trade_verb",
            "validation:case"} <= routes  # fmt: skip
    assert {path: found for path, found in problems.items() if found} == {}


def test_pages_before_signing_in_are_accessible(page, base_url: str) -> None:
    problems = {path: look_at(page, base_url + path) for path in STRANGERS}

    assert {path: found for path, found in problems.items() if found} == {}
