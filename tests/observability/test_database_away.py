"""
What callers hear while the database is away: 503 and when to come back, never a crash.

The connection is really cut: its session is ended by another one, or nothing listens at its port.
"""

import contextlib
import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.db import connection
from django.test import Client

from energyopti.accounts.roles import Role
from tests.factories.accounts import make_organization, make_user

pytestmark = pytest.mark.django_db(transaction=True)
Cut = Callable[[], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def session_ended() -> Iterator[None]:
    """End our session as a restarting server does; the process still holds its socket."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    parameters = connection.get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    with psycopg.connect(**{k: parameters[k] for k in names if k in parameters}) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
    try:
        yield
    finally:
        connection.close()


@contextlib.contextmanager
def server_gone() -> Iterator[None]:
    """Nothing listens where the database was."""
    connection.close()
    kept = connection.settings_dict
    connection.settings_dict = {**kept, "PORT": "1"}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = kept


CUTS: list[Cut] = [session_ended, server_gone]


@pytest.fixture
def browser() -> Client:
    browser = Client(raise_request_exception=False)
    browser.force_login(
        make_user(Role.TRADER, organization=make_organization()),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return browser


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("path", ["/", "/trades/", "/jobs/"])
def test_page_is_our_503_and_works_again_afterwards(browser: Client, path: str, cut: Cut) -> None:
    with cut():
        answer = browser.get(path)

    assert answer.status_code == 503
    assert answer["Retry-After"] == "2"
    page = answer.content.decode()
    assert "The database does not answer just now" in page
    assert "Traceback" not in page
    assert browser.get(path).status_code == 200


@pytest.mark.parametrize("cut", CUTS)
def test_ready_names_the_database_and_only_it(cut: Cut) -> None:
    with cut():
        answer = Client().get("/health/ready")

    assert answer.status_code == 503
    parts: dict[str, str] = answer.json()["parts"]
    assert parts["database"] == "The database does not answer."
    assert (parts["redis"], parts["mqtt"]) == ("ready", "ready")
    assert Client().get("/health/live").status_code == 200


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize(
    ("method", "route"), [("get", "schedule"), ("post", "acks"), ("post", "telemetry")]
)
def test_device_is_told_to_come_back(method: str, route: str, cut: Cut) -> None:
    # A device that Redis has forgotten: its token must be looked up in the tables.
    device = Client(raise_request_exception=False)

    with cut():
        answer = getattr(device, method)(
            f"/api/v1/devices/{uuid.uuid4()}/{route}",
            headers={"authorization": f"Bearer {'t' * 40}"},
        )

    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["Retry-After"] == "2"
    assert answer.json()["code"] == "database_unavailable"


async def first_answers(communicator: ApplicationCommunicator) -> list[dict[str, Any]]:
    await communicator.send_input({"type": "websocket.connect"})
    found = [await communicator.receive_output(5)]
    if found[0]["type"] == "websocket.accept":
        found.append(await communicator.receive_output(5))
    return found


async def test_socket_is_closed_with_try_again_later() -> None:
    from energyopti.asgi import application

    organization = await sync_to_async(make_organization)()
    user = await sync_to_async(make_user)(Role.TRADER, organization=organization)
    browser = Client()
    await sync_to_async(browser.force_login)(
        user, backend="django.contrib.auth.backends.ModelBackend"
    )
    cookie = f"sessionid={browser.cookies['sessionid'].value}"
    communicator = ApplicationCommunicator(
        application,
        {
            "type": "websocket",
            "path": f"/ws/risk/{uuid.uuid4()}/",
            "query_string": b"",
            "headers": [
                (b"cookie", cookie.encode()),
                (b"origin", b"http://testserver"),
                (b"host", b"testserver"),
            ],
            "subprotocols": [],
        },
    )
    # An ended session alone is healed: each step of a socket takes a fresh connection.
    held = server_gone()
    await sync_to_async(held.__enter__)()
    try:
        accepted, closed = await first_answers(communicator)
    finally:
        await sync_to_async(held.__exit__)(None, None, None)

    assert accepted["type"] == "websocket.accept"
    assert (closed["type"], closed["code"]) == ("websocket.close", 1013), json.dumps(closed)
