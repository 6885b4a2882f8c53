"""
A real browser before a real server: `page_as(Role.TRADER, path="/trades/")` opens a page signed in.

Tests that use it are marked `browser` and `django_db(transaction=True)`.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import settings
from django.db import connections
from django.test import Client

from energyopti.accounts.models import User
from energyopti.accounts.roles import Role
from energyopti.accounts.services.roles import synchronize_roles
from tests.e2e.browsers import browser_page
from tests.e2e.serving import served
from tests.factories.accounts import make_organization, make_user


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let whitenoise answer in its old way under ASGI; what it leaves open see serving.py."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"))
            item.add_marker(
                pytest.mark.filterwarnings(
                    "ignore:Exception ignored in. <(_io.FileIO|function SpooledTemporaryFile)"
                )
            )


@pytest.fixture(autouse=True)
def queries_beside_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    # Playwright's synchronous API runs an event loop in this thread; Django looks for one.
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")


@pytest.fixture
def base_url(transactional_db: None) -> Iterator[str]:
    """Address of the product, with the roles written: a transaction test begins empty."""
    synchronize_roles()
    with served() as address:
        yield address


@pytest.fixture
def page() -> Iterator[Any]:
    """One page of Chromium; page errors and breaches of the CSP fail the test."""
    with browser_page() as page:
        yield page
        # Playwright's event loop gives this thread connections of its own; leave none behind.
        connections.close_all()


@pytest.fixture
def session_of() -> Callable[[User], str]:
    """Return the session cookie of somebody who has just signed in."""

    def sign_in(user: User) -> str:
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client.cookies[settings.SESSION_COOKIE_NAME].value

    return sign_in


@pytest.fixture
def page_as(page: Any, base_url: str, session_of: Callable[[User], str]) -> Callable[..., Any]:
    """Open a path as a new user of the given roles, who has a second factor; return the page."""

    def open_as(*roles: Role, path: str = "/", organization: Any = None) -> Any:
        user = make_user(
            *roles,
            organization=organization or make_organization(),
            is_staff=Role.ADMIN in roles,
        )
        TOTP.activate(user, generate_totp_secret())
        cookie = {
            "name": settings.SESSION_COOKIE_NAME,
            "value": session_of(user),
            "url": base_url,
        }
        page.context.add_cookies([cookie])
        page.goto(base_url + path)
        return page

    return open_as
