"""Signing in under attack (rows 11 and 15): guessing, enumeration, redirects, second factors."""

import re
import time

import pytest
from allauth.core.internal import ratelimit  # noqa: F401  loads what the settings below govern
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.usersessions.models import UserSession
from django.core import mail
from django.core.cache import cache
from django.test import Client, TestCase, override_settings

from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from energyopti.settings.identity import ACCOUNT_RATE_LIMITS
from tests.factories.accounts import PASSWORD, make_organization, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def empty_cache():
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def limits(settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = ACCOUNT_RATE_LIMITS


@pytest.fixture
def user():
    return make_user(Role.TRADER, organization=make_organization())


def sign_in(browser: Client, email: str, password: str = PASSWORD, **extra):
    return browser.post("/accounts/login/", {"login": email, "password": password}, **extra)


def is_signed_in(browser: Client) -> bool:
    return browser.get("/settings/profile/").status_code == 200


def without_tokens(page: bytes) -> str:
    text = re.sub(r'csrfmiddlewaretoken" value="[^"]+"', "", page.decode())
    text = re.sub(r'"X-CSRFToken": "[^"]+"', "", text)
    return re.sub(r"[\w.-]+@[\w.-]+", "ADDRESS", text)


def test_password_signs_in_and_the_event_says_how(user) -> None:
    browser = Client()

    assert sign_in(browser, user.email.upper()).headers["Location"] == "/"

    assert is_signed_in(browser)
    event = Event.objects.get(type="user.signed_in")
    assert event.actor_id == f"user:{user.pk}"


def test_nobody_signs_up_by_themselves() -> None:
    browser = Client()
    form = {"email": "new@energy.example", "password1": PASSWORD, "password2": PASSWORD}

    browser.post("/accounts/signup/", form)
    browser.post("/accounts/signup/passkey/", {"email": "new@energy.example"})
    browser.post(
        "/_allauth/browser/v1/auth/signup",
        {"email": "new@energy.example", "password": PASSWORD},
        content_type="application/json",
    )

    from energyopti.accounts.models import User

    assert not User.objects.filter(email="new@energy.example").exists()
    assert not is_signed_in(browser)


def test_unknown_address_and_wrong_password_look_alike(user) -> None:
    wrong = sign_in(Client(), user.email, "not the password")
    unknown = sign_in(Client(), "nobody@energy.example", "not the password")

    assert wrong.status_code == unknown.status_code
    assert without_tokens(wrong.content) == without_tokens(unknown.content)


def test_reset_answers_alike_and_mails_only_who_is_here(user) -> None:
    known = Client().post("/accounts/password/reset/", {"email": user.email})
    unknown = Client().post("/accounts/password/reset/", {"email": "nobody@energy.example"})

    assert (known.status_code, known.headers["Location"]) == (
        unknown.status_code,
        unknown.headers["Location"],
    )
    assert [letter.to for letter in mail.outbox] == [[user.email]]


def test_failed_sign_ins_are_in_the_event_log_without_the_password(user) -> None:
    sign_in(Client(), user.email, "guess-number-one")

    event = Event.objects.get(type="user.sign_in_failed")
    assert event.payload == {"email": user.email}
    assert event.actor_id == "stranger"
    assert "guess" not in str(event.payload) + str(event.changes)


def test_guessing_is_stopped_and_the_right_password_does_not_help(user, limits) -> None:
    for _ in range(5):
        sign_in(Client(), user.email, "wrong")

    browser = Client()
    answer = sign_in(browser, user.email)

    assert answer.status_code in {200, 429}
    assert not is_signed_in(browser)


def test_forwarded_addresses_do_not_dodge_the_limit(limits) -> None:
    answers = [
        sign_in(
            Client(),
            f"guess{n}@energy.example",
            "wrong",
            headers={"x-forwarded-for": f"198.51.100.{n}", "x-real-ip": f"198.51.100.{n}"},
            REMOTE_ADDR="203.0.113.9",
        )
        for n in range(25)
    ]

    assert 429 in {answer.status_code for answer in answers}


def test_limit_of_an_ipv6_house_is_one_limit(limits) -> None:
    answers = [
        sign_in(Client(), f"g{n}@energy.example", "wrong", REMOTE_ADDR=f"2001:db8:1:2::{n:x}")
        for n in range(1, 26)
    ]

    assert 429 in {answer.status_code for answer in answers}


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https:evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "///evil.example",
        "http:///evil.example",
        "javascript:alert(1)",
        "/%0d%0aSet-Cookie:x=1",
        "/\r\nLocation: https://evil.example",
        "https://testserver.evil.example/",
        "https://testserver@evil.example/",
        "//localhost",
        " //evil.example",
        "\t//evil.example",
    ],
)
def test_redirect_after_sign_in_stays_here(user, target) -> None:
    browser = Client()

    answer = browser.post(
        "/accounts/login/", {"login": user.email, "password": PASSWORD, "next": target}
    )

    location = answer.headers["Location"]
    assert answer.status_code == 302
    assert re.match(r"/(?![/\\])", location), location
    assert "\r" not in location and "\n" not in location


def test_redirect_to_a_page_of_ours_is_followed(user) -> None:
    browser = Client()
    form = {"login": user.email, "password": PASSWORD, "next": "/settings/profile/"}

    assert browser.post("/accounts/login/", form).headers["Location"] == "/settings/profile/"


def test_sign_out_needs_a_post(user) -> None:
    browser = Client()
    sign_in(browser, user.email)

    browser.get("/accounts/logout/")
    assert is_signed_in(browser)
    browser.post("/accounts/logout/")
    assert not is_signed_in(browser)


