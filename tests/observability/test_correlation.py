"""The id goes from the request to the answer, the event, the task and the socket."""

import logging
import re

import pytest
from celery import shared_task
from django.test import Client

from energyopti.foundation.events.models import Event
from energyopti.observability.correlation import (
    CorrelatedSockets,
    correlated,
    current_request_id,
)
from tests.factories.accounts import PASSWORD, make_organization, make_user

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.mark.django_db
def test_answer_and_event_carry_the_same_id() -> None:
    user = make_user(organization=make_organization())

    answer = Client().post("/accounts/login/", {"login": user.email, "password": PASSWORD})

    request_id = answer.headers["X-Request-ID"]
    assert UUID.fullmatch(request_id)
    assert Event.objects.get(type="user.signed_in").request_id == request_id


def test_callers_do_not_choose_our_id() -> None:
    answer = Client().get("/health/live", headers={"x-request-id": "evil\x1b[31m"})

    assert UUID.fullmatch(answer.headers["X-Request-ID"])


def test_request_line_of_the_log_has_id_and_masks_the_query(caplog) -> None:
    with caplog.at_level(logging.INFO, logger="django_structlog"):
        answer = Client().get("/health/live", {"access_token": "abcdefghij"})

    [record] = [r for r in caplog.records if "request_finished" in str(r.msg)]
    from energyopti.observability.logs import formatter

    line = formatter().format(record)
    assert answer.headers["X-Request-ID"] in line
    assert "abcdefghij" not in line


@shared_task(name="tests.tell_request_id")
def tell_request_id(**_: object) -> str:
    return current_request_id()


def test_task_message_carries_the_id_of_who_sent_it() -> None:
    from celery.signals import before_task_publish

    headers: dict = {}
    with correlated("cause-1"):
        before_task_publish.send(
            sender="tests.tell_request_id", headers=headers, body=((), {}, {}), properties={}
        )

    assert headers["__django_structlog__"]["request_id"] == "cause-1"


async def test_socket_has_one_id_for_its_life() -> None:
    seen: list[tuple[str, str]] = []

    async def application(scope, receive, send) -> None:
        seen.append((scope["request_id"], current_request_id()))

    await CorrelatedSockets(application)({"type": "websocket", "path": "/ws/x"}, None, None)

    [(in_scope, in_log)] = seen
    assert in_scope == in_log
    assert UUID.fullmatch(in_scope)


async def test_other_traffic_passes_untouched() -> None:
    seen: list[dict] = []

    async def application(scope, receive, send) -> None:
        seen.append(scope)

    await CorrelatedSockets(application)({"type": "lifespan"}, None, None)

    assert seen == [{"type": "lifespan"}]
