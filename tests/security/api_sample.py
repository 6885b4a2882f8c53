"""A REST view as apps write them, for tests of the guards: two methods, two scopes."""

from django.urls import include, path
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from energyopti.accounts.api.authentication import BearerAuthentication
from energyopti.accounts.api.permissions import SIGNED_IN, PermissionRequired
from energyopti.accounts.requests import actor_of
from energyopti.foundation.api.authentication import BrowserSession


class Guarded(APIView):
    authentication_classes = [BearerAuthentication, BrowserSession]
    permission_classes: list[type[BasePermission]] = [PermissionRequired]


class SitesView(Guarded):
    permissions = {"GET": "accounts.view_site", "POST": "accounts.operate_site"}
    scopes = {"GET": "organizations:read", "POST": "sites:operate"}

    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        return Response(
            {"actor": actor.id, "organizations": sorted(map(str, actor.organization_ids))}
        )

    def post(self, request: Request) -> Response:
        return Response({"done": True}, status=201)


class MeView(Guarded):
    permissions = {"GET": SIGNED_IN}
    scopes = {"GET": "organizations:read"}

    def get(self, request: Request) -> Response:
        return Response({"me": actor_of(request).id})


class ForgottenView(Guarded):
    """Declares nothing: must be closed to everybody."""

    def get(self, request: Request) -> Response:
        return Response({"open": True})


class NoTokensView(Guarded):
    permissions = {"GET": "accounts.view_site"}

    def get(self, request: Request) -> Response:
        return Response({"open": True})


urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("", include("energyopti.accounts.web.urls")),
    path("", include("allauth.idp.urls")),
    path("", include("energyopti.observability.web.urls")),
    path("api/v1/sample/sites/", SitesView.as_view()),
    path("api/v1/sample/me/", MeView.as_view()),
    path("api/v1/sample/forgotten/", ForgottenView.as_view()),
    path("api/v1/sample/no-tokens/", NoTokensView.as_view()),
]