def test_session_key_changes_at_sign_in(user) -> None:
    browser = Client()
    browser.get("/accounts/login/")
    session = browser.session
    session["planted"] = True
    session.save()
    planted = session.session_key

    sign_in(browser, user.email)

    assert browser.session.session_key != planted


# --- second factors


def code_of(secret: str) -> str:
    counter = int(time.time()) // 30
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


@pytest.fixture
def frozen_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold the TOTP clock, so that no test runs over the edge of a half minute."""
    instant = time.time()
    monkeypatch.setattr(totp.time, "time", lambda: instant)


def enroll(browser: Client) -> tuple[str, str]:
    """Set up an authenticator app; return its secret and the code that was typed."""
    # Whoever finds an open session must not be able to add a factor: the password is asked again.
    assert browser.get("/accounts/2fa/totp/activate/").status_code == 302
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = browser.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    code = code_of(secret)
    with TestCase.captureOnCommitCallbacks(execute=True):
        answer = browser.post("/accounts/2fa/totp/activate/", {"code": code})
    assert answer.status_code == 302, answer.content
    return secret, code


def test_code_that_enrolled_does_not_sign_in(user, frozen_window) -> None:
    browser = Client()
    sign_in(browser, user.email)
    _, code = enroll(browser)

    thief = Client()
    answer = sign_in(thief, user.email)
    assert answer.headers["Location"].startswith("/accounts/2fa/authenticate/")
    thief.post("/accounts/2fa/authenticate/", {"code": code})

    assert not is_signed_in(thief)


def test_code_signs_in_once(user, frozen_window) -> None:
    browser = Client()
    sign_in(browser, user.email)
    secret, _code = enroll(browser)
    cache.clear()  # as if the half minute of the enrollment were over

    first, second = Client(), Client()
    for client in (first, second):
        sign_in(client, user.email)
        client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})

    assert is_signed_in(first)
    assert not is_signed_in(second)


def test_password_alone_is_not_enough_with_a_second_factor(user, frozen_window) -> None:
    browser = Client()
    sign_in(browser, user.email)
    enroll(browser)

    half_way = Client()
    sign_in(half_way, user.email)

    assert not is_signed_in(half_way)


def test_recovery_code_signs_in_once(user, frozen_window) -> None:
    browser = Client()
    sign_in(browser, user.email)
    enroll(browser)
    codes = Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()

    first, second = Client(), Client()
    for client in (first, second):
        sign_in(client, user.email)
        client.post("/accounts/2fa/authenticate/", {"code": codes[0]})

    assert is_signed_in(first)
    assert not is_signed_in(second)


def test_secret_is_encrypted_in_the_table(user, frozen_window) -> None:
    browser = Client()
    sign_in(browser, user.email)
    secret, _ = enroll(browser)

    stored = Authenticator.objects.get(user=user, type="totp")

    assert secret not in str(stored.data)
    assert totp.decrypt(stored.data["secret"]) == secret


def test_secret_survives_a_change_of_the_secret_key(user, frozen_window, settings) -> None:
    browser = Client()
    sign_in(browser, user.email)
    secret, _ = enroll(browser)
    former = settings.SECRET_KEY

    settings.SECRET_KEY_FALLBACKS = [former]
    settings.SECRET_KEY = "n" * 60

    stored = Authenticator.objects.get(user=user, type="totp")
    assert totp.decrypt(stored.data["secret"]) == secret


@override_settings(MFA_REQUIRED_ROLES=["Admin", "Risk Officer"])
def test_role_that_needs_a_second_factor_is_kept_at_its_door(frozen_window) -> None:
    officer = make_user(Role.RISK_OFFICER, organization=make_organization())
    browser = Client()
    sign_in(browser, officer.email)

    assert browser.get("/settings/profile/").headers["Location"] == "/accounts/2fa/"
    assert browser.get("/api/v1/anything/").status_code == 403
    enroll(browser)

    assert is_signed_in(browser)


@override_settings(MFA_REQUIRED_ROLES=["Admin", "Risk Officer"])
def test_last_factor_of_such_a_role_stays(frozen_window) -> None:
    officer = make_user(Role.RISK_OFFICER, organization=make_organization())
    browser = Client()
    sign_in(browser, officer.email)
    enroll(browser)

    browser.post("/accounts/2fa/totp/deactivate/")

    assert Authenticator.objects.filter(user=officer, type="totp").exists()


@override_settings(MFA_REQUIRED_ROLES=["Admin", "Risk Officer"])
def test_other_roles_work_without(user) -> None:
    browser = Client()
    sign_in(browser, user.email)

    assert is_signed_in(browser)


def test_a_page_notes_a_session_once_a_minute_and_the_api_never():
    user = make_user(Role.TRADER, organization=make_organization())
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    client.get("/api/v1/me/complete-view")
    assert not UserSession.objects.filter(user=user).exists()

    client.get("/settings/profile/", HTTP_USER_AGENT="one")
    noted = UserSession.objects.get(user=user)
    client.get("/settings/profile/", HTTP_USER_AGENT="one")
    again = UserSession.objects.get(user=user)
    client.get("/settings/profile/", HTTP_USER_AGENT="two")
    moved = UserSession.objects.get(user=user)

    assert again.last_seen_at == noted.last_seen_at
    assert (moved.user_agent, moved.pk) == ("two", noted.pk)
    assert moved.last_seen_at > noted.last_seen_at
