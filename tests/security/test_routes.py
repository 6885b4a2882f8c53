"""
Every route of the project, asked by a stranger, by somebody without a role, and by a foreigner.

What a route needs to be let off is written in `samples.py`, with its reason; a new route without
a guard fails here.
"""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from energyopti.accounts.models import User
from energyopti.accounts.roles import Role
from tests.factories.accounts import make_organization, make_user
from tests.security.routes import Route, all_routes
from tests.security.samples import COMMON, ELSEWHERE, FOREIGN, PUBLIC, SIGNED_IN

pytestmark = pytest.mark.django_db
ROUTES = all_routes()
NAMES = {route.name for route in ROUTES}


def is_listed(route: Route, listed: dict[str, str]) -> bool:
    return route.name in listed or any(
        route.name.startswith(entry) for entry in listed if entry.endswith((":", "_"))
    )


GUARDED = [route for route in ROUTES if not is_listed(route, PUBLIC)]
FOR_ROLES = [route for route in GUARDED if not is_listed(route, SIGNED_IN)]
OWNED = [route for route in FOR_ROLES if route.arguments and route.name not in COMMON]


def named(routes: list[Route]) -> Any:
    return pytest.mark.parametrize("route", routes, ids=[route.name for route in routes])


def ask(browser: Client, url: str) -> list[Any]:
    """Return the answers to reading and to writing, without those that are 405."""
    answers = [browser.get(url), browser.post(url, data={}, content_type="application/json")]
    allowed = [answer for answer in answers if answer.status_code != 405]
    assert allowed, f"{url} answers neither GET nor POST"
    return allowed


def as_everyman(*, superuser: bool = False) -> Client:
    """Somebody with every role, in an organization that owns nothing of the samples."""
    user = make_user(*Role, organization=make_organization(), is_staff=True)
    user.groups.set(Group.objects.all())
    User.objects.filter(pk=user.pk).update(is_superuser=superuser)
    browser = Client(raise_request_exception=False)
    browser.force_login(user)
    return browser


@named(GUARDED)
def test_stranger_is_sent_to_sign_in_or_challenged(route: Route) -> None:
    browser = Client(raise_request_exception=False)

    for answer in ask(browser, route.url(**route.unknown_arguments())):
        if route.is_api:
            assert answer.status_code == 401
            assert "WWW-Authenticate" in answer.headers
        else:
            assert answer.status_code == 302
            assert answer.headers["Location"].startswith("/accounts/login/")


@named(FOR_ROLES)
def test_person_without_a_role_is_refused(route: Route) -> None:
    browser = Client(raise_request_exception=False)
    browser.force_login(make_user(organization=make_organization()))

    for answer in ask(browser, route.url(**route.unknown_arguments())):
        assert answer.status_code in {403, 404}, answer.status_code


@named([route for route in OWNED if route.name in FOREIGN])
def test_foreign_object_is_not_found_and_looks_like_an_unknown_one(route: Route) -> None:
    arguments = FOREIGN[route.name]()
    browser = as_everyman()

    foreign = ask(browser, route.url(**arguments))
    unknown_arguments = {
        name: value if name == "format_name" else route.unknown_arguments()[name]
        for name, value in arguments.items()
    }
    unknown = ask(browser, route.url(**unknown_arguments))

    for answer, other in zip(foreign, unknown, strict=True):
        assert answer.status_code == 404
        assert other.status_code == 404
        assert _bare(answer, arguments) == _bare(other, unknown_arguments)


def test_every_route_with_arguments_has_a_foreign_sample_or_a_reason() -> None:
    missing = [route.name for route in OWNED if route.name not in FOREIGN]

    assert missing == [], "add a factory to FOREIGN, or a reason to COMMON, in samples.py"


def test_lists_name_only_routes_that_exist() -> None:
    exact = {name for name in (*PUBLIC, *SIGNED_IN, *COMMON, *FOREIGN) if name[-1] not in ":_"}

    assert exact - NAMES == set()
    assert all(
        reason for listed in (PUBLIC, SIGNED_IN, COMMON, ELSEWHERE) for reason in listed.values()
    )


def _bare(answer: Any, arguments: dict[str, Any]) -> str:
    """Return the body without what differs in each answer: ids, tokens, the address asked for."""
    text = answer.content.decode()
    text = re.sub(r"csrfmiddlewaretoken\W+value=\W[^\"']+", "", text)
    text = re.sub(r"<time\b.*?</time>", "", text, flags=re.DOTALL)  # the clock of the frame
    text = re.sub(r"X-CSRFToken\W+\w+", "", text)
    text = text.replace(answer.headers.get("X-Request-ID") or "no id", "REQUEST")
    text = text.replace(answer.request["PATH_INFO"], "PATH")
    for value in arguments.values():
        if len(str(value)) > 5:
            text = text.replace(str(value), "ID")
    return text
