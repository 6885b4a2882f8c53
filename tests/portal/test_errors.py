"""Error pages: what happened, what is safe, the request id, and the permission that lacks."""

import pytest
from django.test import Client, RequestFactory

from energyopti.accounts.actors import PermissionMissing
from energyopti.portal.web import errors


def test_unknown_page_is_404_in_the_frame(client: Client) -> None:
    response = client.get("/no/such/page/")

    page = response.content.decode()
    assert response.status_code == 404
    assert "There is nothing here" in page
    assert "Request id <code>" in page
    assert 'id="navigation"' in page


def test_stranger_sees_the_bare_error_page(db) -> None:
    response = Client().get("/no/such/page/")

    assert response.status_code == 404
    assert 'id="navigation"' not in response.content.decode()


def test_403_names_the_missing_permission(client: Client, rf: RequestFactory, trader) -> None:
    request = rf.get("/trades/")
    request.user = trader
    request.session = client.session

    response = errors.permission_denied(request, PermissionMissing("trading.capture_trade"))

    assert response.status_code == 403
    assert "<code>trading.capture_trade</code>" in response.content.decode()


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (lambda request: errors.bad_request(request), 400, "bad_request"),
        (
            lambda request: errors.permission_denied(request, PermissionMissing("a.b")),
            403,
            "permission_missing",
        ),
        (lambda request: errors.page_not_found(request), 404, "not_found"),
        (lambda request: errors.server_error(request), 500, "internal_error"),
    ],
)
def test_api_gets_problem_json(rf: RequestFactory, answer, status: int, code: str) -> None:
    import json

    response = answer(rf.get("/api/v1/nothing/"))

    problem = json.loads(response.content)
    assert response["Content-Type"] == "application/problem+json"
    assert (response.status_code, problem["status"], problem["code"]) == (status, status, code)
    assert problem["type"] == f"urn:energyopti:problem:{code}"
    assert problem.get("permission", "") == ("a.b" if status == 403 else "")


def test_500_needs_neither_user_nor_database(rf: RequestFactory) -> None:
    response = errors.server_error(rf.get("/"))  # no user, no session, no database in this test

    page = response.content.decode()
    assert response.status_code == 500
    assert "nothing is half-written" in page
    assert 'href="/">Try again' in page


def test_stale_form_is_explained(trader) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(trader, backend="django.contrib.auth.backends.ModelBackend")

    response = strict.post("/settings/theme/", {"theme": "dark"})

    assert response.status_code == 403
    assert "This form is too old to be sent" in response.content.decode()


def test_unknown_scope_is_404_with_a_frame(client: Client) -> None:
    response = client.get("/positions/?book=nobody")

    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_gallery_shows_each_error_page(client: Client, status: int) -> None:
    response = client.get(f"/gallery/errors/{status}/")

    assert response.status_code == 200
    assert f"Error {status}" in response.content.decode()
    assert client.get("/gallery/errors/418/").status_code == 404
