"""
One id follows a cause through everything it sets off: request, task, message, socket, event.

HTTP and Celery are carried by django-structlog; this module adds what it lacks: the id on the
request and the answer, and the two ways in that are neither (MQTT messages, websockets).
"""

import logging
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
LONGEST_ID = 80
TRY_AGAIN_LATER = 1013  # RFC 6455 registry: the server is overloaded or cannot serve now


def new_request_id() -> str:
    return str(uuid.uuid4())


def current_request_id() -> str:
    """Return the id of what is being done now, "" outside of any request, task or message."""
    return str(get_contextvars().get("request_id", ""))


@contextmanager
def correlated(request_id: str = "", **context: Any) -> Iterator[str]:
    """
    Log everything inside under one id: an MQTT message, a batch, a step of a command.

    request_id  id that came with the message; refused characters and excess length are dropped,
                because it comes from outside. Empty makes a new one.
    context     more to say on every line (`device_id=…`).
    """
    kept = "".join(c for c in request_id if c.isascii() and (c.isalnum() or c in "-_.:"))
    bound_id = kept[:LONGEST_ID] or new_request_id()
    with bound_contextvars(request_id=bound_id, **context):
        yield bound_id


class RequestIdMiddleware:
    """Stands inside django-structlog's: puts the id on the request and on the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = current_request_id() or new_request_id()
        response = self.get_response(request)
        response.headers.setdefault(HEADER, request.request_id)
        return response


class CorrelatedSockets:
    """
    ASGI middleware of websockets: one id for the life of the socket, on every line it causes.

    Put it outside the session middleware; the id is also `scope["request_id"]`.
    """

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self.application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            await self.application(scope, receive, send)
            return
        request_id = new_request_id()
        structlog.contextvars.clear_contextvars()
        bind_contextvars(request_id=request_id, socket=scope.get("path", ""))
        has_accepted = False

        async def watched(message: dict[str, Any]) -> None:
            nonlocal has_accepted
            has_accepted = has_accepted or message["type"] == "websocket.accept"
            await send(message)

        try:
            await self.application({**scope, "request_id": request_id}, receive, watched)
        except (OperationalError, InterfaceError) as error:
            # Sessions and users are read before any consumer can answer; a close before the
            # accept would reach a browser without its code.
            logger.warning("socket is told to come back: %s", error)
            if not has_accepted:
                await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
