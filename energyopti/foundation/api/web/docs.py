"""The OpenAPI document, and the pages that show it: server-rendered, readable without scripts."""

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from ...live.describing import asyncapi
from ..problems import PROBLEMS
from ..refusals import CODE_OF_STATUS, TITLES
from ..views import ApiView
from .operations import (
    Operation,
    curl_command,
    matching,
    operations_of,
    scopes_of,
    token_command,
)


@dataclass(frozen=True)
class Document:
    """The document as it is sent and as the pages read it."""

    body: bytes
    etag: str
    content: dict[str, Any]
    operations: list[Operation]


@lru_cache(maxsize=1)
def _document() -> Document:
    """Return the document; it is slow to build, and routes do not change while a process runs."""
    built: Any = SchemaGenerator().get_schema(request=None, public=True)
    body = json.dumps(built, indent=1, default=str).encode()
    content: dict[str, Any] = json.loads(body)  # plain values, as a client reads them
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Document(body, etag, content, operations_of(content))


@extend_schema(exclude=True)
class SchemaView(ApiView):
    """The OpenAPI 3.1 document of the whole API as JSON; open to everybody, as the pages are."""

    permission_classes = [AllowAny]

    def get(self, request: Request) -> HttpResponse:
        document = _document()
        if request.headers.get("If-None-Match") == document.etag:
            return HttpResponseNotModified(headers={"ETag": document.etag})
        return HttpResponse(
            document.body,
            content_type="application/vnd.oai.openapi+json",
            headers={"ETag": document.etag, "Cache-Control": "public, max-age=60"},
        )


@extend_schema(exclude=True)
class AsyncApiView(ApiView):
    """The AsyncAPI document of the live websockets as JSON; open to everybody likewise."""

    permission_classes = [AllowAny]

    def get(self, request: Request) -> JsonResponse:
        return JsonResponse(asyncapi(), json_dumps_params={"indent": 1})


@gzip_page  # the compression of pages leaves /api/ alone
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """List the operations by tag; `q` keeps those in which each of its words occurs."""
    document = _document()
    words = request.GET.get("q", "").strip()
    found = matching(document.operations, words)
    return render(
        request,
        "api/docs.html",
        {
            "info": document.content["info"],
            "openapi": document.content["openapi"],
            "words": words,
            "count": len(found),
            "total": len(document.operations),
            "tags": [
                (tag, list(operations))
                for tag, operations in groupby(found, key=lambda operation: operation.tag)
            ],
            "token_command": token_command(document.content, host=_host(request)),
            "scopes": scopes_of(document.content),
            "problems": _problem_codes(),
        },
    )


@gzip_page
@require_safe
def operation_docs(request: HttpRequest, operation_id: str) -> HttpResponse:
    """Show one operation: parameters, bodies, answers, refusals, and a command to copy."""
    for operation in _document().operations:
        if operation.id == operation_id:
            return render(
                request,
                "api/operation.html",
                {"operation": operation, "command": curl_command(operation, host=_host(request))},
            )
    raise Http404(f"no operation {operation_id}")


def _host(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def _problem_codes() -> list[tuple[int | None, str, str]]:
    """Return status, code and title of every refusal that has a code, by status and code."""
    statuses = {code: status for status, code in CODE_OF_STATUS.items()}
    statuses |= {"validation_failed": 400, "permission_missing": 403, "authentication_failed": 401}
    found = {code: (statuses.get(code), title) for code, title in TITLES.items()}
    for exception, problem in PROBLEMS.values():
        meaning = problem.title or TITLES.get(problem.code) or (exception.__doc__ or "").strip()
        found[problem.code] = (problem.status, meaning.split("\n")[0])
    rows = [(status, code, title) for code, (status, title) in found.items()]
    return sorted(rows, key=lambda row: (row[0] or 0, row[1]))
