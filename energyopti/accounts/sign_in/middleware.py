"""Keep those whose role needs a second factor on the page that sets one up, until they have it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from .second_factor import SecondFactorMissing, has_second_factor, must_have_second_factor

# What stays open: setting the factor up, proving who one is for that, signing out, and files.
OPEN_PATHS = ("/accounts/2fa/", "/accounts/reauthenticate/", "/accounts/logout/", "/static/")
API_PATHS = ("/api/", "/_allauth/", "/graphql/")
SESSION_FLAG = "second_factor_settled"


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
