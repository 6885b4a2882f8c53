"""
The rim of the API: request ids in, problem documents out, also where no view was reached.

Stands outside everything but metrics, so that a refused host, a CSRF failure, an unknown route
and a crash in another middleware all leave as `application/problem+json`, never as a page.
"""

import json
import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils.decorators import sync_and_async_middleware

from .refusals import CODE_OF_STATUS, MEDIA_TYPE, NO_TRACE, problem_document

API_ROOT = "/api/"
_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{7,63}", re.ASCII)

_DETAILS = {
    400: "The request could not be read.",
    401: "Sign in or send a token.",
    403: "The request was refused before it reached the API (origin or CSRF token).",
    404: "No route of the API has this address.",
    405: "This address does not offer this method.",
    413: "The body is too large.",
}


@sync_and_async_middleware
def ApiMiddleware(get_response: Callable[..., Any]) -> Callable[..., Any]:
    """Give requests under /api/ an id and answers their form; leave all others alone."""
    if iscoroutinefunction(get_response):

        async def async_middleware(request: HttpRequest) -> HttpResponse:
            if not request.path.startswith(API_ROOT):
                return await get_response(request)
            _name_request(request)
            answer: Awaitable[HttpResponse] = get_response(request)
            return _finish(request, await answer)

        return async_middleware

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(API_ROOT):
            return get_response(request)
        _name_request(request)
        return _finish(request, get_response(request))

    return middleware


def _name_request(request: HttpRequest) -> None:
    """
    Settle the request id: the caller's if it is harmless in a log, else a new one.

    django-structlog and the tracer read the same header afterwards, so all of them agree.
    """
    named = request.META.get("HTTP_X_REQUEST_ID", "")
    request_id = named if _REQUEST_ID.fullmatch(named) else str(uuid.uuid4())
    request.META["HTTP_X_REQUEST_ID"] = request_id
    request.request_id = request_id


def _finish(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    request_id: str = request.request_id
    is_problem = response.get("Content-Type", "").startswith(MEDIA_TYPE)
    # The edge's own answers have no body either; a head request is answered without one.
    if response.status_code == 404 and (meant := _route_without_slash(request.path)):
        detail = f"No route of the API ends with a slash: ask {meant}."
        response = _as_problem(response, request_id, detail)
    elif response.status_code >= 400 and not is_problem:
        response = _as_problem(response, request_id)
    response["X-Request-ID"] = request_id
    return response


def _as_problem(response: HttpResponse, request_id: str, detail: str = "") -> HttpResponse:
    status = response.status_code
    detail = detail or _DETAILS.get(status, "") or (NO_TRACE if status >= 500 else "")
    document = problem_document(
        status=status,
        code="internal_error" if status == 500 else CODE_OF_STATUS.get(status, ""),
        detail=detail,
        request_id=request_id,
    )
    problem = HttpResponse(json.dumps(document), status=status, content_type=MEDIA_TYPE)
    for name in ("Allow", "Retry-After", "WWW-Authenticate"):
        if name in response:
            problem[name] = response[name]
    problem.cookies = response.cookies
    return problem


def _route_without_slash(path: str) -> str:
    """Return the route that the caller meant if only a slash at the end is wrong, else nothing."""
    if not path.endswith("/"):
        return ""
    meant = path.rstrip("/")
    try:
        resolve(meant)
    except Resolver404:
        return ""
    return meant
