"""The edges: asynchronous servers, endless bodies, routes by registry, refusals by Django."""

import json

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from django.core.signals import request_finished
from django.http import HttpResponse
from django.test import AsyncClient, AsyncRequestFactory, RequestFactory

from energyopti.foundation.api.body_limit import BodyLimit
from energyopti.foundation.api.middleware import ApiMiddleware
from energyopti.foundation.api.routes import API_ROUTES, register_api_routes
from energyopti.foundation.registry import DuplicateEntry


async def application(scope, receive, send):
    """Read the whole body, then say how long it was."""
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


async def answer_to(pieces, headers=()):
    scope = {"type": "http", "headers": list(headers)}
    talk = ApplicationCommunicator(BodyLimit(application, limit=10), scope)
    for piece in pieces:
        await talk.send_input({"type": "http.request", "body": piece, "more_body": True})
    await talk.send_input({"type": "http.request", "body": b""})
    start = await talk.receive_output(5)
    body = await talk.receive_output(5)
    return start["status"], body["body"]


@pytest.mark.parametrize(
    ("pieces", "headers", "status"),
    [
        ([b"x" * 10], [], 200),
        ([b"x" * 5, b"x" * 6], [], 413),
        ([], [(b"content-length", b"11")], 413),
        ([b"x"], [(b"content-length", b"no")], 200),
    ],
)
async def test_a_body_is_taken_up_to_the_bound(pieces, headers, status):
    found, body = await answer_to(pieces, headers)

    assert found == status
    if status == 413:
        assert json.loads(body)["code"] == "body_too_large"


async def test_a_socket_is_left_alone():
    seen = []

    async def socket(scope, receive, send):
        seen.append(scope["type"])

    await BodyLimit(socket, limit=1)({"type": "websocket"}, None, None)

    assert seen == ["websocket"]


async def test_the_rim_works_asynchronously_too():
    async def crash(request):
        return HttpResponse("<h1>trace</h1>", status=500)

    rim = ApiMiddleware(crash)
    inside = await rim(AsyncRequestFactory().get("/api/x"))
    outside = await rim(AsyncRequestFactory().get("/trades/"))

    assert json.loads(inside.content)["code"] == "internal_error"
    assert outside.content == b"<h1>trace</h1>" and "X-Request-ID" not in outside


@pytest.mark.django_db(transaction=True)
async def test_an_unknown_route_is_a_problem_over_asgi():
    response = await AsyncClient().get("/api/v1/nowhere/")

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert get_asgi_application()


def test_headers_that_tell_a_client_what_to_do_are_kept():
    def refuse(request):
        response = HttpResponse(status=405, headers={"Allow": "GET"})
        response.set_cookie("csrftoken", "x")
        return response

    response = ApiMiddleware(refuse)(RequestFactory().get("/api/x"))

    assert response["Allow"] == "GET"
    assert response.cookies["csrftoken"].value == "x"


@pytest.fixture
def registered():
    before = API_ROUTES.items()
    yield
    for name in set(API_ROUTES) - {name for name, _ in before}:
        del API_ROUTES._entries[name]


def test_routes_are_registered_once_by_prefix(registered):
    register_api_routes("sample-routes", "tests.foundation.api.sample_urls")
    register_api_routes("sample-routes", "tests.foundation.api.sample_urls")

    assert API_ROUTES["sample-routes"].urlconf == "tests.foundation.api.sample_urls"
    with pytest.raises(DuplicateEntry):
        register_api_routes("sample-routes", "another.module")


@pytest.mark.parametrize("prefix", ["", "Trading", "a/b", "a b", "-a", "../x", "7a"])
def test_a_prefix_that_is_no_word_is_refused(prefix):
    with pytest.raises(ValueError, match="prefix"):
        register_api_routes(prefix, "x")


@pytest.mark.django_db
def test_the_migration_says_what_the_model_says():
    call_command("makemigrations", "api", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_a_translated_answer_does_not_end_the_request_early():
    ended = []

    def note(**_):
        ended.append(True)

    request_finished.connect(note)
    try:
        ApiMiddleware(lambda request: HttpResponse(status=405))(RequestFactory().post("/api/x"))
    finally:
        request_finished.disconnect(note)

    assert ended == []  # the signal closes the database connection
