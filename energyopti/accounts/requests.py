"""From an HTTP request to an actor, and the guards that pages stand behind."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from .actors import Actor

PERMISSION_OF_SIGNED_IN = "signed-in"


def actor_of(request: HttpRequest) -> Actor:
    """
    Return who acts in this request; the same object each time, so its look-ups are made once.

    Works for pages and for REST views, whose authenticated user DRF puts in the same place.

    :raises PermissionDenied: if nobody is signed in; the guard of the view was forgotten.
    """
    actor: Actor | None = getattr(request, "_actor", None)
    if actor is None or actor.user != request.user:
        if not request.user.is_authenticated:
            raise PermissionDenied("Sign in first.")
        actor = Actor.for_user(request.user, request_id=getattr(request, "request_id", ""))
        request._actor = actor
    return actor


def require_permission(permission: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Guard a page: strangers are sent to sign in, a lacking role gets a 403 that names it."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            actor_of(request).require(permission)
            return view(request, *args, **kwargs)

        guarded.permission = permission  # read by the route test
        return guarded

    return decorate


def require_sign_in(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Guard a page that everybody who is signed in may open, whatever the role (one's own page)."""

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs)

    guarded.permission = PERMISSION_OF_SIGNED_IN
    return guarded
