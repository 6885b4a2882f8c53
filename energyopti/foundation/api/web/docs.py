"""The OpenAPI document and the pages that draw it, from our own host under the strict CSP."""

import hashlib
import json
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from ..views import ApiView


@lru_cache(maxsize=1)
def _document() -> tuple[bytes, str]:
    """Return the document and its ETag; routes do not change while a process runs."""
    document: Any = SchemaGenerator().get_schema(request=None, public=True)
    body = json.dumps(document, indent=1, default=str).encode()
    return body, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


@extend_schema(exclude=True)
class SchemaView(ApiView):
    """The OpenAPI 3.1 document of the whole API as JSON; open to everybody, as the pages are."""

    permission_classes = [AllowAny]

    def get(self, request: Request) -> HttpResponse:
        body, etag = _document()
        if request.headers.get("If-None-Match") == etag:
            return HttpResponseNotModified(headers={"ETag": etag})
        return HttpResponse(
            body,
            content_type="application/vnd.oai.openapi+json",
            headers={"ETag": etag, "Cache-Control": "public, max-age=60"},
        )


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Draw the document with Swagger UI, whose files come from the sidecar wheel."""
    return render(request, "api/docs.html")
