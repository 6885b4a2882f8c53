"""Signing in with a passkey, in a real browser with a virtual authenticator."""

import pytest
from allauth.mfa.models import Authenticator

from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from tests.e2e.browsers import add_passkey_device, browser_page
from tests.factories.accounts import PASSWORD, make_organization, make_user

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, serialized_rollback=False),
]


@pytest.fixture
def roles() -> None:
    """A transaction test begins with emptied tables: write the roles again."""
    from energyopti.accounts.services.roles import synchronize_roles

    synchronize_roles()


def test_person_adds_a_passkey_and_signs_in_with_it_alone(live_server, roles) -> None:
    user = make_user(Role.TRADER, organization=make_organization())
    base = live_server.url.replace("127.0.0.1", "localhost")

    with browser_page() as page:
        _, _device = add_passkey_device(page)

        page.goto(f"{base}/accounts/login/")
        page.fill("input[name=login]", user.email)
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_url(lambda url: "/accounts/login/" not in url)

        page.goto(f"{base}/accounts/2fa/webauthn/add/")
        assert "/accounts/reauthenticate/" in page.url  # an open session alone adds no factor
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        page.wait_for_url("**/accounts/2fa/webauthn/add/")
        page.fill("input[name=name]", "Laptop")
        passwordless = page.locator("input[name=passwordless]")
        if passwordless.count():
            passwordless.check()
        page.click("#mfa_webauthn_add")
        page.wait_for_url(lambda url: "/webauthn/add/" not in url)

        page.context.clear_cookies()
        page.goto(f"{base}/settings/profile/")
        assert "/accounts/login/" in page.url

        page.click("#passkey_login")
        page.wait_for_url(f"{base}/settings/profile/")

        assert user.email in page.content()

    # Looked at after the browser is gone: its event loop and Django's connection do not mix.
    assert Authenticator.objects.get(user=user, type="webauthn").wrap().is_passwordless
    signed_in = Event.objects.filter(type="user.signed_in").order_by("-id").first()
    assert signed_in is not None
    assert signed_in.actor_id == f"user:{user.pk}"
    assert "mfa" in signed_in.payload["methods"]


def test_browser_without_the_passkey_does_not_get_in(live_server, roles) -> None:
    make_user(Role.TRADER, organization=make_organization())
    base = live_server.url.replace("127.0.0.1", "localhost")

    with browser_page() as page:
        add_passkey_device(page)
        page.goto(f"{base}/accounts/login/")

        page.click("#passkey_login")
        page.wait_for_timeout(1500)

        assert "/accounts/login/" in page.url
        assert all(cookie["name"] != "sessionid" for cookie in page.context.cookies()) or (
            page.goto(f"{base}/settings/profile/").url.startswith(f"{base}/accounts/login/")
        )
