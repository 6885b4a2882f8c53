"""The token endpoints: allauth's, with every bad request answered and guessing slowed down."""

from allauth.core.internal import ratelimit
from allauth.core.internal.httpkit import extract_basic_auth
from allauth.idp.oidc.views import RevokeView, TokenView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

FAILURES = {"token_failed": "20/m/ip"}


class GuardedTokenView(TokenView):
    """
    Answer 429 after too many wrong secrets from one address, and 400 where allauth would fail.

    allauth checks the secret but not how often, and lets a malformed resource indicator or a NUL
    character through to where it raises.
    """

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        if not _failures_left(request):
            return _error(
                "temporarily_unavailable", "Too many failed requests; wait a minute.", 429
            )
        if _has_nul(request):
            return _error("invalid_request", "A value contains a NUL character.", 400)
        try:
            response: HttpResponse = super().post(request)
        except ValidationError as refusal:
            response = _error("invalid_target", " ".join(refusal.messages), 400)
        if response.status_code == 401:
            ratelimit.consume(request, app="accounts", action="token_failed", config=FAILURES)
        return response


class GuardedRevokeView(RevokeView):
    """Give a token back (RFC 7009)."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        if _has_nul(request):
            return _error("invalid_request", "A value contains a NUL character.", 400)
        response: HttpResponse = super().post(request)
        return response


def _has_nul(request: HttpRequest) -> bool:
    """Tell whether a value would make PostgreSQL raise: text there holds no NUL."""
    headers = {"Authorization": request.headers.get("Authorization", "")}
    values = [value for _, several in request.POST.lists() for value in several]
    return any("\x00" in (value or "") for value in (*values, *extract_basic_auth(headers)))


def _failures_left(request: HttpRequest) -> bool:
    usage = ratelimit.consume(
        request, app="accounts", action="token_failed", config=FAILURES, dry_run=True
    )
    return usage is not None


def _error(code: str, description: str, status: int) -> JsonResponse:
    return JsonResponse(
        {"error": code, "error_description": description},
        status=status,
        headers={"Retry-After": "60"} if status == 429 else {},
    )


token = never_cache(GuardedTokenView.as_view())
revoke = never_cache(GuardedRevokeView.as_view())
