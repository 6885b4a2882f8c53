"""
Error pages in the product's look: what happened, what is safe, the request id, what to do.

Programs get the API's problem document instead, by `foundation.api`.
"""

import sys
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from energyopti.accounts.actors import PermissionMissing
from energyopti.foundation.api.refusals import MEDIA_TYPE, problem_document

from .frame import request_id_of

API_PREFIXES = ("/api/", "/graphql")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(
        request,
        400,
        "We could not read this request",
        "Something in the address or the form is not what this page expects.",
        retry="Go back, correct it and send it again.",
    )


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    permission = exception.permission if isinstance(exception, PermissionMissing) else ""
    return _error(
        request,
        403,
        "Your role does not allow this",
        "Nothing was changed." if request.method != "GET" else "The page was not opened.",
        retry="An administrator of your organization can grant it.",
        permission=permission,
    )


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _error(
        request,
        404,
        "There is nothing here",
        "The address does not exist, or belongs to an organization that is not yours.",
        retry="Check the address, or look for it with the search.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """
    Answer without database, session or user: any of them may be what failed.

    Django calls this while it handles the exception; a database that is away is 503, not 500.
    """
    if isinstance(sys.exc_info()[1], (OperationalError, InterfaceError)):
        return database_unavailable(request)
    return _error(
        request,
        500,
        "Something broke on our side",
        "What was being saved was undone as a whole: nothing is half-written. Devices keep "
        "following their last schedule.",
        retry="Try again; if it stays, give support the request id.",
        bare=True,
    )


def database_unavailable(request: HttpRequest) -> HttpResponse:
    """Answer 503, so that a proxy or a device comes back instead of giving up."""
    answer = _error(
        request,
        503,
        "The database does not answer just now",
        "What was being saved was undone as a whole: nothing is half-written. Devices keep "
        "following their last schedule.",
        retry="Try again in a few seconds.",
        bare=True,
    )
    answer["Retry-After"] = "2"
    answer["Cache-Control"] = "no-store"
    return answer


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _error(
        request,
        403,
        "This form is too old to be sent",
        "Nothing was changed. Your session began anew since the form was opened, or cookies are "
        "blocked.",
        retry="Load the page again and repeat the entry.",
    )


def _error(
    request: HttpRequest,
    status: int,
    title: str,
    safe: str,
    *,
    retry: str,
    permission: str = "",
    bare: bool = False,
) -> HttpResponse:
    request_id = request_id_of(request)
    if request.path.startswith(API_PREFIXES):
        more: dict[str, Any] = {"permission": permission} if permission else {}
        problem = problem_document(
            status=status,
            code="permission_missing" if permission else "",
            detail=f"{safe} {retry}",
            request_id=request_id,
            **more,
        )
        return JsonResponse(problem, status=status, content_type=MEDIA_TYPE)
    context: dict[str, Any] = {
        "status": status,
        "title": title,
        "safe": safe,
        "retry": retry,
        "permission": permission,
        "request_id": request_id,
        "retry_url": request.get_full_path() if request.method == "GET" else "",
    }
    signed_in = not bare and getattr(request, "user", None) and request.user.is_authenticated
    template = "errors/page.html" if signed_in else "errors/bare.html"
    body = render_to_string(template, context, request=None if bare else request)
    return HttpResponse(body, status=status)
