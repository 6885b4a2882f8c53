"""
What stands between a session and the pages: when it was last used, and whether it is strong enough.

Those whose role needs a second factor stay on the page that sets one up, until they have it.
"""

import hashlib
from collections.abc import Callable

from allauth.account.adapter import get_adapter
from allauth.usersessions.middleware import UserSessionsMiddleware
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from .second_factor import SecondFactorMissing, has_second_factor, must_have_second_factor

# What stays open: setting the factor up, proving who one is for that, signing out, and files.
OPEN_PATHS = ("/accounts/2fa/", "/accounts/reauthenticate/", "/accounts/logout/", "/static/")
API_PATHS = ("/api/", "/_allauth/", "/graphql/")
SESSION_FLAG = "second_factor_settled"


class SessionActivityMiddleware(UserSessionsMiddleware):
    """
    Note when, from where and by which browser a session was last used, as allauth does.

    Only by pages, for open pages ask the API by themselves; and once in `NOTED_EVERY` seconds or
    when address or browser change, for it costs five queries. Signing in notes it too, so that
    every session can be ended by its owner.
    """

    NOTED_EVERY = 60

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(API_PATHS) or self._was_noted(request):
            return self.get_response(request)
        return super().__call__(request)

    def _was_noted(self, request: HttpRequest) -> bool:
        from redis import RedisError  # not at start: it brings OpenTelemetry's SDK

        if not request.session.session_key:
            return False
        seen = (
            request.session.session_key,
            get_adapter().get_client_ip(request),
            request.headers.get("User-Agent", ""),
        )
        key = hashlib.sha256("\n".join(seen).encode()).hexdigest()
        try:
            return not cache.add(f"session-noted:{key}", 1, self.NOTED_EVERY)
        except RedisError:
            return False  # without the cache each page notes it


class SecondFactorMiddleware:
    """
    Stands after authentication. Looks at the database once per session, not once per request.

    The flag is set when the user has a factor or needs none; gaining a role or losing a factor
    ends the person's sessions (services.members), so that it is never out of date.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if self._must_set_up(request):
            if request.path.startswith(API_PATHS):
                raise SecondFactorMissing
            return redirect("mfa_index")
        return self.get_response(request)

    @staticmethod
    def _must_set_up(request: HttpRequest) -> bool:
        if request.path.startswith(OPEN_PATHS) or not request.session.session_key:
            return False
        if request.session.get(SESSION_FLAG) or not request.user.is_authenticated:
            return False
        if must_have_second_factor(request.user) and not has_second_factor(request.user):
            return True
        request.session[SESSION_FLAG] = True
        return False
