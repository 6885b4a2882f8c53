"""
Bases of every REST view: bounded bodies, dated versions, throttles, idempotent posts.

A view parses, calls one service or query, renders. What it inherits here happens before and
after: body limit → version → authentication → throttle → permission → key → handler → version.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from rest_framework import exceptions, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from . import idempotency
from .clients import client_of
from .parsing import read_body
from .problems import flatten
from .refusals import Refusal
from .versions import API_VERSIONS, version_of


class ApiRequest(Request):
    """A DRF request whose data is lifted from the caller's version to the current one."""

    def _parse(self) -> Any:
        data, files = super()._parse()
        view = self.parser_context["view"]
        if isinstance(data, dict | list):
            data = API_VERSIONS.lift(data, version=view.api_version, route=view.api_route)
        return data, files


class ApiBehavior:
    """
    What `ApiView` and the view sets share.

    idempotent       False on device posts, which have natural keys, and on streamed answers.
    max_body_bytes   bound of the body; default API_MAX_BODY_BYTES.
    throttle_cost    requests that one call counts for.
    """

    idempotent = True
    max_body_bytes: int | None = None
    throttle_cost = 1

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.api_version = API_VERSIONS.current
        self.api_route = request.resolver_match.view_name if request.resolver_match else ""
        self._claimed: dict[str, Any] | None = None
        offers_keys = self.idempotent and request.method in idempotency.METHODS
        self._takes_key = offers_keys and idempotency.HEADER in request.headers
        if not self._takes_key:
            return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        with transaction.atomic():
            response: HttpResponse = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
            broken = connection.needs_rollback
            if self._claimed is not None and not broken:
                idempotency.store(response=idempotency.rendered(response), **self._claimed)
            if broken or response.status_code >= 500:
                transaction.set_rollback(True)
        return response

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> ApiRequest:
        return ApiRequest(
            request,
            parsers=self.get_parsers(),  # type: ignore[attr-defined]
            authenticators=self.get_authenticators(),  # type: ignore[attr-defined]
            negotiator=self.get_content_negotiator(),  # type: ignore[attr-defined]
            parser_context={**self.get_parser_context(request), "view": self},  # type: ignore[attr-defined]
        )

    def initial(self, request: ApiRequest, *args: Any, **kwargs: Any) -> None:
        self.format_kwarg = None
        body = read_body(request._request, limit=self.max_body_bytes or settings.API_MAX_BODY_BYTES)
        renderer, media_type = self.perform_content_negotiation(request)  # type: ignore[attr-defined]
        request.accepted_renderer, request.accepted_media_type = renderer, media_type
        self.api_version = version_of(request.headers.get("Api-Version"))
        request.version, request.versioning_scheme = self.api_version.isoformat(), None
        try:
            self.perform_authentication(request)  # type: ignore[attr-defined]
        except exceptions.AuthenticationFailed:
            # Guessing tokens is throttled by the guesser's address.
            self.check_throttles(request)  # type: ignore[attr-defined]
            raise
        self.check_throttles(request)  # type: ignore[attr-defined]
        self.check_permissions(request)  # type: ignore[attr-defined]
        if self._takes_key:
            self._claim_key(request, body)

    def _claim_key(self, request: ApiRequest, body: bytes) -> None:
        key, client = idempotency.key_of(request._request), client_of(request)
        if not key or not client:
            return  # strangers share addresses: what one was answered is not for the other
        claimed: dict[str, Any] = {
            "client": client,
            "key": key,
            "fingerprint": idempotency.fingerprint_of(
                request._request, version=self.api_version.isoformat(), body=body
            ),
        }
        idempotency.claim(**claimed)
        self._claimed = claimed

    def handle_exception(self, exc: Exception) -> HttpResponse:
        if isinstance(exc, idempotency.Replay):
            return idempotency.replayed(exc.answer)
        response: HttpResponse = super().handle_exception(exc)  # type: ignore[misc]
        return response

    def finalize_response(
        self, request: Request, response: HttpResponse, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if isinstance(response, Response) and 200 <= response.status_code < 300:
            response.data = API_VERSIONS.lower(
                response.data, version=self.api_version, route=self.api_route
            )
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        response["Api-Version"] = self.api_version.isoformat()
        allowance = getattr(request._request, "api_allowance", None)
        for name, value in (allowance.headers() if allowance else {}).items():
            response[name] = value
        response.setdefault("Cache-Control", "no-store")
        return response

    def query_of(self, serializer_class: type[BaseSerializer[Any]]) -> Mapping[str, Any]:
        """
        Return the query string as a strict serializer reads it, without the page's own words.

        :raises ValidationError: naming the `parameter` of each error.
        """
        request: Request = self.request  # type: ignore[attr-defined]
        words = {"cursor", "page_size"}
        values = {
            name: found[0] if len(found) == 1 else found
            for name, found in request.query_params.lists()
            if name not in words
        }
        serializer = serializer_class(data=values, context={"request": request, "view": self})
        if not serializer.is_valid():
            error = next(iter(flatten(serializer.errors)))
            raise Refusal(
                error["detail"], code=error["code"], parameter=error["pointer"].lstrip("/")
            )
        valid: Mapping[str, Any] = serializer.validated_data
        return valid


class ApiView(ApiBehavior, APIView):
    """Base of a view with one method per verb."""


class ApiViewSet(ApiBehavior, viewsets.ViewSet):
    """Base of a view set that calls services and queries itself."""


class ApiListViewSet(ApiBehavior, viewsets.GenericViewSet):
    """
    Base of a view set over a queryset: `self.page_of(queryset, Serializer)` answers a page.

    `ordering` names the order, ending in a unique field (see `CursorPage`).
    """

    ordering: tuple[str, ...] = ("-pk",)

    def page_of(self, queryset: Any, serializer_class: type[BaseSerializer[Any]]) -> Response:
        """Return one cursor page of a queryset, drawn by an output serializer."""
        rows = self.paginate_queryset(queryset)
        context = self.get_serializer_context()
        return self.get_paginated_response(serializer_class(rows, many=True, context=context).data)
