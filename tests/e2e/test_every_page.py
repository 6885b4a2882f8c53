"""Every page of the product, found by routes and links, meets the bars of accessibility."""

import pytest
from django.conf import settings
from django.test import Client

from energyopti.accounts.roles import Role
from tests.e2e.axe import look_at
from tests.e2e.crawl import page_paths

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]

# Django's own pages are theirs; we hold the index and the look of what we override.
STRANGERS = ["/accounts/login/", "/accounts/password/reset/", "/offline/", "/accounts/signup/"]


def test_every_page_is_accessible(page_as, base_url: str) -> None:
    page = page_as(Role.ADMIN)
    client = Client()
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    client.cookies.load({settings.SESSION_COOKIE_NAME: cookies[settings.SESSION_COOKIE_NAME]})

    def fetch(path: str) -> tuple[int, str, str]:
        response = client.get(path)
        media_type = response.get("Content-Type", "")
        if response.streaming or not media_type.startswith("text/"):
            return response.status_code, media_type, ""
        return response.status_code, media_type, response.text

    paths = page_paths(fetch)
    problems = {path: look_at(page, base_url + path) for path in paths}

    assert {"/", "/gallery/", "/gallery/table/", "/settings/page/"} <= set(paths)
    assert {path: found for path, found in problems.items() if found} == {}


def test_pages_before_signing_in_are_accessible(page, base_url: str) -> None:
    problems = {path: look_at(page, base_url + path) for path in STRANGERS}

    assert {path: found for path, found in problems.items() if found} == {}
