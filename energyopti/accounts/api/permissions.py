"""The guard of every REST view: a permission by method, and for partners a scope by method."""

from typing import TYPE_CHECKING, Any, Final

from allauth.idp.oidc.models import Token
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from ..requests import actor_of

if TYPE_CHECKING:  # DRF imports this module, its default permission, while it makes APIView
    from rest_framework.views import APIView

# For the few views that ask only who one is ("me/…").
SIGNED_IN: Final = "signed-in"

SAME_AS_GET = {"HEAD", "OPTIONS"}


class PermissionRequired(BasePermission):
    """
    Let a call through if the role holds the permission and, with a token, the token the scope.

    The view declares both, by method:

        permissions = {"GET": "trading.view_trade", "POST": "trading.capture_trade"}
        scopes = {"GET": "trades:read", "POST": "trades:write"}

    An extra action gives its own: `@action(detail=True, methods=["post"], permissions={"POST":
    "trading.cancel_trade"}, scopes={"POST": "trades:write"})`. People with a session need the
    permission only. A method that is not declared is refused, and so is a token where no scope
    is declared: a forgotten line closes the door.
    """

    message = "You may not do this."
    code = "permission_denied"

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not request.user or not request.user.is_authenticated:
            return False
        method = request.method or ""
        if not hasattr(view, method.lower()) and method not in SAME_AS_GET:
            return True  # the view answers 405
        declared = _declared(getattr(view, "permissions", {}), method)
        if declared is None:
            self.message = f"{method} is not open to anybody here."
            return False
        if declared != SIGNED_IN and not actor_of(request).may(declared):
            self.code = "permission_missing"
            self.message = f"You need the permission “{declared}” for this."
            return False
        return self._has_scope(request, view, method)

    def _has_scope(self, request: Request, view: "APIView", method: str) -> bool:
        if request.auth is None:
            return True
        scope = _declared(getattr(view, "scopes", {}), method)
        if (
            scope is not None
            and isinstance(request.auth, Token)
            and request.auth.type == Token.Type.ACCESS_TOKEN
            and scope in request.auth.get_scopes()
        ):
            return True
        self.code = "insufficient_scope"
        self.message = (
            f"The token lacks the scope “{scope}”." if scope else "Tokens may not be used here."
        )
        return False


def _declared(by_method: dict[str, Any], method: str) -> str | None:
    """Return what a view declares for a method; asking what is there needs what reading needs."""
    if method in by_method:
        return by_method[method]
    if method in SAME_AS_GET:
        return by_method.get("GET") or next(iter(by_method.values()), None)
    return None
